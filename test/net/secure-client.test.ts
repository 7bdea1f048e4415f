import {execFile} from 'node:child_process';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {createServer as createHttpsServer} from 'node:https';
import {createServer, type Server} from 'node:net';
import {promisify} from 'node:util';
import Fastify from 'fastify';
import {describe, expect, onTestFinished, test, vi} from 'vitest';
import {z} from 'zod';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {isLoopback, listen, plainHost} from '../../source/net/listen.ts';
import {remotePeerId} from '../../source/net/remote-id.ts';
import {probeIdentity, SecureClient} from '../../source/net/secure-client.ts';
import {tlsServerOptions} from '../../source/net/tls-options.ts';

const whoSchema = z.object({you: z.string()});

/** A real HTTPS server that tells each caller the peer ID that they proved. */
async function whoServer() {
	const identity = await temporaryIdentity();
	const app = Fastify({https: tlsServerOptions(identity)});
	let requests = 0;
	app.get('/who', async request => {
		requests++;
		return {you: remotePeerId(request.raw.socket) ?? 'guest'};
	});
	app.get('/busy', async (_, reply) =>
		reply.code(503).send({code: 'busy', message: 'All slots are taken', details: {position: 3}}),
	);
	app.get('/html', async (_, reply) => reply.type('text/html').send('<p>hello'));
	app.get('/huge', async () => ({you: 'x'.repeat(20 * 1024 * 1024)}));
	const address = await listen(app, {host: '127.0.0.1', defaultPort: 0});
	onTestFinished(() => app.close());
	return {identity, address, target: {...address, id: identity.id}, requests: () => requests};
}

/** Answers as it is told to. `seen`: the methods of what came. */
async function rawServer(answer: (request: IncomingMessage, response: ServerResponse) => void) {
	const identity = await temporaryIdentity();
	const seen: string[] = [];
	const server = createHttpsServer(tlsServerOptions(identity), (request, response) => {
		seen.push(request.method ?? '');
		answer(request, response);
	});
	const port = await listening(server);
	onTestFinished(() => server.closeAllConnections());
	return {target: {host: '127.0.0.1', port, id: identity.id}, seen};
}

async function clientOf(identity: Awaited<ReturnType<typeof temporaryIdentity>>) {
	const client = new SecureClient(identity);
	onTestFinished(() => client.close());
	return client;
}

async function listening(server: Server): Promise<number> {
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => void server.close());
	return (server.address() as {port: number}).port;
}

describe('SecureClient', () => {
	test('both ends know whom they talk to', async () => {
		const server = await whoServer();
		const me = await temporaryIdentity();
		const client = await clientOf(me);
		expect(await client.json(server.target, {path: '/who', schema: whoSchema})).toEqual({you: me.id});
		expect(await probeIdentity(me, server.address)).toBe(server.identity.id);
	});

	test('another key at the address is refused before a request is sent', async () => {
		const server = await whoServer();
		const me = await temporaryIdentity();
		const client = await clientOf(me);
		const call = client.json({...server.address, id: me.id}, {path: '/who', schema: whoSchema});
		await expect(call).rejects.toMatchObject({code: 'wrong-peer', exitCode: 6});
		expect(server.requests()).toBe(0);
	});

	test("the other side's error comes through with its code and details", async () => {
		const server = await whoServer();
		const client = await clientOf(await temporaryIdentity());
		await expect(client.json(server.target, {path: '/busy', schema: whoSchema})).rejects.toMatchObject({
			code: 'busy',
			message: 'All slots are taken',
			details: {position: 3},
		});
	});

	test('answers that are no JSON, of another shape or endless are refused', async () => {
		const server = await whoServer();
		const client = await clientOf(await temporaryIdentity());
		await expect(client.json(server.target, {path: '/html', schema: whoSchema})).rejects.toMatchObject({
			code: 'bad-request',
		});
		await expect(client.json(server.target, {path: '/who', schema: z.object({me: z.string()})})).rejects.toMatchObject({
			code: 'bad-request',
		});
		await expect(client.json(server.target, {path: '/huge', schema: whoSchema})).rejects.toMatchObject({
			code: 'too-large',
		});
	});

	test('nobody there, somebody else there, and an abort each say what happened', async () => {
		const me = await temporaryIdentity();
		const client = await clientOf(me);
		const silent = await listening(createServer(socket => socket.on('error', () => undefined)));
		const plain = await listening(createServer(socket => socket.on('error', () => undefined).end('220 smtp\r\n')));
		const gone = createServer();
		const free = await listening(gone);
		await new Promise(resolve => gone.close(resolve));
		const at = (port: number) => ({host: '127.0.0.1', port, id: me.id});
		await expect(client.json(at(free), {path: '/', schema: whoSchema})).rejects.toMatchObject({
			code: 'unreachable',
			message: `Cannot reach 127.0.0.1:${free}: nothing listens there`,
		});
		await expect(probeIdentity(me, at(plain))).rejects.toMatchObject({code: 'unreachable'});
		const stop = AbortSignal.abort(new Error('enough'));
		await expect(probeIdentity(me, at(silent), stop)).rejects.toThrow('enough');
	});

	test('a call that a kept connection swallowed as it closed is made again, unless it may have had an effect', async () => {
		const {target, seen} = await rawServer(({url, socket}, response) => {
			const calls = (socket as {calls?: number}).calls ?? 0;
			(socket as {calls?: number}).calls = calls + 1;
			if (url === '/who' && calls > 0) socket.destroy();
			else response.end('{"you":"x"}');
		});
		const client = await clientOf(await temporaryIdentity());
		const call = {path: '/who', schema: whoSchema};
		await client.json(target, call);
		expect(await client.json(target, call)).toEqual({you: 'x'});
		expect(seen).toEqual(['GET', 'GET', 'GET']);
		const post = client.json(target, {...call, method: 'POST', body: {}});
		await expect(post).rejects.toMatchObject({code: 'unreachable'});
		expect(seen).toEqual(['GET', 'GET', 'GET', 'POST']);
	});

	test('no more calls run at once than it has connections; those that wait can be given up', async () => {
		const held: (() => void)[] = [];
		const {target, seen} = await rawServer((_, response) => {
			held.push(() => response.end('{"you":"x"}'));
		});
		const client = new SecureClient(await temporaryIdentity(), {connections: 2});
		onTestFinished(() => client.close());
		const given = new AbortController();
		const call = (signal?: AbortSignal) => client.json(target, {path: '/', schema: whoSchema, ...(signal && {signal})});
		const first = [call(), call()];
		const waiting = call(given.signal);
		const last = call();
		await vi.waitFor(() => expect(held).toHaveLength(2), {timeout: 10_000});
		given.abort(new Error('enough'));
		await expect(waiting).rejects.toThrow('enough');
		for (const answer of held.splice(0)) answer();
		await Promise.all(first);
		await vi.waitFor(() => expect(held).toHaveLength(1), {timeout: 10_000});
		for (const answer of held.splice(0)) answer();
		expect(await last).toEqual({you: 'x'});
		expect(seen).toHaveLength(3);
	});

	test('a guest without a key is served as one', async () => {
		const server = await whoServer();
		const {stdout} = await promisify(execFile)('curl', ['-sk', `https://127.0.0.1:${server.address.port}/who`]);
		expect(JSON.parse(stdout)).toEqual({you: 'guest'});
	});
});

describe('listen', () => {
	const app = async () => {
		const fastify = Fastify();
		onTestFinished(() => fastify.close());
		return fastify;
	};

	test('a default port that is taken gives way to a free one and says so; a port asked for does not', async () => {
		const taken = await listening(createServer());
		const moved = await listen(await app(), {host: '127.0.0.1', defaultPort: taken});
		expect(moved.movedFrom).toBe(taken);
		expect(moved.port).not.toBe(taken);
		await expect(listen(await app(), {host: '127.0.0.1', port: taken, defaultPort: 1})).rejects.toMatchObject({
			code: 'port-taken',
			hint: expect.stringContaining('--port'),
		});
	});

	test("an address that is not this machine's is wrong usage", async () => {
		await expect(listen(await app(), {host: '192.0.2.1', port: 0, defaultPort: 0})).rejects.toMatchObject({
			code: 'usage',
		});
	});

	test('addresses are shown in their plain form', () => {
		expect([plainHost('::ffff:10.0.0.5'), plainHost('fe80::1')]).toEqual(['10.0.0.5', 'fe80::1']);
		expect(['127.0.0.1', '::1', '::ffff:127.0.0.9', '10.0.0.1', '128.0.0.1'].map(isLoopback)).toEqual([
			true,
			true,
			true,
			false,
			false,
		]);
	});
});
