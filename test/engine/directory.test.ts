// Routers over real index servers: what a peer with one, several or dead servers finds.
import {randomBytes} from 'node:crypto';
import {describe, expect, onTestFinished, test} from 'vitest';
import type {CatalogChange} from '../../source/api/schemas.ts';
import {formatAddress} from '../../source/core/address.ts';
import {EngineBus} from '../../source/core/events.ts';
import {mergeRouters, type Router} from '../../source/engine/directory.ts';
import {chooseSources, findTarget} from '../../source/engine/get-target.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {openKnownServers} from '../../source/identity/known-servers.ts';
import {createIndexClient} from '../../source/index/client.ts';
import {MemoryStore} from '../../source/index/memory/memory-store.ts';
import {createIndexApp} from '../../source/index/server.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

const content = (n: number) => n.toString(16).padStart(64, 'a');
const add = (path: string, n: number): CatalogChange => ({op: 'add', path, size: n * 100, content: content(n)});

/** A server whose store holds these online peers, asked through a real client. */
async function serverWith(peers: Record<string, CatalogChange[]>): Promise<Router> {
	const store = new MemoryStore();
	await store.open();
	for (const [name, changes] of Object.entries(peers)) {
		const id = Buffer.from(name.padEnd(32, '.')).toString('hex');
		await store.register({id, name, host: '10.0.0.1', port: 1000 + name.length});
		await store.applyChanges(
			id,
			{epoch: randomBytes(16).toString('hex'), from: 0, to: changes.length},
			(async function* () {
				yield changes;
			})(),
		);
		await store.setOnline(id, true);
	}
	const app = createIndexApp({
		identity: await temporaryIdentity(),
		store,
		name: 'test',
		version: '0',
		bus: new EngineBus(),
	});
	const address = await app.start({host: '127.0.0.1', defaultPort: 0});
	onTestFinished(() => app.stop());
	return clientOf(formatAddress(address));
}

async function clientOf(address: string): Promise<Router> {
	const identity = await temporaryIdentity();
	const client = new SecureClient(identity);
	onTestFinished(() => client.close());
	return createIndexClient({
		identity,
		client,
		address,
		knownServers: openKnownServers(await tempFolder()),
		bus: new EngineBus(),
	});
}

describe('mergeRouters', () => {
	test('puts the sources of several servers together by content', async () => {
		const router = mergeRouters([
			await serverWith({alice: [add('s/a.txt', 1)], bob: [add('s/b.txt', 2)]}),
			await serverWith({alice: [add('s/a.txt', 1)], carol: [add('t/a.txt', 1)]}),
		]);
		const {hits} = await router.search('txt', {});
		expect(hits.map(hit => [hit.content, hit.sources.map(source => source.name).sort()])).toEqual(
			expect.arrayContaining([
				[content(1), ['alice', 'carol']],
				[content(2), ['bob']],
			]),
		);
		expect(hits).toHaveLength(2);
		expect((await router.sources(content(1))).sources).toHaveLength(2);
		expect((await router.peers({})).peers.map(peer => peer.name).sort()).toEqual(['alice', 'bob', 'carol']);
		expect((await router.browse('carol', {path: 't'})).entries).toEqual([expect.objectContaining({path: 't/a.txt'})]);
	});

	test('a dead server costs nothing as long as another lives; with none alive the reason is told', async () => {
		const dead = await clientOf('127.0.0.1:1');
		const router = mergeRouters([dead, await serverWith({alice: [add('s/a.txt', 1)]})]);
		expect((await router.search('a', {})).hits).toHaveLength(1);
		await expect(mergeRouters([dead, dead]).search('a', {})).rejects.toMatchObject({code: 'unreachable'});
		await expect(mergeRouters([]).peers({})).rejects.toMatchObject({code: 'no-server'});
		await expect(router.sources(content(9))).rejects.toMatchObject({code: 'not-found'});
	});

	test('pages go on in each server where they stopped', async () => {
		const many = (from: number) => Array.from({length: 5}, (_, i) => add(`s/file ${from + i}.txt`, from + i));
		const router = mergeRouters([await serverWith({alice: many(1)}), await serverWith({bob: many(11)})]);
		const seen: string[] = [];
		let cursor: string | undefined;
		do {
			const page = await router.search('file', {limit: 2, cursor});
			seen.push(...page.hits.map(hit => hit.content));
			cursor = page.cursor;
		} while (cursor !== undefined && seen.length < 100);
		expect(seen.toSorted()).toEqual(
			[...many(1), ...many(11)].map(change => (change.op === 'add' ? change.content : '')).toSorted(),
		);
		await expect(router.search('file', {cursor: 'x'})).rejects.toMatchObject({code: 'bad-request'});
	});
});

describe('findTarget', () => {
	test('an exact name wins over names that only contain it; several exact ones are not guessed', async () => {
		const router = await serverWith({
			alice: [add('s/1.txt', 1), add('s/11.txt', 2), add('s/1.txt.bak', 3), add('s/x/2.txt', 4), add('s/y/2.txt', 5)],
		});
		expect(await findTarget(router, '1.txt')).toMatchObject({content: content(1), name: '1.txt', size: 100});
		const several = findTarget(router, '2.txt');
		await expect(several).rejects.toMatchObject({code: 'ambiguous', exitCode: 2});
		await expect(several).rejects.toMatchObject({details: {candidates: [{name: '2.txt'}, {name: '2.txt'}]}});
		await expect(findTarget(router, 'zebra')).rejects.toMatchObject({code: 'not-found', exitCode: 3});
	});

	test('a content ID and a link are looked up as they are; the link names the file', async () => {
		const router = await serverWith({alice: [add('s/1.txt', 1)]});
		expect(await findTarget(router, content(1).toUpperCase())).toMatchObject({name: '1.txt'});
		expect(await findTarget(router, `magnet:?xt=urn:btmr:${content(1)}&dn=..%2F..%2Fetc%2Fpasswd`)).toMatchObject({
			name: 'passwd',
		});
		await expect(findTarget(router, content(9))).rejects.toMatchObject({code: 'no-source', exitCode: 4});
		await expect(findTarget(router, 'magnet:?xt=urn:btih:1')).rejects.toMatchObject({code: 'usage'});
	});
});

test('--from names a source by number, ID or its start, or nickname', async () => {
	const router = await serverWith({alice: [add('s/1.txt', 1)], bob: [add('s/1.txt', 1)]});
	const {sources} = await router.sources(content(1));
	const names = (from: string[]) =>
		chooseSources(sources, from)
			.map(source => source.name)
			.sort();
	const bob = sources.find(source => source.name === 'bob')!;
	expect([
		names([]),
		names(['bob']),
		names([String(bob.number)]),
		names([bob.peer.slice(0, 6)]),
		names(['alice', 'bob', 'bob']),
	]).toEqual([['alice', 'bob'], ['bob'], ['bob'], ['bob'], ['alice', 'bob']]);
	expect(() => names(['bob', 'carol'])).toThrow(
		expect.objectContaining({code: 'no-source', hint: expect.stringContaining('bob')}),
	);
	expect(() => names([bob.peer.slice(0, 3)])).toThrow(expect.objectContaining({code: 'no-source'}));
});
