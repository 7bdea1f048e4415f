import {createServer as createPlainServer} from 'node:net';
import {createServer, type Server} from 'node:tls';
import {afterEach, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import type {PeerInfo} from '../../source/api/schemas.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {candidateAddresses, mayTry, Reachability} from '../../source/index/reachability.ts';
import {tlsServerOptions} from '../../source/net/tls-options.ts';
import {add, contentId, makePeer, request, startServer, until} from '../helpers/index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A peer's port, which shows a key and says nothing. */
async function listener(identity: Identity, host = '127.0.0.1'): Promise<number> {
	const server: Server = createServer(tlsServerOptions(identity), socket => socket.on('error', () => undefined));
	await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
	cleanups.push(() => server.close());
	return (server.address() as {port: number}).port;
}

async function closedPort(): Promise<number> {
	const port = await listener(await temporaryIdentity());
	await cleanups.pop()?.();
	return port;
}

const epoch = 'ab'.repeat(16);

test('a peer that answers at its port has no problem; one that does not, or is another, is told', async () => {
	const server = await startServer();
	cleanups.push(server.stop);
	const identity = await temporaryIdentity();
	const register = async (port: number) => {
		const body = JSON.stringify({name: 'x', port, epoch, version: 0});
		const headers = {'content-type': 'application/json'};
		return (await request(server, '/v1/peers/me', {method: 'PUT', identity, headers, body})).body;
	};
	const closed = await closedPort();
	expect(await register(closed)).toMatchObject({number: 1});
	await until('it is told', async () => (await register(closed)).problem !== undefined);
	expect((await register(closed)).problem).toBe(`others will not reach port ${closed}: nothing listens there`);
	const others = await listener(await temporaryIdentity());
	await until('it is told', async () => (await register(others)).problem?.includes('another peer answers there'));
	const own = await listener(identity);
	const seen: unknown[] = [];
	server.bus.on('log', line => seen.push(line));
	for (let i = 0; i < 20; i++) expect((await register(own)).problem).toBeUndefined();
	expect(seen).toEqual([]);
});

test('sources name the announced address that works', async () => {
	const server = await startServer();
	cleanups.push(server.stop);
	const identity = await temporaryIdentity();
	const [works, closed] = [await listener(identity), await closedPort()];
	const addresses = [`127.0.0.1:${closed}`, `127.0.0.1:${works}`];
	await server.store.register({id: identity.id, name: 'x', host: 'h', port: 1});
	async function* files() {
		yield [add('s/a.txt', 'a')];
	}
	await server.store.applyChanges(identity.id, {epoch, from: 0, to: 1}, files());
	const body = JSON.stringify({name: 'x', port: closed, addresses, epoch, version: 1});
	const register = () =>
		request(server, '/v1/peers/me', {method: 'PUT', identity, headers: {'content-type': 'application/json'}, body});
	expect((await register()).body.observed.port).toBe(closed);
	const peer = async (): Promise<PeerInfo> => (await request(server, '/v1/peers/1')).body;
	await until('the working one is named', async () => (await peer()).port === works);
	await register();
	expect(await peer()).toMatchObject({host: '127.0.0.1', port: works, addresses});
	expect((await request(server, `/v1/files/${contentId('a')}`)).body.sources).toMatchObject([{port: works}]);
});

const hasIpv6 = await listener(await temporaryIdentity(), '::1').then(
	() => cleanups.pop()?.() ?? true,
	() => false,
);

test.skipIf(!hasIpv6)(
	'over IPv6 as well: a peer that answers is named with its address, one that does not is told',
	async () => {
		const server = await startServer({host: '::1'});
		cleanups.push(server.stop);
		const identity = await temporaryIdentity();
		const [works, closed] = [await listener(identity, '::1'), await closedPort()];
		const register = async (port: number, addresses: string[] = []) => {
			const body = JSON.stringify({name: 'x', port, addresses, epoch, version: 0});
			const headers = {'content-type': 'application/json'};
			return (await request(server, '/v1/peers/me', {host: '::1', method: 'PUT', identity, headers, body})).body;
		};
		expect((await register(closed)).observed).toEqual({host: '::1', port: closed});
		await until('it is told', async () => (await register(closed)).problem !== undefined);
		expect((await register(closed)).problem).toBe(`others will not reach port ${closed}: nothing listens there`);
		// Of several addresses, of both families, the one that works is named.
		const addresses = [`127.0.0.1:${closed}`, `[::1]:${works}`];
		await register(closed, addresses);
		const peer = async (): Promise<PeerInfo> => (await request(server, '/v1/peers/1', {host: '::1'})).body;
		await until('the working one is named', async () => (await peer()).port === works);
		expect(await peer()).toMatchObject({host: '::1', port: works});
		expect((await register(closed, addresses)).problem).toBeUndefined();
	},
);

test('a client tells the problem once', async () => {
	const server = await startServer({leaseSeconds: 0.3});
	cleanups.push(server.stop);
	const alice = await makePeer(server.address, {port: await closedPort()});
	cleanups.push(alice.stop);
	const lines: string[] = [];
	alice.bus.on('log', ({message}) => lines.push(message));
	const renewals: string[] = [];
	server.bus.on('request', ({verb}) => verb === 'RENEW' && renewals.push(verb));
	alice.index.start();
	await until('it is told and renewed', () => lines.length > 0 && renewals.length > 5);
	expect(lines).toHaveLength(1);
	expect(lines[0]).toContain('nothing listens there');
});

test('addresses are taken once, in order, and without those that are none', () => {
	const observed = {host: '::1', port: 25_000};
	expect(
		candidateAddresses(observed, undefined, [
			...['[::1]:25000', '[fe80::1]:25000', '10.0.0.5:26000', 'not an address', 'host:99999', 'example.org:80'],
			...['0.0.0.0:80', '[ff02::1]:5', '10.0.0.5:26000', '[::ffff:10.0.0.6]:7'],
		]),
	).toEqual([observed, {host: '10.0.0.5', port: 26_000}, {host: '10.0.0.6', port: 7}]);
	// Only on this machine is loopback an address; a single chosen one is the only one.
	expect(candidateAddresses({host: '10.0.0.1', port: 5}, undefined, ['127.0.0.1:22'])).toEqual([
		{host: '10.0.0.1', port: 5},
	]);
	expect(candidateAddresses({host: '10.0.0.1', port: 5}, '10.9.9.9', ['10.0.0.2:5'])).toEqual([
		{host: '10.9.9.9', port: 5},
	]);
	expect(candidateAddresses({host: '10.0.0.1', port: 5}, '127.0.0.1', [])).toEqual([{host: '10.0.0.1', port: 5}]);
});

test('the server cannot be made to look around: few tries elsewhere, whoever asks, and nothing told of them', async () => {
	const server = await startServer();
	cleanups.push(server.stop);
	let connections = 0;
	const victim = createPlainServer(socket => {
		connections++;
		socket.destroy();
	});
	await new Promise<void>(resolve => victim.listen(0, '127.0.0.2', resolve));
	cleanups.push(() => victim.close());
	const {port} = victim.address() as {port: number};
	const problems: unknown[] = [];
	for (let i = 0; i < 2 * limits.triesElsewhere.burst; i++) {
		const identity = await temporaryIdentity();
		const body = JSON.stringify({name: 'x', port: 1, addresses: [`127.0.0.2:${port}`], epoch, version: 0});
		const headers = {'content-type': 'application/json'};
		const register = () => request(server, '/v1/peers/me', {method: 'PUT', identity, headers, body});
		await register();
		await until('it was tried', async () => {
			const {problem} = (await register()).body;
			if (problem) problems.push(problem);
			return problem !== undefined;
		});
	}
	expect(connections).toBeLessThanOrEqual(limits.triesElsewhere.burst + 3);
	expect(connections).toBeGreaterThan(3);
	// Of its own address a peer learns what is wrong; of the other one nothing, whether it was tried or not.
	expect(new Set(problems)).toEqual(new Set(['others will not reach port 1: nothing listens there']));
});

test('one peer has few tries, at whatever ports it says it listens', async () => {
	const tried: number[] = [];
	const reachability = new Reachability(await temporaryIdentity(), () => undefined);
	cleanups.push(() => reachability.close());
	const closed = await closedPort();
	for (let port = closed; port < closed + 100; port++) {
		reachability.check({id: 'a', from: '127.0.0.1', addresses: [{host: '127.0.0.1', port}]});
		await until('the try is over', () => {
			const reached = reachability.check({id: 'a', from: '127.0.0.1', addresses: [{host: '127.0.0.1', port}]});
			if (reached) tried.push(port);
			return reached !== undefined || tried.length >= limits.triesPerPeer.burst;
		});
	}
	expect(tried.length).toBeLessThanOrEqual(limits.triesPerPeer.burst + 2);
});

test('what may be tried on the word of somebody elsewhere', () => {
	expect(mayTry('127.0.0.1', '10.0.0.5')).toBe(false);
	expect(mayTry('127.0.0.1', '127.0.0.1')).toBe(true);
	expect(mayTry('192.168.0.1', '8.8.8.8')).toBe(false);
	expect(mayTry('192.168.0.1', '10.0.0.5')).toBe(true);
	expect(mayTry('9.9.9.9', '8.8.8.8')).toBe(true);
});
