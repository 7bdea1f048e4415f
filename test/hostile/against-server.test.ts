// A hostile peer against a real index server: whatever it sends, honest callers are answered and memory stays.
import type {ChildProcess} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import {constants, createZstdCompress, gzipSync, zstdCompressSync, zstdDecompressSync} from 'node:zlib';
import {describe, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {EngineBus} from '../../source/core/events.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {add, request, startServer as startIndex} from '../helpers/index.ts';
import {type Node, startServer} from '../helpers/network.ts';
import {waitFor} from '../helpers/wait-for.ts';
import {allEvilNames, rawEscapes} from './evil-names.ts';
import {exchange, halfOpen, hostilePeer, open} from './hostile-peer.ts';

async function memoryOf({pid}: ChildProcess): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, 'utf8');
	return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** A zstd frame that asks for a window of 128 MiB, which any decompressor takes unless it is told not to. */
async function wideFrame(): Promise<Buffer> {
	const encoder = createZstdCompress({params: {[constants.ZSTD_c_windowLog]: 27}});
	encoder.write(`${JSON.stringify(add('s/wide', 'wide'))}\n`);
	encoder.end(`${JSON.stringify(add('s/wider', 'wider'))}\n`);
	const frame = Buffer.concat(await encoder.toArray());
	expect(zstdDecompressSync(frame).toString()).toContain('s/wider');
	return frame;
}

/** An honest caller is answered within a second. */
async function expectUsable(server: Node): Promise<void> {
	const started = performance.now();
	expect((await request(server, '/v1')).status).toBe(200);
	expect(performance.now() - started).toBeLessThan(5000);
}

test('catalogs of bombs, junk and evil names: refused line by line or whole, and never in memory at once', async () => {
	const server = await startServer();
	const mallory = await hostilePeer();
	await mallory.register(server);
	const before = await memoryOf(server.child);
	const line = Buffer.from(`${JSON.stringify(add('s/a', 'a'))}\n`);
	const spaces = Buffer.alloc(200 * 1024 * 1024, 10);
	const wide = await wideFrame();
	const bombs: [string, Buffer, string][] = [
		['gzip', gzipSync(spaces), 'too-large'],
		['zstd', zstdCompressSync(spaces), 'too-large'],
		['gzip', gzipSync(gzipSync(spaces)), ''],
		// A window that would have to be held in memory for each stream.
		['zstd', wide, 'bad-request'],
		['gzip', Buffer.concat([gzipSync(line), Buffer.from('trailing')]), ''],
		['gzip', gzipSync(line).subarray(0, 20), 'bad-request'],
		['zstd', line, 'bad-request'],
		['br', line, 'bad-request'],
		['gzip, gzip', gzipSync(gzipSync(line)), 'bad-request'],
	];
	for (const [encoding, body, code] of bombs) {
		const {status, body: answer} = await mallory.publish(server, body, encoding);
		expect(status, encoding).toBeLessThan(500);
		if (code) expect(answer, encoding).toMatchObject({code});
	}
	const names = allEvilNames.map(name => `s/${name}`);
	const lines = [
		...names.map(name => JSON.stringify({...add('x', name), path: name})),
		...['\\ud800', '..', '/x', '\\u0000'].map(
			name => `{"op":"add","path":"${name}","size":1,"content":"${'a'.repeat(64)}"}`,
		),
		...['[', '{}', 'null', '"x"', '1e999', `${'['.repeat(20_000)}`, `{"op":"add","path":"${'p'.repeat(40_000)}"}`],
		...[-1, 0.5, 1e300, '"9"', null].map(
			size => `{"op":"add","path":"s/z","size":${size},"content":"${'a'.repeat(64)}"}`,
		),
		JSON.stringify(add('s/fine', 'fine')),
	];
	const taken = await mallory.publish(server, `${lines.join('\n')}\n`);
	expect(taken).toMatchObject({status: 200});
	expect(taken.body.rejectedCount).toBeGreaterThan(30);
	const listed = (await request(server, '/v1/peers/1/files?path=s')).body.entries.map(
		(one: {path: string}) => one.path,
	);
	expect(listed).toContain('s/fine');
	for (const path of listed)
		expect(
			path.split('/').every((part: string) => !['', '.', '..'].includes(part)),
			path,
		).toBe(true);
	await expectUsable(server);
	expect(await memoryOf(server.child)).toBeLessThan(before + 250);
	expect(await server.stop()).toBe(0);
	expect(server.stdout()).not.toMatch(rawEscapes);
	expect(server.stderr()).toBe('');
	expect(server.stdout()).not.toContain('"error"');
});

test('JSON that is deep, huge or of another kind is answered 4xx', async () => {
	const server = await startServer();
	const mallory = await hostilePeer();
	const put = (body: string, headers: Record<string, string> = {'content-type': 'application/json'}) =>
		mallory.call(server, '/v1/peers/me', {method: 'PUT', headers, body});
	const nested = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
	for (const body of [
		nested,
		'['.repeat(60_000),
		' '.repeat(70_000),
		'{"__proto__":{"x":1}}',
		'{"constructor":{"prototype":{}}}',
		'',
	]) {
		const {status} = await put(body);
		expect([400, 413], body.slice(0, 20)).toContain(status);
	}
	expect((await put('a=b', {'content-type': 'application/x-www-form-urlencoded'})).status).toBe(415);
	await expectUsable(server);
});

describe('HTTP', () => {
	test.each([
		['two lengths', 'Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n'],
		[
			'a length and chunks',
			'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1 HTTP/1.1\r\nHost: x\r\n\r\n',
		],
		['chunks twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n'],
		['an odd coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
		['a space before the colon', 'Content-Length : 2\r\n\r\n{}'],
		['a folded header', 'X: a\r\n Content-Length: 2\r\n\r\n{}'],
		['bare line feeds', 'Content-Length: 2\n\n{}'],
		['a size that is none', 'Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n'],
		['a negative length', 'Content-Length: -1\r\n\r\n'],
	])('with %s is refused, and nothing smuggled in is answered', async (_, rest) => {
		const server = await startIndex();
		const mallory = await hostilePeer();
		const calls: string[] = [];
		server.bus.on('request', ({verb}) => calls.push(verb));
		const answer = await exchange(
			mallory.connect(server),
			`PUT /v1/peers/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${rest}`,
		);
		expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 400']);
		expect(calls).not.toContain('INFO');
		await server.stop();
	});

	test('slow headers and slow bodies are cut off, and meanwhile others are answered', async () => {
		const server = await startServer();
		const mallory = await hostilePeer();
		const started = performance.now();
		const slow = [
			'GET /v1 HTTP/1.1\r\nHost: x\r\n',
			'PUT /v1/peers/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{',
		].map(async head => {
			const socket = mallory.connect(server);
			const trickle = setInterval(() => socket.write('X: y\r\n'.slice(0, 1)), 300);
			const answer = await exchange(socket, head);
			clearInterval(trickle);
			return {answer, ms: performance.now() - started};
		});
		await expectUsable(server);
		for (const {answer, ms} of await Promise.all(slow)) {
			expect(answer).toMatch(/^HTTP\/1\.1 408/);
			expect(ms).toBeLessThan(limits.requestBody + 15_000);
		}
	});
});

test('thousands of half-open connections: the server stays usable, says so once, and forgets them', async () => {
	const server = await startServer();
	const before = await memoryOf(server.child);
	const sockets = halfOpen(server.port, 3000);
	for (let i = 0; i < 5; i++) await expectUsable(server);
	await waitFor('most to be closed', () => sockets.filter(socket => socket.destroyed).length >= 900);
	await expectUsable(server);
	expect(await memoryOf(server.child)).toBeLessThan(before + 300);
	const said = server.events().filter(({event, message}) => event === 'log' && String(message).includes('handshake'));
	expect(said).toHaveLength(1);
	expect(await server.stop()).toBe(0);
});

describe('identity', () => {
	test('what was registered under a key cannot be touched with another, nor from a recording', async () => {
		const server = await startServer();
		const [alice, mallory] = [await hostilePeer(), await hostilePeer()];
		await alice.register(server, {name: 'alice'});
		const lines = `${JSON.stringify(add('music/song', 'song'))}\n`;
		await alice.publish(server, lines);
		const shared = async () => (await request(server, '/v1/peers/1/files?path=music')).body.entries.length;
		expect(await shared()).toBe(1);
		// The same words under another key are that key's own.
		expect((await mallory.register(server, {name: 'alice', id: alice.identity.id})).body.number).toBe(2);
		await mallory.publish(server, `${JSON.stringify({op: 'remove', path: 'music/song'})}\n`);
		await mallory.call(server, `/v1/peers/${alice.identity.id}`, {method: 'DELETE'});
		await mallory.call(server, '/v1/peers/1/files?epoch=x', {method: 'POST'});
		expect(await shared()).toBe(1);
		expect((await request(server, '/v1/peers/1')).body).toMatchObject({id: alice.identity.id, port: alice.port});
		// Whoever shows alice's certificate without her key does not get through TLS.
		const {keyPem} = mallory.identity;
		const stolen = request(server, '/v1', {identity: {...alice.identity, keyPem}});
		await expect(stolen).rejects.toThrow(/key|mismatch/i);
		// A guest writes nothing; a name that two have is not a way to one of them.
		expect((await request(server, '/v1/peers/me', {method: 'DELETE'})).status).toBe(401);
		expect((await request(server, '/v1/peers/alice')).body).toMatchObject({code: 'ambiguous'});
		// A recorded upload that comes again, from its own peer, changes nothing: its version is not the next one.
		expect((await alice.publish(server, lines)).status).toBeLessThan(500);
		expect(await shared()).toBe(1);
	});

	test('new peers of one address are put off, with one line; who is known is not', async () => {
		const bus = new EngineBus();
		const lines: string[] = [];
		bus.on('log', ({message}) => lines.push(message));
		const rates = {peer: limits.callsPerPeer, address: limits.callsPerAddress, connectionsPerAddress: 100};
		const server = await startIndex({bus, rates: {...rates, newPeers: {perSecond: 0.01, burst: 5}, loopback: true}});
		const first = await hostilePeer();
		const statuses = [(await first.register(server)).status];
		for (let i = 0; i < 20; i++) {
			const identity = await temporaryIdentity();
			const body = JSON.stringify({name: 'junk', port: 1, epoch: '0'.repeat(32), version: 0});
			const headers = {'content-type': 'application/json'};
			statuses.push((await request(server, '/v1/peers/me', {method: 'PUT', identity, headers, body})).status);
		}
		expect(statuses.filter(status => status === 200)).toHaveLength(5);
		expect(statuses.filter(status => status === 503)).toHaveLength(16);
		expect((await first.register(server)).status).toBe(200);
		expect((await request(server, '/v1')).body.peers).toBe(5);
		expect(lines.filter(line => line.includes('too many new peers'))).toHaveLength(1);
		await server.stop();
	});
});

test('junk in the index is found by its own words only, costs its peer its own entry, and goes with it', async () => {
	const server = await startServer();
	const [honest, mallory] = [await hostilePeer(), await hostilePeer()];
	await honest.register(server, {name: 'honest'});
	await honest.publish(server, `${JSON.stringify(add('s/treasure map.txt', 'map'))}\n`);
	await mallory.register(server);
	const junk = Array.from({length: 3000}, (_, n) =>
		JSON.stringify(add(`s/treasure ${n} ${'spam '.repeat(40)}.txt`, 'one thing')),
	);
	expect((await mallory.publish(server, `${junk.join('\n')}\n`)).body.files).toBe(3000);
	const streams = [honest, mallory].map(peer => open(peer.connect(server)));
	for (const stream of streams) stream.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
	const search = async () => (await request(server, '/v1/search?q=treasure')).body;
	// A peer is online a moment before all its shares count. Three thousand names of one content are one hit.
	await waitFor('both to be found', async () => (await search()).total >= 2);
	const {hits, total} = await search();
	expect(total).toBe(2);
	expect(hits.map((hit: {sources: unknown[]}) => hit.sources.length)).toEqual([1, 1]);
	await mallory.call(server, '/v1/peers/me', {method: 'DELETE'});
	expect((await search()).total).toBe(1);
});

test('a peer that changes all the time is told of once a second', async () => {
	const server = await startIndex();
	const mallory = await hostilePeer();
	await mallory.register(server);
	const watcher = open(mallory.connect(server));
	let events = '';
	watcher.on('data', data => {
		events += data;
	});
	watcher.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
	await waitFor('the stream', () => events.includes('event: hello'));
	const started = performance.now();
	for (let i = 0; i < 100; i++) await mallory.publish(server, `${JSON.stringify(add(`s/${i}`, i))}\n`);
	const seconds = (performance.now() - started) / 1000;
	const updates = () => events.split('event: peer-updated').length - 1;
	await waitFor('the last change', () => events.includes('"files":1,') && updates() > 0);
	expect(updates()).toBeLessThan(seconds + 4);
	await server.stop();
});
