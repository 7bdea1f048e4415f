// Many small files in one answer of a peer's file server.

import {writeFile} from 'node:fs/promises';
import {type ConnectionOptions, connect} from 'node:tls';
import {describe, expect, test} from 'vitest';
import {frameHeadBytes, readFrameHead} from '../../source/api/file-frames.ts';
import {limits} from '../../source/api/limits.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import type {ServedFile} from '../../source/upload/served-catalog.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {fetchFrom, someBytes, TestCatalog, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

const unknown = 'ab'.repeat(32);

/** What the frames of an answer hold: the files, and the codes of what is not given. */
function framesOf(body: Buffer): (Buffer | string)[] {
	const frames: (Buffer | string)[] = [];
	for (let at = 0; at < body.length; ) {
		const head = readFrameHead(body.subarray(at, at + frameHeadBytes))!;
		const start = at + frameHeadBytes;
		const held = body.subarray(start, start + head.length);
		frames.push(head.kind === 'file' ? held : held.toString());
		at = start + head.length;
	}
	return frames;
}

const urlOf = (contents: string[]) => `/v1/files?contents=${contents.join()}`;

describe('GET /v1/files', () => {
	test('answers with the files in the order asked for, and why there is none in its place', async () => {
		const {catalog, port, events, server, identity} = await uploadServer();
		const one = await catalog.write('one', someBytes(50_000));
		const large = await catalog.write('large', someBytes(limits.slotFree + 1));
		const changed = await catalog.write('changed', someBytes(100, 2));
		const empty = await catalog.write('empty', '');
		const last = await catalog.write('sub/last', someBytes(3, 3));
		await writeFile(changed.file, someBytes(100, 9));
		const contents = [one, large, changed, empty, last].map(({content}) => content);
		const {status, body, headers, complete} = await fetchFrom(port, urlOf([...contents, unknown]), {identity});
		expect([status, complete, headers['content-length']]).toEqual([200, true, String(body.length)]);
		expect(headers['server-timing']).toMatch(/^disk;dur=/);
		expect(framesOf(body)).toEqual([
			someBytes(50_000),
			'too-large',
			'changed',
			Buffer.alloc(0),
			someBytes(3, 3),
			'not-found',
		]);
		expect(catalog.changes).toEqual(['share/changed']);
		// Each file is an upload of its own.
		await waitFor('the uploads', () => events.filter(({event}) => event === 'upload-finished').length === 3);
		expect(events.map(({event, name, bytes}) => [event, name, bytes])).toEqual([
			['upload-started', 'one', 50_000],
			['upload-finished', 'one', 50_000],
			['upload-started', 'empty', 0],
			['upload-finished', 'empty', 0],
			['upload-started', 'last', 3],
			['upload-finished', 'last', 3],
		]);
		expect(server.totals()).toMatchObject({sent: 50_003, finished: 3, failed: 0, running: 0});
	});

	test('takes another file with the same bytes for one that is gone', async () => {
		const {catalog, port} = await uploadServer();
		const first = await catalog.write('first', someBytes(1000));
		await catalog.write('second', someBytes(1000));
		await writeFile(first.file, 'other');
		expect(framesOf((await fetchFrom(port, urlOf([first.content]))).body)).toEqual([someBytes(1000)]);
		expect(catalog.changes).toEqual(['share/first']);
	});

	test('reads no more than one answer may hold', async () => {
		const {catalog, port} = await uploadServer();
		const count = limits.filesCallBytes / limits.slotFree + 2;
		const contents: string[] = [];
		for (let n = 0; n < count; n++)
			contents.push((await catalog.write(`${n}`, someBytes(limits.slotFree, n + 1))).content);
		const frames = framesOf((await fetchFrom(port, urlOf(contents))).body);
		expect(frames.slice(0, count - 2)).toEqual(
			Array.from({length: count - 2}, (_, n) => someBytes(limits.slotFree, n + 1)),
		);
		expect(frames.slice(count - 2)).toEqual(['too-large', 'too-large']);
	});

	test.each([
		['/v1/files', 'nothing'],
		['/v1/files?contents=', 'an empty list'],
		['/v1/files?contents=xyz', 'no content ID'],
		[`/v1/files?contents=${unknown},`, 'a comma too many'],
		[`/v1/files?contents=${unknown}&contents=${unknown}`, 'two lists'],
		[urlOf(Array.from({length: limits.filesCall + 1}, () => unknown)), 'too many'],
	])('refuses %s: %s', async url => {
		const {port, bugs} = await uploadServer();
		const {status, body} = await fetchFrom(port, url);
		expect(status).toBe(400);
		expect(JSON.parse(body.toString())).toMatchObject({code: 'bad-request'});
		expect(bugs).toEqual([]);
	});

	test('gives each caller what it may have, and those who are blocked nothing', async () => {
		const [friend, blocked] = [await temporaryIdentity(), await temporaryIdentity()];
		class Private extends TestCatalog {
			override find(content: string, caller?: string): readonly ServedFile[] {
				return super.find(content).filter(({path}) => !path.includes('private') || caller === friend.id);
			}
		}
		const catalog = new Private(await tempFolder());
		const {port} = await uploadServer({catalog, allow: id => id !== blocked.id});
		const open = await catalog.write('open', someBytes(10));
		const secret = await catalog.write('private', someBytes(10, 2));
		const url = urlOf([open.content, secret.content]);
		expect(framesOf((await fetchFrom(port, url)).body)).toEqual([someBytes(10), 'not-found']);
		expect(framesOf((await fetchFrom(port, url, {identity: friend})).body)).toEqual([someBytes(10), someBytes(10, 2)]);
		expect(await fetchFrom(port, url, {identity: blocked})).toMatchObject({status: 403});
		expect(catalog.changes).toEqual([]);
	});

	test('tells strangers of a private network nothing', async () => {
		const {port, catalog} = await uploadServer({admits: () => false});
		const {content} = await catalog.write('file', 'bytes');
		const {status, body} = await fetchFrom(port, urlOf([content]));
		expect(status).toBe(403);
		expect(JSON.parse(body.toString())).toMatchObject({code: 'not-a-member'});
	});

	test('keeps to the limit, and counts what was through when the reader hangs up', async () => {
		const {catalog, port, server, events} = await uploadServer({limit: 100_000});
		const contents: string[] = [];
		for (let n = 0; n < 10; n++) contents.push((await catalog.write(`${n}`, someBytes(50_000, n + 1))).content);
		const socket = connect({host: '127.0.0.1', port, rejectUnauthorized: false, minVersion: 'TLSv1.3'});
		let received = 0;
		socket.on('error', () => undefined);
		socket.on('data', data => {
			received += data.length;
		});
		socket.write(`GET ${urlOf(contents)} HTTP/1.1\r\nHost: peer\r\n\r\n`);
		const since = performance.now();
		await waitFor('the second file', () => received > 60_000);
		expect(server.uploads().filter(({state}) => state === 'running').length).toBeLessThan(3);
		socket.destroy();
		await waitFor('the end', () => server.uploads().every(({state}) => state !== 'running'));
		const seconds = (performance.now() - since) / 1000;
		const {sent} = server.totals();
		expect(sent).toBeLessThan(500_000);
		// A quarter of a second's worth may come at once.
		expect(sent).toBeLessThanOrEqual((seconds + 0.3) * 100_000);
		expect(events.some(({event, name}) => event === 'upload-finished' && name === '0')).toBe(true);
		expect(events.filter(({event}) => event === 'upload-failed').length).toBeLessThanOrEqual(1);
		// What it held is free again.
		server.setLimit(undefined);
		expect(framesOf((await fetchFrom(port, urlOf(contents))).body)).toHaveLength(10);
	});

	test('serves others while some do not read', async () => {
		const {catalog, port} = await uploadServer({times: {readFloor: {perSecond: 1e9, patience: 200}}});
		const contents: string[] = [];
		for (let n = 0; n < 16; n++) contents.push((await catalog.write(`${n}`, someBytes(60_000, n + 1))).content);
		const idle = Array.from({length: 40}, (_, n) => {
			const from: ConnectionOptions & {localAddress: string} = {
				...{host: '127.0.0.1', port, rejectUnauthorized: false, minVersion: 'TLSv1.3'},
				localAddress: `127.0.1.${n + 1}`,
			};
			const socket = connect(from);
			socket.on('error', () => undefined);
			for (let m = 0; m < 5; m++) socket.write(`GET ${urlOf(contents)} HTTP/1.1\r\nHost: peer\r\n\r\n`);
			return socket;
		});
		try {
			await waitFor('connections', () => idle.every(socket => !socket.connecting));
			const {status, body} = await fetchFrom(port, urlOf(contents));
			expect(status).toBe(200);
			expect(framesOf(body)).toHaveLength(16);
		} finally {
			for (const socket of idle) socket.destroy();
		}
	});
});
