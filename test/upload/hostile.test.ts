import {connect as tcpConnect} from 'node:net';
import {connect, type TLSSocket} from 'node:tls';
import {expect, onTestFinished, test} from 'vitest';
import {errorBodySchema} from '../../source/api/schemas.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {type TlsIdentity, tlsOptions} from '../../source/net/tls-options.ts';
import {createUploadServer} from '../../source/upload/upload-server.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

function connectTo(port: number, identity?: TlsIdentity): TLSSocket {
	const socket = connect({host: '127.0.0.1', port, rejectUnauthorized: false, ...(identity && tlsOptions(identity))});
	socket.on('error', () => undefined);
	onTestFinished(() => void socket.destroy());
	return socket;
}

/** All that comes until the other side hangs up. */
function everything(socket: TLSSocket): Promise<string> {
	return new Promise(resolve => {
		let text = '';
		socket.on('data', part => {
			text += part.toString('latin1');
		});
		socket.once('close', () => resolve(text));
	});
}

test('who stops reading is dropped, and the upload ends; who only reads slowly is not', async () => {
	const {catalog, port, events, bugs} = await uploadServer({times: {bodyTimeout: 400, sessionIdle: 100}});
	const bytes = someBytes(24_000_000);
	const {content} = await catalog.write('1.bin', bytes);
	const identity = await temporaryIdentity();
	const stuck = connectTo(port, identity);
	stuck.write(`GET /v1/files/${content} HTTP/1.1\r\nHost: x\r\n\r\n`);
	const slow = connectTo(port);
	slow.write(`GET /v1/files/${content} HTTP/1.1\r\nHost: x\r\n\r\n`);
	let received = 0;
	let slowEnded = false;
	slow.once('close', () => {
		slowEnded = true;
	});
	// Takes far longer than the time-out in all, and never that long for a part.
	const started = performance.now();
	const steady = setInterval(() => {
		received += (slow.read() as Buffer | null)?.length ?? 0;
	}, 3);
	onTestFinished(() => clearInterval(steady));
	const dropped = waitFor('the stuck one to be dropped', () => events.find(({event}) => event === 'upload-failed'));
	await waitFor('the slow one to have all', () => received >= bytes.length);
	expect(performance.now() - started).toBeGreaterThan(800);
	expect(await dropped).toMatchObject({peer: identity.id, message: expect.stringMatching(/^broken off at \d+%/)});
	expect(slowEnded).toBe(false);
	expect(bugs).toEqual([]);
});

test('what is not HTTP, or too long, gets an answer in the common form and is hung up on', async () => {
	const {port} = await uploadServer();
	const attempts = [
		['\x16\x03nonsense\r\n\r\n', 400],
		[`GET /v1 HTTP/1.1\r\nHost: x\r\nRange: bytes=${'0-1,'.repeat(10_000)}\r\n\r\n`, 431],
		['GET /v1 HTTP/1.1\r\n\r\n', 400],
	] as const;
	for (const [text, status] of attempts) {
		const socket = connectTo(port);
		socket.write(text, 'latin1');
		const answer = await everything(socket);
		expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
		if (status === 431) errorBodySchema.parse(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''));
	}
	// Still there for others.
	expect((await fetchFrom(port, '/v1')).status).toBe(200);
});

test('methods and bodies that nobody asked for do no harm', async () => {
	const {catalog, port, bugs} = await uploadServer();
	const {content} = await catalog.write('1.txt', 'text');
	for (const method of ['PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS']) {
		expect((await fetchFrom(port, `/v1/files/${content}`, {method})).status).toBe(404);
	}
	const socket = connectTo(port);
	socket.write(`GET /v1/files/${content} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbody!`);
	socket.write(`GET /v1/files/${content} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
	const answer = await everything(socket);
	expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
	expect(bugs).toEqual([]);
});

test('stopping ends idle and half-open connections at once, and running answers after a short grace', async () => {
	const {server, catalog, port, events} = await uploadServer({limit: 100_000});
	const {content} = await catalog.write('1.bin', someBytes(10_000_000));
	const idle = connectTo(port);
	idle.write('GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n');
	await new Promise(resolve => idle.once('data', resolve));
	const running = connectTo(port);
	running.write(`GET /v1/files/${content} HTTP/1.1\r\nHost: x\r\n\r\n`);
	await new Promise(resolve => running.once('data', resolve));
	// Connected, and silent before TLS has begun.
	const silent = tcpConnect(port, '127.0.0.1');
	silent.on('error', () => undefined);
	await new Promise(resolve => silent.once('connect', resolve));
	const closed = [idle, running, silent].map(socket => new Promise(resolve => socket.once('close', resolve)));
	running.resume();
	idle.resume();
	silent.resume();
	const before = performance.now();
	await server.stop();
	expect(performance.now() - before).toBeLessThan(10_000);
	await Promise.all(closed);
	expect(events.at(-1)?.event).toBe('upload-failed');
	await expect(fetchFrom(port, '/v1')).rejects.toThrow('ECONNREFUSED');
	await server.stop();
});

test('an answer that is short of its end is still sent when stopping', async () => {
	const {server, catalog, port} = await uploadServer({limit: 100_000});
	const bytes = someBytes(100_000);
	const {content} = await catalog.write('1.bin', bytes);
	const answer = fetchFrom(port, `/v1/files/${content}`);
	await waitFor('the upload to run', () => server.totals().sent > 0);
	const stopped = server.stop();
	server.setLimit(undefined);
	expect((await answer).body.equals(bytes)).toBe(true);
	await stopped;
});

test('a port that is taken is an error when it was asked for', async () => {
	const {port} = await uploadServer();
	const other = await uploadServer();
	await other.server.stop();
	const second = createUploadServer({
		identity: other.identity,
		name: 'b',
		version: '1',
		catalog: other.catalog,
		bus: other.bus,
	});
	await expect(second.start({host: '127.0.0.1', port, defaultPort: 0})).rejects.toMatchObject({code: 'port-taken'});
	const moved = await second.start({host: '127.0.0.1', defaultPort: port});
	expect(moved).toMatchObject({movedFrom: port, host: '127.0.0.1'});
	await second.stop();
});
