import {Agent} from 'node:https';
import {connect} from 'node:tls';
import fc from 'fast-check';
import {expect, onTestFinished, test} from 'vitest';
import {errorBodySchema} from '../../source/api/schemas.ts';
import {emptyContentId} from '../../source/content/content-id.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

function keepAlive(): Agent {
	const agent = new Agent({keepAlive: true, maxSockets: 1});
	onTestFinished(() => agent.destroy());
	return agent;
}

test('the whole file comes with headers that let it be saved, cached and continued', async () => {
	const {catalog, port, events, bugs} = await uploadServer();
	const bytes = someBytes(1_000_003);
	const {content} = await catalog.write('music/a song.flac', bytes);
	const answer = await fetchFrom(port, `/v1/files/${content}`);
	expect(answer.status).toBe(200);
	expect(answer.body.equals(bytes)).toBe(true);
	expect(answer.headers).toMatchObject({
		etag: `"${content}"`,
		'accept-ranges': 'bytes',
		'content-length': '1000003',
		'content-type': 'application/octet-stream',
		'x-content-type-options': 'nosniff',
		'content-disposition': `attachment; filename="a song.flac"; filename*=UTF-8''a%20song.flac`,
	});
	await waitFor('the events', () => events.length === 2);
	expect(events.map(({event}) => event)).toEqual(['upload-started', 'upload-finished']);
	expect(events[1]).toMatchObject({peer: 'guest', content, name: 'a song.flac', bytes: 1_000_003});
	expect(bugs).toEqual([]);
});

test('any single range gives exactly those bytes', async () => {
	const {catalog, port, bugs} = await uploadServer();
	const bytes = someBytes(1_500_007);
	const size = bytes.length;
	const {content} = await catalog.write('1.bin', bytes);
	const agent = keepAlive();
	// Near the borders as often as anywhere.
	const position = fc.oneof(
		fc.nat(size + 10),
		fc.constantFrom(0, 1, size - 1, size, size + 1, 524_287, 524_288, 524_289, 1_048_576, 2 ** 53),
	);
	const ranges = fc.oneof(
		fc.tuple(position, position).map(([a, b]) => `bytes=${Math.min(a, b)}-${Math.max(a, b)}`),
		position.map(first => `bytes=${first}-`),
		position.map(last => `bytes=-${last}`),
	);
	await fc.assert(
		fc.asyncProperty(ranges, async range => {
			const answer = await fetchFrom(port, `/v1/files/${content}`, {headers: {range}, agent});
			const [, first = '', last = ''] = /=(\d*)-(\d*)/.exec(range)!;
			const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
			const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
			if (start >= end) {
				expect(answer.status).toBe(416);
				expect(answer.headers['content-range']).toBe(`bytes */${size}`);
				expect(errorBodySchema.parse(JSON.parse(answer.body.toString())).code).toBe('range-not-satisfiable');
				return;
			}
			expect(answer.status).toBe(206);
			expect(answer.headers['content-range']).toBe(`bytes ${start}-${end - 1}/${size}`);
			expect(answer.body.equals(bytes.subarray(start, end))).toBe(true);
		}),
		{numRuns: 150},
	);
	expect(bugs).toEqual([]);
});

test('a range that is none, or several, is answered with the whole', async () => {
	const {catalog, port} = await uploadServer();
	const {content} = await catalog.write('1.txt', 'twelve bytes');
	const huge = `bytes=${'0-1,'.repeat(900)}0-1`;
	for (const range of ['bytes=5-2', 'bytes=0-1,5-9', 'lines=1-2', 'bytes=-', 'bytes=x-1', huge]) {
		const answer = await fetchFrom(port, `/v1/files/${content}`, {headers: {range}});
		expect([range, answer.status, answer.body.toString()]).toEqual([range, 200, 'twelve bytes']);
	}
});

test('conditions: If-Range, If-None-Match, If-Match', async () => {
	const {catalog, port} = await uploadServer();
	const {content} = await catalog.write('1.txt', '0123456789');
	const tag = `"${content}"`;
	const ask = async (headers: Record<string, string>) => {
		const {status, body} = await fetchFrom(port, `/v1/files/${content}`, {headers});
		return [status, status < 300 ? body.toString() : ''];
	};
	const range = 'bytes=2-3';
	expect(await ask({range, 'if-range': tag})).toEqual([206, '23']);
	expect(await ask({range, 'if-range': `W/${tag}`})).toEqual([200, '0123456789']);
	expect(await ask({range, 'if-range': '"other"'})).toEqual([200, '0123456789']);
	expect(await ask({range, 'if-range': 'Wed, 21 Oct 2015 07:28:00 GMT'})).toEqual([200, '0123456789']);
	expect(await ask({'if-none-match': tag})).toEqual([304, '']);
	expect(await ask({'if-none-match': `"x", W/${tag}`})).toEqual([304, '']);
	expect(await ask({'if-none-match': '*'})).toEqual([304, '']);
	expect(await ask({'if-none-match': '"x"', range})).toEqual([206, '23']);
	expect(await ask({'if-match': tag, range})).toEqual([206, '23']);
	expect(await ask({'if-match': '"x"'})).toEqual([412, '']);
});

test('HEAD tells what GET would, ignores ranges, and starts no upload', async () => {
	const {catalog, port, events} = await uploadServer();
	const {content} = await catalog.write('1.txt', '0123456789');
	const headers = {range: 'bytes=2-3'};
	const answer = await fetchFrom(port, `/v1/files/${content}`, {method: 'HEAD', headers});
	expect(answer.status).toBe(200);
	expect(answer.headers).toMatchObject({'content-length': '10', etag: `"${content}"`, 'accept-ranges': 'bytes'});
	expect(answer.body).toHaveLength(0);
	expect(events).toEqual([]);
});

test('an empty file is empty, with or without a range', async () => {
	const {catalog, port, events} = await uploadServer();
	expect((await catalog.write('empty', '')).content).toBe(emptyContentId);
	for (const headers of [{}, {range: 'bytes=0-'}, {range: 'bytes=-5'}] as Record<string, string>[]) {
		const answer = await fetchFrom(port, `/v1/files/${emptyContentId}`, {headers});
		expect([answer.status, answer.body.length, answer.headers['content-length'], answer.complete]).toEqual([
			200,
			0,
			'0',
			true,
		]);
	}
	await waitFor('the events', () => events.filter(({event}) => event === 'upload-finished').length === 3);
});

test('what is not shared is not found, and what is no content ID is said to be none', async () => {
	const {port} = await uploadServer();
	for (const [url, status, code] of [
		[`/v1/files/${'0'.repeat(64)}`, 404, 'not-found'],
		[`/v1/files/${'0'.repeat(64)}/pieces`, 404, 'not-found'],
		['/v1/files/1.txt', 400, 'bad-request'],
		[`/v1/files/${'A'.repeat(64)}`, 400, 'bad-request'],
		['/v1/files/..%2f..%2fetc%2fpasswd', 400, 'bad-request'],
		['/etc/passwd', 404, 'not-found'],
		['/v1/files/%', 400, 'bad-request'],
		[`/v1/files/${'0'.repeat(200)}`, 414, 'bad-request'],
	] as const) {
		const answer = await fetchFrom(port, url);
		expect([url, answer.status, errorBodySchema.parse(JSON.parse(answer.body.toString())).code]).toEqual([
			url,
			status,
			code,
		]);
	}
});

test('500 small ranges one after the other go over one connection', async () => {
	const {catalog, port, bugs, events} = await uploadServer();
	const bytes = someBytes(500 * 1000);
	const {content} = await catalog.write('1.bin', bytes);
	const agent = keepAlive();
	let opened = 0;
	const create = agent.createConnection.bind(agent);
	agent.createConnection = (...parameters) => {
		opened++;
		return create(...parameters);
	};
	for (let at = 0; at < bytes.length; at += 1000) {
		const headers = {range: `bytes=${at}-${at + 999}`};
		const {status, body} = await fetchFrom(port, `/v1/files/${content}`, {headers, agent});
		if (status !== 206 || !body.equals(bytes.subarray(at, at + 1000))) throw new Error(`wrong at ${at}: ${status}`);
	}
	expect(opened).toBe(1);
	expect(bugs).toEqual([]);
	await waitFor('the end', () => events.length === 2);
	expect(events[1]).toMatchObject({event: 'upload-finished', bytes: bytes.length});
});

test('pipelined requests are answered in order, however many', async () => {
	const {catalog, port} = await uploadServer();
	const bytes = someBytes(3_000_000);
	const {content} = await catalog.write('1.bin', bytes);
	const socket = connect({host: '127.0.0.1', port, rejectUnauthorized: false});
	onTestFinished(() => void socket.destroy());
	const count = 60;
	const length = 600_000;
	const requests = Array.from({length: count}, (_, n) => {
		const start = n * 40_000;
		return `GET /v1/files/${content} HTTP/1.1\r\nHost: x\r\nRange: bytes=${start}-${start + length - 1}\r\n\r\n`;
	});
	socket.write(requests.join(''));
	let received = Buffer.alloc(0);
	let answers = 0;
	for await (const part of socket as AsyncIterable<Buffer>) {
		received = Buffer.concat([received, part]);
		for (;;) {
			const head = received.indexOf('\r\n\r\n');
			if (head < 0 || received.length < head + 4 + length) break;
			const start = answers * 40_000;
			expect(received.toString('latin1', 0, head)).toContain(`bytes ${start}-${start + length - 1}/`);
			const body = received.subarray(head + 4, head + 4 + length);
			if (!body.equals(bytes.subarray(start, start + length))) throw new Error(`answer ${answers} is wrong`);
			received = received.subarray(head + 4 + length);
			answers++;
		}
		if (answers === count) break;
	}
	expect(answers).toBe(count);
});
