import {connect} from 'node:tls';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsOptions} from '../../source/net/tls-options.ts';
import {SentRanges} from '../../source/upload/sent-ranges.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

test('sent ranges count every byte once, in whatever order they come', () => {
	const range = fc.tuple(fc.nat(60), fc.nat(12));
	fc.assert(
		fc.property(fc.array(range, {maxLength: 40}), parts => {
			const ranges = new SentRanges();
			const bytes = new Set<number>();
			for (const [start, length] of parts) {
				ranges.add(start, start + length);
				for (let at = start; at < start + length; at++) bytes.add(at);
				expect(ranges.covered).toBe(bytes.size);
			}
		}),
	);
});

test('sent ranges stay small when somebody asks for every other byte', () => {
	const ranges = new SentRanges();
	for (let at = 0; at < 100_000; at += 2) ranges.add(at, at + 1);
	expect(ranges.covered).toBe(8192);
	ranges.add(0, 100_000);
	expect(ranges.covered).toBe(100_000);
});

test('many range requests of a peer are one upload, finished with the last missing byte', async () => {
	const {server, catalog, port, events} = await uploadServer();
	const identity = await temporaryIdentity();
	const bytes = someBytes(1_000_000);
	const {content} = await catalog.write('1.bin', bytes);
	const ranges = ['0-299999', '500000-999999', '100000-350000', '350001-499998'];
	for (const range of ranges) {
		await fetchFrom(port, `/v1/files/${content}`, {identity, headers: {range: `bytes=${range}`}});
	}
	await waitFor('the bytes to be counted', () => server.uploads()[0]?.sent === 999_999);
	expect(server.uploads()).toMatchObject([
		{peer: identity.id, content, name: '1.bin', size: 1_000_000, state: 'running'},
	]);
	expect(server.totals().running).toBe(1);
	expect(events.map(({event}) => event)).toEqual(['upload-started']);
	await fetchFrom(port, `/v1/files/${content}`, {identity, headers: {range: 'bytes=499999-499999'}});
	await waitFor('the end', () => events.length === 2);
	expect(events).toMatchObject([
		{event: 'upload-started', peer: identity.id, name: '1.bin', bytes: 1_000_000},
		{event: 'upload-finished', peer: identity.id, name: '1.bin', bytes: 1_200_000},
	]);
	expect(server.uploads()).toMatchObject([{state: 'done', sent: 1_000_000, speed: 0}]);
	expect(server.totals()).toMatchObject({running: 0, finished: 1, failed: 0, shares: {share: 1_200_000}});
});

test('a peer that takes a part, and all of what it asked for, is finished when it goes quiet', async () => {
	const {server, catalog, port, events} = await uploadServer({times: {sessionIdle: 100}});
	const {content} = await catalog.write('1.bin', someBytes(100_000));
	await fetchFrom(port, `/v1/files/${content}`, {headers: {range: 'bytes=0-24999'}});
	await waitFor('the end', () => events.length === 2);
	expect(events[1]).toMatchObject({event: 'upload-finished', bytes: 25_000});
	expect(server.uploads()).toMatchObject([{state: 'done', sent: 25_000}]);
});

test('a download that is given up is an upload broken off, with its percentage', async () => {
	const {server, catalog, port, events, bugs} = await uploadServer({limit: 500_000, times: {sessionIdle: 100}});
	const {content} = await catalog.write('1.bin', someBytes(10_000_000));
	const identity = await temporaryIdentity();
	const socket = connect({host: '127.0.0.1', port, ...tlsOptions(identity)});
	socket.write(`GET /v1/files/${content} HTTP/1.1\r\nHost: x\r\n\r\n`);
	socket.resume();
	const row = await waitFor('a speed', () => server.uploads().find(({speed, sent}) => speed > 0 && sent > 200_000));
	expect(row).toMatchObject({peer: identity.id, state: 'running', name: '1.bin'});
	socket.destroy();
	await waitFor('the end', () => events.length === 2);
	expect(events[1]).toMatchObject({event: 'upload-failed', peer: identity.id});
	expect(events[1]?.message).toMatch(/^broken off at [1-9]\d?%: the other side hung up$/);
	expect(server.uploads()[0]).toMatchObject({state: 'failed', message: events[1]?.message});
	expect(server.totals()).toMatchObject({failed: 1, finished: 0});
	expect(bugs).toEqual([]);
});
