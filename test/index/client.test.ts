import {createServer} from 'node:net';
import path from 'node:path';
import {afterEach, expect, test} from 'vitest';
import type {EngineEvents} from '../../source/core/events.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {
	add,
	contentId,
	makePeer,
	startServer,
	TestCatalog,
	type TestPeer,
	temporaryFolder,
	until,
} from '../helpers/index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function server(options: Parameters<typeof startServer>[0] = {}) {
	const started = await startServer(options);
	cleanups.push(started.stop);
	return started;
}

async function peer(...args: Parameters<typeof makePeer>) {
	const made = await makePeer(...args);
	cleanups.push(made.stop);
	return made;
}

const online = (one: TestPeer) => until('it is online', () => one.index.link().state === 'online');

function heard<K extends keyof EngineEvents>(one: TestPeer, name: K): EngineEvents[K][] {
	const list: EngineEvents[K][] = [];
	one.bus.on(name, event => list.push(event));
	return list;
}

test('registers, is found, and tells what changed', async () => {
	const {address, store} = await server();
	const alice = await peer(address, {name: 'alice', files: [add('s/1.txt', 'one', 3), add('s/2.txt', 'two', 4)]});
	const registered = heard(alice, 'registered');
	alice.index.start();
	await online(alice);
	expect(registered).toEqual([{server: address, number: 1, files: 2, bytes: 7}]);
	expect(alice.index.link()).toMatchObject({address, state: 'online', number: 1});

	const guest = await peer(address);
	const {hits} = await guest.index.search('name:1.txt');
	expect(hits).toMatchObject([
		{name: '1.txt', size: 3, sources: [{peer: alice.identity.id, path: 's/1.txt', port: 25_000}]},
	]);
	expect(await guest.index.sources(contentId('one'))).toMatchObject({sourceCount: 1});
	expect((await guest.index.browse('alice', {path: 's'})).entries).toHaveLength(2);
	expect((await guest.index.peers()).peers).toMatchObject([{name: 'alice', online: true}]);
	expect(await guest.index.peer('1')).toMatchObject({id: alice.identity.id});
	expect(await guest.index.info()).toMatchObject({kind: 'server', peers: 1});

	alice.catalog.change({op: 'remove', path: 's/1.txt'});
	alice.catalog.change(add('s/new.txt', 'new', 10));
	alice.index.catalogChanged();
	await until('the change arrived', async () => (await store.counts()).bytes === 14);
	await until('the peer heard', () => registered.length > 1);
	expect(registered.at(-1)).toEqual({server: address, number: 1, files: 2, bytes: 14});
});

test('sends everything first, then only what changed, then nothing', async () => {
	const {address, bus} = await server();
	const published: string[] = [];
	bus.on('request', ({verb, argument}) => verb === 'PUBLISH' && published.push(argument));
	const files = Array.from({length: 5000}, (_, i) => add(`s/file ${i}.txt`, i));
	const alice = await peer(address, {files});
	alice.index.start();
	await online(alice);
	alice.catalog.change(add('s/more.txt'));
	alice.index.catalogChanged();
	await until('the change was sent', () => published.length === 2);
	await alice.index.stop();
	alice.index.start();
	await until('it is back', async () => (await alice.index.info()).online === 1);
	expect(published).toEqual(['+5000 -0 files', '+1 -0 files']);
});

test('finds its way back when epochs or versions disagree', async () => {
	const {address, store} = await server();
	const alice = await peer(address, {files: [add('s/a.txt'), add('s/b.txt')]});
	alice.index.start();
	await online(alice);
	await alice.index.stop();

	// The catalog was rebuilt.
	const rebuilt = new TestCatalog([add('s/b.txt'), add('s/c.txt')]);
	rebuilt.epoch = '77'.repeat(16);
	const second = await peer(address, {identity: alice.identity, catalog: rebuilt});
	second.index.start();
	await online(second);
	expect((await second.index.search('txt')).hits.map(hit => hit.name).sort()).toEqual(['b.txt', 'c.txt']);
	await second.index.stop();

	// An older copy of it came back: its versions are behind.
	const older = new TestCatalog([add('s/old.txt')]);
	older.epoch = rebuilt.epoch;
	const third = await peer(address, {identity: alice.identity, catalog: older});
	third.index.start();
	await online(third);
	expect((await third.index.search('txt')).hits.map(hit => hit.name)).toEqual(['old.txt']);

	// Somebody else wrote under the same key meanwhile.
	async function* other() {
		yield [add('s/other.txt')];
	}
	await store.applyChanges(alice.identity.id, {epoch: '99'.repeat(16), from: 0, to: 5}, other());
	older.change(add('s/newest.txt'));
	third.index.catalogChanged();
	await until('it healed', async () => (await third.index.search('newest')).total === 1);
	expect((await third.index.search('txt')).hits.map(hit => hit.name).sort()).toEqual(['newest.txt', 'old.txt']);
	expect(third.index.link().state).toBe('online');
});

test('is told who comes and goes, and keeps the list', async () => {
	const {address} = await server();
	const alice = await peer(address, {name: 'alice'});
	const joined = heard(alice, 'peer-joined');
	const left = heard(alice, 'peer-left');
	alice.index.start();
	await online(alice);
	const bob = await peer(address, {name: 'bob', files: [add('s/b.txt')]});
	bob.index.start();
	await until('alice hears', () => joined.length === 1);
	expect(joined).toMatchObject([{id: bob.identity.id, number: 2, name: 'bob', files: 1}]);
	await until('both are listed', () => alice.index.livePeers().filter(one => one.online).length === 2);
	await bob.index.stop();
	await until('alice hears', () => left.length === 1);
	expect(alice.index.livePeers()).toMatchObject([
		{name: 'alice', online: true},
		{name: 'bob', online: false},
	]);
});

test('tells which contents it holds parts of, as long as it is online, and again after a reconnect', async () => {
	const {address, identity, port, stop} = await startServer();
	const [alice, bob] = [
		await peer(address, {name: 'alice', files: [add('s/a.bin', 'a', 9)]}),
		await peer(address, {name: 'bob'}),
	];
	for (const one of [alice, bob]) one.index.start();
	for (const one of [alice, bob]) await online(one);
	bob.index.setPartials([
		{content: contentId('a'), size: 9},
		{content: contentId('b'), size: 5},
	]);
	const sources = async (content: string) =>
		(await alice.index.sources(contentId(content)).catch(() => undefined))?.sources.map(one => [one.name, one.partial]);
	await until('both are told', async () => (await sources('b')) !== undefined);
	expect(await sources('a')).toEqual([
		['alice', undefined],
		['bob', true],
	]);
	expect(await alice.index.sources(contentId('b'))).toMatchObject({size: 5, sourceCount: 0, sources: [{path: ''}]});
	expect((await alice.index.search('a.bin')).hits).toMatchObject([{sourceCount: 1, sources: [{name: 'alice'}]}]);

	bob.index.setPartials([{content: contentId('b'), size: 5}]);
	await until('the first is taken back', async () => (await sources('a'))?.length === 1);
	await stop();
	await until('it is lost', () => bob.index.link().state === 'lost');
	const again = await server({identity, port});
	for (const one of [alice, bob]) await online(one);
	await until('it is told again', async () => (await sources('b'))?.length === 1);
	await bob.index.stop();
	await until('it went', async () => (await sources('b')) === undefined);
	expect(again.app.stats().errors).toBeGreaterThan(0);
});

test('comes back by itself after the server restarted: same number, files still there', async () => {
	const {folder, remove} = temporaryFolder();
	cleanups.push(remove);
	const file = path.join(folder, 'index.db');
	const store = new SqliteStore(file);
	await store.open();
	const first = await startServer({store});
	const other = await peer(first.address, {name: 'first'});
	other.index.start();
	await online(other);
	const alice = await peer(first.address, {name: 'alice', files: [add('s/kept.txt')]});
	const [lost, back] = [heard(alice, 'server-lost'), heard(alice, 'server-back')];
	alice.index.start();
	await online(alice);
	expect(alice.index.link().number).toBe(2);

	await first.stop();
	await store.close();
	await until('it noticed', () => alice.index.link().state === 'lost');
	await expect(alice.index.search('kept')).rejects.toMatchObject({code: 'unreachable'});

	const again = new SqliteStore(file);
	await again.open();
	const published: string[] = [];
	const second = await startServer({store: again, identity: first.identity, port: first.port});
	second.bus.on('request', ({verb}) => published.push(verb));
	cleanups.push(async () => {
		await second.stop();
		await again.close();
	});
	await online(alice);
	expect(alice.index.link().number).toBe(2);
	expect((await alice.index.search('kept')).total).toBe(1);
	expect(published).not.toContain('PUBLISH');
	expect([lost.length, back.length]).toEqual([1, 1]);
});

test('refuses a server whose key changed, and says how to accept it', async () => {
	const {folder, remove} = temporaryFolder();
	cleanups.push(remove);
	const first = await startServer();
	const alice = await peer(first.address, {folder});
	alice.index.start();
	await online(alice);
	await first.stop();
	const impostor = await server({port: first.port});
	await until('it refuses', () => alice.index.link().state === 'refused');
	expect(alice.index.link().message).toContain('another key');
	expect(alice.index.link().message).toContain('known_servers');
	await expect(alice.index.search('x')).rejects.toMatchObject({code: 'identity-changed', exitCode: 6});
	expect(await impostor.store.counts()).toMatchObject({peers: 0});
});

test('a one-shot call after the key changed is refused as well, also on a client that was used before', async () => {
	const first = await startServer();
	const guest = await peer(first.address);
	expect((await guest.index.info()).id).toBe(first.identity.id);
	await first.stop();
	await server({port: first.port});
	await expect(guest.index.info()).rejects.toMatchObject({code: expect.stringMatching('unreachable|wrong-peer')});
	await expect(guest.index.info()).rejects.toMatchObject({code: 'identity-changed'});
});

test('a server that takes connections but never answers is a lost server', async () => {
	const silent = createServer(socket => socket.on('error', () => undefined));
	silent.listen(0, '127.0.0.1');
	await until('it listens', () => silent.listening);
	cleanups.push(() => silent.close());
	const {port} = silent.address() as {port: number};
	const alice = await peer(`127.0.0.1:${port}`);
	const lost = heard(alice, 'server-lost');
	alice.index.start();
	await until('it gives up', () => lost.length === 1, 15_000);
	expect(alice.index.link()).toMatchObject({state: 'lost', message: expect.stringContaining('did not answer in time')});
});

test('an unreachable server is an error in words, at once', async () => {
	const probe = await startServer();
	await probe.stop();
	const guest = await peer(probe.address);
	await expect(guest.index.search('x')).rejects.toMatchObject({code: 'unreachable', exitCode: 4});
});
