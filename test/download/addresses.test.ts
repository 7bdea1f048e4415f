// Peers with several addresses: the first that proves the right key is used, and dead ones cost a moment.
import {randomBytes} from 'node:crypto';
import {createServer, type Server, type Socket} from 'node:net';
import {expect, onTestFinished, test} from 'vitest';
import {peerNodeInfoSchema} from '../../source/api/schemas.ts';
import {EngineBus} from '../../source/core/events.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import {createUploadServer} from '../../source/upload/upload-server.ts';
import {contentOf, downloader, piece, wireSource} from '../helpers/download.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {TestCatalog} from '../helpers/upload.ts';

const bytes = randomBytes(5 * piece + 3);
const {content} = contentOf(bytes);

/** Accepts connections and never says a word, as a firewall that swallows everything looks to TLS. */
async function silence(): Promise<{port: number; connections: () => number}> {
	const sockets: Socket[] = [];
	const server: Server = createServer(socket => sockets.push(socket.on('error', () => undefined)));
	await new Promise<void>(resolve => server.listen(0, '127.0.0.2', resolve));
	onTestFinished(async () => {
		for (const socket of sockets) socket.destroy();
		await new Promise(resolve => server.close(resolve));
	});
	return {port: (server.address() as {port: number}).port, connections: () => sockets.length};
}

test('a download gets through to the one address that answers', async () => {
	const [dead, honest] = [await silence(), await wireSource(bytes)];
	const {manager} = await downloader();
	const {port} = honest.source;
	const addresses = [`127.0.0.2:${dead.port}`, `[::1]:${port}`, `127.0.0.1:${port}`];
	const source = {...honest.source, host: '127.0.0.2', port: dead.port, addresses};
	const started = performance.now();
	const {key} = await manager.add({content, name: 'x', size: bytes.length, sources: [source]});
	await manager.finished(key);
	expect(performance.now() - started).toBeLessThan(4500);
	expect(dead.connections()).toBeGreaterThan(0);
	expect(honest.calls.length).toBeGreaterThan(0);
});

test('another peer at one of the addresses is passed over', async () => {
	const [other, honest] = [await wireSource(bytes), await wireSource(bytes)];
	const {manager} = await downloader();
	const addresses = [`127.0.0.1:${honest.source.port}`];
	const source = {...honest.source, port: other.source.port, addresses};
	const {key} = await manager.add({content, name: 'x', size: bytes.length, sources: [source]});
	expect((await manager.finished(key)).sources).toEqual([honest.source.peer]);
	expect(other.calls).toEqual([]);
	expect(other.layers()).toBe(0);
});

test('a call finds a peer over IPv6 when that is where it is', async () => {
	const dead = await silence();
	const identity = await temporaryIdentity();
	const catalog = new TestCatalog(await tempFolder());
	const six = createUploadServer({identity, name: 'six', version: '1', catalog, bus: new EngineBus()});
	const address = await six.start({host: '::1', port: 0, defaultPort: 0});
	onTestFinished(() => six.stop());
	const client = new SecureClient(await temporaryIdentity());
	onTestFinished(() => client.close());
	const addresses = [`127.0.0.1:${address.port}`, `[::1]:${address.port}`];
	const target = {id: identity.id, host: '127.0.0.2', port: dead.port, addresses};
	expect(await client.json(target, {path: '/v1', schema: peerNodeInfoSchema})).toMatchObject({name: 'six'});
});
