import {fork} from 'node:child_process';
import {once} from 'node:events';
import {networkInterfaces} from 'node:os';
import {connect} from 'node:tls';
import {fileURLToPath} from 'node:url';
import {gzipSync, zstdCompressSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import type {RequestEvent} from '../../source/core/events.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {add, contentId, type RawAnswer, request, startServer, type TestServer, until} from '../helpers/index.ts';

const epoch = 'ab'.repeat(16);
let server: TestServer;
let identity: Identity;
let requests: RequestEvent[];

beforeEach(async () => {
	server = await startServer();
	identity = await temporaryIdentity();
	requests = [];
	server.bus.on('request', event => requests.push(event));
});
afterEach(() => server.stop());

const json = {'content-type': 'application/json'};
const ndjson = {'content-type': 'application/x-ndjson'};
const put = (body: object, as: Identity = identity) =>
	request(server, '/v1/peers/me', {method: 'PUT', headers: json, body: JSON.stringify(body), identity: as});
const register = (as: Identity = identity, more: object = {}) =>
	put({name: 'alice', port: 4321, epoch, version: 0, ...more}, as);
const post = (
	body: string | Buffer,
	query: string,
	headers: Record<string, string> = {},
	as: Identity | undefined = identity,
) =>
	request(server, `/v1/peers/me/files?${query}`, {
		method: 'POST',
		headers: {...ndjson, ...headers},
		body,
		identity: as,
	});
const lines = (...changes: object[]) => changes.map(change => `${JSON.stringify(change)}\n`).join('');

/** Holds an event stream open; returns what came and how to end it. */
async function events(as?: Identity) {
	const tls = as ? {key: as.keyPem, cert: as.certificatePem} : {};
	const socket = connect({host: '127.0.0.1', port: server.port, rejectUnauthorized: false, ...tls});
	await once(socket, 'secureConnect');
	let text = '';
	socket.on('data', chunk => {
		text += chunk;
	});
	socket.on('error', () => undefined);
	socket.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
	await until('the stream began', () => text.includes('event: hello'));
	return {text: () => text, close: () => socket.destroy()};
}

describe('errors', () => {
	test('have one form, whoever makes them', async () => {
		const cases: [number, string, Promise<RawAnswer>][] = [
			[404, 'not-found', request(server, '/v1/nothing')],
			[404, 'not-found', request(server, '/v1/search', {method: 'POST', headers: json, body: '{}'})],
			[400, 'bad-request', request(server, '/v1/search')],
			[400, 'bad-request', request(server, '/v1/peers/%zz')],
			[400, 'bad-request', request(server, '/v1/search?q=x&limit=0')],
			[400, 'bad-request', request(server, '/v1/search?q=x&cursor=zzz')],
			[400, 'bad-query', request(server, '/v1/search?q=%22open')],
			[400, 'bad-request', request(server, '/v1/files/xyz')],
			[404, 'not-found', request(server, `/v1/files/${contentId(1)}`)],
			[404, 'not-found', request(server, '/v1/peers/7')],
			[400, 'bad-request', put({name: '', port: 1, epoch, version: 0})],
			[400, 'bad-request', put({name: 'x', port: 70_000, epoch, version: 0})],
			[400, 'bad-request', put({name: 'x', port: 1, epoch, version: 0, host: 'not a host'})],
			[401, 'needs-identity', request(server, '/v1/peers/me', {method: 'DELETE'})],
		];
		for (const [status, code, answer] of cases) {
			const {status: got, body} = await answer;
			expect({status: got, code: body?.code}, JSON.stringify(body)).toEqual({status, code});
			expect(typeof body.message).toBe('string');
			expect(JSON.stringify(body)).not.toContain('    at ');
		}
	});

	test('of a bad query point at the place', async () => {
		const {body} = await request(server, `/v1/search?q=${encodeURIComponent('good kind:nonsense')}`);
		expect(body.details).toMatchObject({position: 5, length: 13});
	});

	test('of bodies: malformed, too long, of another type', async () => {
		const send = (body: string, type = 'application/json') =>
			request(server, '/v1/peers/me', {method: 'PUT', headers: {'content-type': type}, body, identity});
		expect(await send('{"name":')).toMatchObject({status: 400, body: {code: 'bad-request'}});
		expect(await send('{"__proto__":{"x":1}}')).toMatchObject({status: 400, body: {code: 'bad-request'}});
		expect(await send(`"${'x'.repeat(limits.jsonBody)}"`)).toMatchObject({status: 413, body: {code: 'too-large'}});
		expect(await send('<x/>', 'application/xml')).toMatchObject({body: {code: 'bad-request'}});
	});

	test('of one who sends a body drop by drop: the connection ends', async () => {
		const patient = await startServer({bodyPatience: 300});
		const socket = connect({host: '127.0.0.1', port: patient.port, rejectUnauthorized: false});
		await once(socket, 'secureConnect');
		socket.on('error', () => undefined).resume();
		socket.write(
			'PUT /v1/peers/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{',
		);
		const drops = setInterval(() => socket.write(' '), 50);
		await once(socket, 'close');
		clearInterval(drops);
		await patient.stop();
	});

	test('of the store are not told to strangers, but to the log', async () => {
		const log: string[] = [];
		server.bus.on('log', ({message}) => log.push(message));
		server.store.counts = async () => {
			throw new Error('secret detail');
		};
		const {status, text} = await request(server, '/v1');
		expect(status).toBe(500);
		expect(text).not.toContain('secret');
		expect(log.filter(line => line.includes('secret detail'))).toHaveLength(1);
	});
});

describe('writing', () => {
	test('needs the key of the peer that is written', async () => {
		const guest = await request(server, '/v1/peers/me', {method: 'PUT', headers: json, body: '{}'});
		expect(guest).toMatchObject({status: 401, body: {code: 'needs-identity'}});
		const upload = await request(server, `/v1/peers/me/files?epoch=${epoch}&from=0&to=1`, {
			...{method: 'POST', headers: ndjson, body: lines(add('s/x.txt'))},
		});
		expect(upload).toMatchObject({status: 401, body: {code: 'needs-identity'}});
	});

	test("never reaches another's entry", async () => {
		await register();
		await post(lines(add('s/mine.txt')), `epoch=${epoch}&from=0&to=1`);
		const mallory = await temporaryIdentity();
		await register(mallory, {id: identity.id, name: 'mallory'});
		await post(lines({op: 'remove', path: 's/mine.txt'}), `epoch=${epoch}&from=0&to=1&id=${identity.id}`, {}, mallory);
		await request(server, '/v1/peers/me', {method: 'DELETE', identity: mallory});
		expect((await request(server, `/v1/peers/${identity.id}`)).body).toMatchObject({
			name: 'alice',
			files: 1,
			number: 1,
		});
		expect((await request(server, `/v1/peers/${mallory.id}`)).status).toBe(404);
	});

	test('registers under the address that the server sees, or the one announced', async () => {
		const {body} = await register();
		expect(body).toMatchObject({
			number: 1,
			observed: {host: '127.0.0.1', port: 4321},
			have: null,
			lease: limits.leaseSeconds,
		});
		const other = await temporaryIdentity();
		expect((await register(other, {host: '127.0.0.9'})).body.observed).toEqual({host: '127.0.0.9', port: 4321});
		expect(await register(other, {host: 'localhost'})).toMatchObject({status: 400, body: {code: 'bad-request'}});
		await request(server, '/v1/peers/me', {method: 'DELETE', identity});
		expect((await request(server, '/v1/peers')).body.peers.map((peer: {number: number}) => peer.number)).toEqual([2]);
		expect((await register()).body.number).toBe(1);
	});
});

const outside = Object.values(networkInterfaces())
	.flat()
	.find(one => one && !one.internal && one.family === 'IPv4')?.address;

test.skipIf(!outside)("a peer on the server's machine is named to others under an address they can reach", async () => {
	await server.stop();
	server = await startServer({host: '::'});
	await register();
	await post(lines(add('s/x.txt', 'x')), `epoch=${epoch}&from=0&to=1`);
	const stream = await events(identity);
	const hosts = async (host: string) => {
		const [peers, found] = await Promise.all([
			request(server, '/v1/peers', {host}),
			request(server, '/v1/search?q=x', {host}),
		]);
		return [peers.body.peers[0].host, found.body.hits[0].sources[0].host];
	};
	expect(await hosts('127.0.0.1')).toEqual(['127.0.0.1', '127.0.0.1']);
	expect(await hosts(outside ?? '')).toEqual([outside, outside]);
	stream.close();
});

describe('a catalog upload', () => {
	beforeEach(() => register());
	const range = `epoch=${epoch}&from=0&to=9`;

	test('names the lines that do not fit and keeps the rest', async () => {
		const body = [
			JSON.stringify(add('s/good.txt', 'g', 7)),
			'not json',
			'',
			JSON.stringify({op: 'add', path: '../escape', size: 1, content: contentId(1)}),
			JSON.stringify({op: 'add', path: 's/x', size: -1, content: contentId(1)}),
			JSON.stringify({op: 'explode', path: 's/x'}),
			JSON.stringify({...add(`s/${'x'.repeat(limits.catalogLine)}`)}),
			JSON.stringify(add('s/also good.txt', 'h', 5)),
		].join('\n');
		const answer = await post(body, range);
		expect(answer).toMatchObject({
			status: 200,
			body: {files: 2, bytes: 12, rejectedCount: 5, have: {epoch, version: 9}},
		});
		expect(answer.body.rejected.map((one: {line: number; code: string}) => [one.line, one.code])).toEqual([
			[2, 'bad-request'],
			[4, 'bad-name'],
			[5, 'bad-request'],
			[6, 'bad-request'],
			[7, 'too-large'],
		]);
	});

	test('names only so many of them', async () => {
		const {body} = await post('x\n'.repeat(limits.rejectedNamed + 50), range);
		expect(body.rejected).toHaveLength(limits.rejectedNamed);
		expect(body.rejectedCount).toBe(limits.rejectedNamed + 50);
	});

	test('may be compressed', async () => {
		const body = lines(...Array.from({length: 3000}, (_, i) => add(`s/file ${i}.txt`, i, 1)));
		expect((await post(gzipSync(body), range, {'content-encoding': 'gzip'})).body).toMatchObject({files: 3000});
		const zstd = await post(zstdCompressSync(body), `epoch=${'cd'.repeat(16)}&from=0&to=1`, {
			'content-encoding': 'zstd',
		});
		expect(zstd.body).toMatchObject({files: 3000, bytes: 3000});
	});

	test('that is a bomb, damaged or of unknown encoding is refused', async () => {
		const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, '\n'));
		expect(await post(bomb, range, {'content-encoding': 'gzip'})).toMatchObject({
			status: 413,
			body: {code: 'too-large'},
		});
		expect(await post('plain', range, {'content-encoding': 'zstd'})).toMatchObject({status: 400});
		expect(await post('x', range, {'content-encoding': 'br'})).toMatchObject({
			status: 400,
			body: {code: 'bad-request'},
		});
		expect((await request(server, '/healthz')).status).toBe(200);
	});

	test('that does not continue what is known is told what is', async () => {
		await post(lines(add('s/a.txt')), `epoch=${epoch}&from=0&to=4`);
		const answer = await post(lines(add('s/b.txt')), `epoch=${epoch}&from=3&to=5`);
		expect(answer).toMatchObject({status: 409, body: {code: 'version-mismatch', details: {have: {epoch, version: 4}}}});
	});

	test('of a peer that is not registered, or with a range that is none, is refused', async () => {
		expect((await post('', range, {}, await temporaryIdentity())).status).toBe(404);
		for (const query of ['', `epoch=xyz&from=0&to=1`, `epoch=${epoch}&from=-1&to=1`, `epoch=${epoch}&from=5&to=1`])
			expect((await post('', query)).status, query).toBe(400);
	});
});

describe('presence', () => {
	test('lasts as long as the event stream', async () => {
		await register();
		await post(lines(add('s/song.mp3')), `epoch=${epoch}&from=0&to=1`);
		expect((await request(server, '/v1/search?q=song')).body.total).toBe(0);
		const watcher = await events();
		const stream = await events(identity);
		expect((await request(server, '/v1/search?q=song')).body.total).toBe(1);
		await until('the others heard', () => /event: peer-joined\ndata: .*"alice"/.test(watcher.text()));
		stream.close();
		await until('it is offline', async () => (await request(server, '/v1/search?q=song')).body.total === 0);
		await until('the others heard', () => watcher.text().includes('event: peer-left'));
		watcher.close();
	});

	test('of one who leaves for good ends at once, and is told', async () => {
		await register();
		await post(lines(add('s/song.mp3')), `epoch=${epoch}&from=0&to=1`);
		const watcher = await events();
		const stream = await events(identity);
		const left: string[] = [];
		server.bus.on('peer-left', ({name}) => left.push(name));
		expect((await request(server, '/v1/peers/me', {method: 'DELETE', identity})).status).toBe(204);
		expect((await request(server, '/v1')).body).toMatchObject({peers: 0, online: 0, files: 0});
		await until('the others heard', () => /event: peer-left\ndata: .*"online":false/.test(watcher.text()));
		expect(left).toEqual(['alice']);
		expect((await request(server, '/v1/events', {identity})).status).toBe(404);
		for (const one of [watcher, stream]) one.close();
	});

	test('needs a registration', async () => {
		expect((await request(server, '/v1/events', {identity})).status).toBe(404);
	});

	test('of one who comes back at once is no news', async () => {
		await server.stop();
		server = await startServer({grace: 10_000});
		await register();
		const watcher = await events();
		const first = await events(identity);
		await until('the others heard', () => watcher.text().includes('peer-joined'));
		first.close();
		await until('it is offline', async () => (await server.store.counts()).online === 0);
		const second = await events(identity);
		expect((await server.store.counts()).online).toBe(1);
		const other = await temporaryIdentity();
		await register(other, {name: 'bob'});
		const third = await events(other);
		await until('the next one is told', () => watcher.text().includes('"bob"'));
		expect(watcher.text().match(/peer-joined/g)).toHaveLength(2);
		expect(watcher.text()).not.toContain('peer-left');
		for (const stream of [watcher, second, third]) stream.close();
	});

	test('ends when the lease lapses though the connection stands', async () => {
		await server.stop();
		server = await startServer({leaseSeconds: 0.4});
		await register();
		const stream = await events(identity);
		expect((await server.store.counts()).online).toBe(1);
		await until('it is offline', async () => (await server.store.counts()).online === 0, 5000);
		stream.close();
	});

	test('ends within seconds when the process is killed', async () => {
		const helper = fileURLToPath(new URL('../helpers/index-peer-process.ts', import.meta.url));
		const child = fork(helper, [server.address, 'victim']);
		await once(child, 'message');
		expect((await request(server, '/v1/search?q=victim')).body.total).toBe(1);
		child.kill('SIGKILL');
		await until('it is offline', async () => (await request(server, '/v1/search?q=victim')).body.total === 0, 3000);
		expect((await request(server, '/v1/peers/victim')).body).toMatchObject({online: false, files: 1, number: 1});
	});
});

describe('answers', () => {
	test('for people and machines that run the server', async () => {
		expect((await request(server, '/v1')).body).toMatchObject({
			kind: 'server',
			id: server.identity.id,
			name: 'test',
			peers: 0,
		});
		expect((await request(server, '/healthz')).body).toEqual({status: 'ok'});
		const {text, headers} = await request(server, '/metrics');
		expect(headers['content-type']).toContain('text/plain');
		expect(text).toContain('p2p_requests_total{verb="INFO",status="200"} 1');
		expect(text).toMatch(/^# HELP p2p_peers .+\n# TYPE p2p_peers gauge\np2p_peers 0$/m);
		const named = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(match => match[1]));
		for (const [, name = ''] of text.matchAll(/^(p2p_[a-z_]+)/gm))
			expect(named.has(name.replace(/_(bucket|sum|count)$/, '')) || named.has(name), name).toBe(true);
		expect(text).toMatch(/p2p_request_seconds_bucket\{verb="INFO",le="\+Inf"\} 1/);
	});

	test('are told on the bus with who asked and how long it took', async () => {
		await register();
		await request(server, '/v1/search?q=nothing', {identity});
		await request(server, '/v1/search?q=%22');
		expect(requests).toMatchObject([
			{verb: 'REGISTER', peer: identity.id, argument: '127.0.0.1:4321', ok: true},
			{verb: 'SEARCH', peer: identity.id, argument: 'nothing', result: '0 hits', ok: true},
			{verb: 'SEARCH', peer: 'guest', argument: '"', result: 'bad-query', ok: false},
		]);
		expect(requests.every(({ms}) => ms > 0)).toBe(true);
		expect(server.app.stats()).toMatchObject({requests: 3, errors: 1});
	});
});
