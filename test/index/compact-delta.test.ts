// A peer that comes back with many files changed sends them in columns: over TLS, from a real catalog, to both stores.
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import {zstdCompressSync} from 'node:zlib';
import {afterEach, describe, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import type {CatalogChange, CatalogPoint} from '../../source/api/schemas.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {publish} from '../../source/index/client/publish.ts';
import {compactType, packCompact} from '../../source/index/compact-changes.ts';
import {MemoryStore} from '../../source/index/memory/memory-store.ts';
import {pathHash} from '../../source/index/path-hash.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import type {IndexStore} from '../../source/index/store.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import {tlsServerOptions} from '../../source/net/tls-options.ts';
import type {CatalogWriter} from '../../source/share/catalog.ts';
import {openCatalog} from '../../source/share/sqlite-catalog.ts';
import {countingRelay} from '../helpers/counting-relay.ts';
import {
	add,
	contentId,
	makePeer,
	request,
	startServer,
	type TestServer,
	temporaryFolder,
	until,
} from '../helpers/index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const perFolder = 500;
const content = (seed: string) => createHash('sha256').update(seed).digest('hex');
/** Sizes as files have them: some bytes to ten million, small ones as often as large ones. */
const sizeOf = (seed: string) => Math.floor(10 ** (2 + (Number.parseInt(content(seed).slice(0, 8), 16) / 2 ** 32) * 5));

/** A real catalog with files that are made up. */
class Shared {
	readonly catalog: CatalogWriter;
	readonly #folders: number[] = [];

	constructor(files: number) {
		const {folder, remove} = temporaryFolder();
		this.catalog = openCatalog(folder);
		cleanups.push(() => {
			this.catalog.close();
			remove();
		});
		const root = this.catalog.addShare('music', '/srv/music');
		for (let at = 0; at < files; at++) {
			const place = Math.floor(at / perFolder);
			this.#folders[place] ??= this.catalog.childFolder(root, `album ${place}`);
			this.put(at, 'first');
		}
		this.catalog.commit();
	}

	put(at: number, state: string, name = `track number ${at}.flac`): void {
		const seed = `${at} ${state}`;
		this.catalog.put({
			...{folder: this.#folders[Math.floor(at / perFolder)] ?? 0, name, size: sizeOf(seed)},
			...{content: content(seed), stamp: `170000000000000000.${createHash('sha1').update(seed).digest('hex')}.0`},
		});
	}

	remove(at: number): void {
		const folder = this.#folders[Math.floor(at / perFolder)] ?? 0;
		this.catalog.removeFile(this.catalog.file(folder, `track number ${at}.flac`)?.id ?? 0);
	}

	/** What a server must know of it. */
	state(): Map<string, string> {
		return new Map([...this.catalog.entries()].map(({path, size, content}) => [path, `${content} ${size}`]));
	}
}

/** What a store knows of peer 1. */
async function stateOf(store: IndexStore): Promise<Map<string, string>> {
	const state = new Map<string, string>();
	const walk = async (folder: string) => {
		for (let cursor: string | undefined, isFirst = true; isFirst || cursor; isFirst = false) {
			const page = await store.browse('1', folder, cursor === undefined ? {} : {cursor});
			for (const entry of page.entries) {
				if (entry.type === 'folder') await walk(entry.path);
				else state.set(entry.path, `${entry.content} ${entry.size}`);
			}
			cursor = page.cursor;
		}
	};
	await walk('');
	return state;
}

type World = {server: TestServer; identity: Identity; client: SecureClient; types: string[]};

/** A server over a store, and a registered peer. `types`: the media type of each upload that came. */
async function world(store: IndexStore): Promise<World> {
	const server = await startServer({store});
	cleanups.push(server.stop);
	const identity = await temporaryIdentity();
	const client = new SecureClient(identity);
	cleanups.push(() => client.close());
	const types: string[] = [];
	const body = JSON.stringify({name: 'alice', port: 4000, epoch: 'ab'.repeat(16), version: 0});
	const headers = {'content-type': 'application/json'};
	const answer = await request(server, '/v1/peers/me', {method: 'PUT', headers, body, identity});
	expect(answer.body).toMatchObject({number: 1, compact: true});
	return {server, identity, client, types};
}

/** Publishes and returns the server's answer; `types` gets the media types that were used. */
async function send(
	{server, client, types}: World,
	catalog: Parameters<typeof publish>[1]['catalog'],
	have: CatalogPoint | null,
	port = server.port,
) {
	const counted = new Proxy(client, {
		get(target, name) {
			const value = Reflect.get(target, name) as unknown;
			if (name !== 'json') return typeof value === 'function' ? value.bind(target) : value;
			return (...[to, call]: Parameters<SecureClient['json']>) => {
				types.push(call.headers?.['content-type'] ?? '');
				return target.json(to, call);
			};
		},
	});
	const target = {host: '127.0.0.1', port, id: server.identity.id};
	const options = {
		client: counted,
		target,
		catalog,
		stall: 60_000,
		compact: true,
		signal: new AbortController().signal,
	};
	const answer = await publish(have, options);
	if (!answer) throw new Error('there was nothing to send');
	return answer;
}

const stores: [name: string, make: () => Promise<IndexStore>][] = [
	[
		'memory',
		async () => {
			const store = new MemoryStore();
			await store.open();
			return store;
		},
	],
	[
		'sqlite',
		async () => {
			const {folder, remove} = temporaryFolder();
			const store = new SqliteStore(path.join(folder, 'index.db'));
			await store.open();
			cleanups.push(async () => {
				await store.close();
				remove();
			});
			return store;
		},
	],
];

describe.each(stores)('to the %s store', (_name, make) => {
	test('a hundredth of the files changed takes 40 bytes a file at most, all that is sent counted', async () => {
		const shared = new Shared(60_000);
		const there = await world(await make());
		const {have} = await send(there, shared.catalog, null);
		for (let at = 0; at < 60_000; at += 100) shared.put(at, 'second');
		shared.catalog.commit();
		const relay = await countingRelay(there.server.port);
		cleanups.push(relay.close);
		const answer = await send(there, shared.catalog, have, relay.port);
		// The handshake of a new connection is some 2 KB, as with anything.
		const handshake = 2200;
		expect((relay.sent() - handshake) / 600).toBeLessThanOrEqual(40);
		expect(answer).toMatchObject({files: 60_000, rejectedCount: 0, have: {version: shared.catalog.version}});
		expect(there.types).toEqual(['application/x-ndjson', compactType]);
		expect(await stateOf(there.server.store)).toEqual(shared.state());
	}, 600_000);

	test('changed, new, renamed and removed files, of which some came and went meanwhile', async () => {
		const shared = new Shared(3000);
		const there = await world(await make());
		const {have} = await send(there, shared.catalog, null);
		for (let at = 0; at < 1800; at += 2) shared.put(at, 'second');
		for (let at = 1; at < 200; at += 2) shared.remove(at);
		for (let at = 0; at < 200; at++) shared.put(at, 'new', `Ünew ${at} 写真.jpg`);
		// A file that the server never hears of, one that is new and changes, one that goes and comes back.
		shared.put(2999, 'late', 'brief.tmp');
		shared.put(2998, 'late', 'growing.log');
		shared.catalog.commit();
		shared.put(2998, 'later', 'growing.log');
		shared.put(1, 'back');
		for (let at = 0; at < 100; at += 2) shared.put(at, 'third');
		shared.catalog.commit();
		const answer = await send(there, shared.catalog, have);
		expect(there.types).toEqual(['application/x-ndjson', compactType]);
		expect(answer).toMatchObject({files: shared.catalog.files, bytes: shared.catalog.bytes, rejectedCount: 0});
		expect(await stateOf(there.server.store)).toEqual(shared.state());
	});

	test('where hashes meet, or the server has other files than thought, the peer sends lines', async () => {
		const shared = new Shared(20_000);
		const there = await world(await make());
		const {have} = await send(there, shared.catalog, null);
		for (let at = 0; at < 1200; at++) shared.put(at * 16, 'second');
		shared.catalog.commit();
		// As if it had few files, so that few bits are sent: some of the others meet them.
		const {catalog} = shared;
		const few = {
			...{epoch: catalog.epoch, version: catalog.version, files: 60, bytes: 0},
			canContinueFrom: catalog.canContinueFrom.bind(catalog),
			changesSince: catalog.changesSince.bind(catalog),
		};
		const answer = await send(there, few, have);
		expect(there.types).toEqual(['application/x-ndjson', compactType, 'application/x-ndjson']);
		expect(answer).toMatchObject({files: 20_000, rejectedCount: 0});
		expect(await stateOf(there.server.store)).toEqual(shared.state());
	});

	test('a path that is taken for another by its hash is found out, and nothing is taken in', async () => {
		const there = await world(await make());
		const {server, identity} = there;
		const known = 's/known.txt';
		const bits = 7;
		// Not on the server, with the hash of one that is.
		let twin = '';
		for (let at = 0; twin === ''; at++) if (pathHash(`s/${at}`, bits) === pathHash(known, bits)) twin = `s/${at}`;
		const epoch = 'ab'.repeat(16);
		const at = (from: number, to: number) => `/v1/peers/me/files?epoch=${epoch}&from=${from}&to=${to}`;
		const lines = {'content-type': 'application/x-ndjson'};
		const first = `${JSON.stringify(add(known, 'old', 5))}\n`;
		await request(server, at(0, 1), {method: 'POST', headers: lines, body: first, identity});
		const columns = {'content-type': `${compactType}; charset=binary`};
		const post = async (path: string) => {
			const change: CatalogChange = {op: 'add', path, size: 9, content: contentId('new')};
			const body = (await packCompact([change], new Set([path]), 1)) ?? Buffer.alloc(0);
			return request(server, at(1, 2), {method: 'POST', headers: columns, body, identity});
		};
		expect(await post(twin)).toMatchObject({status: 409, body: {code: 'ambiguous'}});
		expect(await stateOf(server.store)).toEqual(new Map([[known, `${contentId('old')} 5`]]));
		expect(await post(known)).toMatchObject({status: 200, body: {files: 1, bytes: 9, have: {version: 2}}});
		expect(await post(known)).toMatchObject({
			status: 409,
			body: {code: 'version-mismatch', details: {have: {version: 2}}},
		});
	});

	test('a new file that does not fit is named by its place and the rest is kept', async () => {
		const there = await world(await make());
		const changes = [add('s/good.txt'), add('../escape'), add('s/large', 'x', limits.fileSize), add('s/also good.txt')];
		const body = (await packCompact(changes, new Set(), 1)) ?? Buffer.alloc(0);
		body[body.lastIndexOf('also good')] = 0xff;
		const url = `/v1/peers/me/files?epoch=${'ab'.repeat(16)}&from=0&to=4`;
		const headers = {'content-type': compactType, 'content-encoding': 'zstd'};
		const {identity} = there;
		const answer = await request(there.server, url, {method: 'POST', headers, body: zstdCompressSync(body), identity});
		expect(answer).toMatchObject({status: 200, body: {files: 2, rejectedCount: 2, have: {version: 4}}});
		expect(answer.body.rejected.map((one: {line: number; code: string}) => [one.line, one.code])).toEqual([
			[2, 'bad-name'],
			[4, 'bad-request'],
		]);
	});

	test('bodies that are damaged, too long, bombs or of somebody unknown are refused', async () => {
		const {server, identity} = await world(await make());
		const url = `/v1/peers/me/files?epoch=${'ab'.repeat(16)}&from=0&to=4`;
		const post = (body: Buffer, encoding?: string, as = identity) =>
			request(server, url, {
				...{method: 'POST', body, identity: as},
				headers: {'content-type': compactType, ...(encoding && {'content-encoding': encoding})},
			});
		const good = (await packCompact([add('s/a')], new Set(), 1)) ?? Buffer.alloc(0);
		expect(await post(Buffer.from('P2PC'))).toMatchObject({status: 400, body: {code: 'bad-request'}});
		expect(await post(good.subarray(0, good.length - 1))).toMatchObject({status: 400, body: {code: 'bad-request'}});
		expect(await post(zstdCompressSync(good).subarray(0, 20), 'zstd')).toMatchObject({status: 400});
		const long = Buffer.alloc(limits.compactBytes + 1);
		expect(await post(long)).toMatchObject({status: 413, body: {code: 'too-large'}});
		expect(await post(zstdCompressSync(long), 'zstd')).toMatchObject({status: 413, body: {code: 'too-large'}});
		expect(await post(good, undefined, await temporaryIdentity())).toMatchObject({status: 404});
		expect((await post(good)).body).toMatchObject({files: 1});
	});
});

/** A server of another version: it registers peers and takes lines, and answers columns as it is told. */
async function oldServer(status = 415, code = 'bad-request') {
	const identity = await temporaryIdentity();
	const types: string[] = [];
	let have: CatalogPoint | null = null;
	const server = createServer(tlsServerOptions(identity), (call, answer) => {
		call.resume().on('end', () => {
			const json = (as: number, value: object) =>
				answer.writeHead(as, {'content-type': 'application/json'}).end(JSON.stringify(value));
			const url = new URL(call.url ?? '', 'https://x');
			if (url.pathname === '/v1/events') {
				answer.writeHead(200, {'content-type': 'text/event-stream'}).write(':\n\n');
				return;
			}
			if (call.method === 'PUT') return json(200, {number: 1, observed: {host: '127.0.0.1', port: 1}, have, lease: 15});
			if (call.method !== 'POST') return json(404, {code: 'not-found', message: 'There is none'});
			types.push(call.headers['content-type'] ?? '');
			if (call.headers['content-type'] !== 'application/x-ndjson')
				return json(status, {code, message: 'Not in this form'});
			have = {epoch: url.searchParams.get('epoch') ?? '', version: Number(url.searchParams.get('to'))};
			return json(200, {have, files: 1, bytes: 1, rejected: [], rejectedCount: 0});
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	cleanups.push(() => {
		server.closeAllConnections();
		server.close();
	});
	return {identity, types, port: (server.address() as AddressInfo).port};
}

describe('an old server', () => {
	const changes = (state: string) => Array.from({length: 900}, (_, i) => add(`s/${i}`, `${i} ${state}`));

	test('that says nothing of columns gets lines', async () => {
		const old = await oldServer();
		const peer = await makePeer(`127.0.0.1:${old.port}`, {files: changes('first')});
		cleanups.push(peer.stop);
		peer.index.start();
		await until('it has all', () => old.types.length === 1);
		for (const change of changes('second')) peer.catalog.change(change);
		peer.index.catalogChanged();
		await until('it has the changes', () => old.types.length === 2);
		expect(old.types).toEqual(['application/x-ndjson', 'application/x-ndjson']);
	});

	test.each([
		[415, 'bad-request'],
		[413, 'too-large'],
	])('that answers %i gets the same as lines', async (status, code) => {
		const old = await oldServer(status, code);
		const shared = new Shared(1000);
		const client = new SecureClient(await temporaryIdentity());
		cleanups.push(() => client.close());
		const there = {server: {identity: old.identity, port: old.port}, client, types: []} as unknown as World;
		const {have} = await send(there, shared.catalog, null);
		for (let at = 0; at < 700; at++) shared.put(at, 'second');
		shared.catalog.commit();
		await send(there, shared.catalog, have);
		expect(old.types).toEqual(['application/x-ndjson', compactType, 'application/x-ndjson']);
	});
});

test('a running peer sends columns when many of its files have changed, and is found by the new ones', async () => {
	const store = new MemoryStore();
	const server = await startServer({store});
	cleanups.push(server.stop);
	const files = (state: string) => Array.from({length: 1500}, (_, i) => add(`s/${i}.txt`, `${i} ${state}`));
	const peer = await makePeer(server.address, {files: files('first')});
	cleanups.push(peer.stop);
	peer.index.start();
	await until('it is online', () => peer.index.link().state === 'online');
	let asked = 0;
	const find = store.findPaths.bind(store);
	store.findPaths = (...values) => {
		asked++;
		return find(...values);
	};
	for (const change of files('second')) peer.catalog.change(change);
	peer.index.catalogChanged();
	await until(
		'all is known',
		async () => (await stateOf(store)).get('s/1499.txt')?.startsWith(contentId('1499 second')) === true,
	);
	expect(asked).toBe(1);
});
