// An index moved from SQLite into a cluster and back, with nothing lost and no peer asked again.
import {mkdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {parseQuery} from '../../source/api/query.ts';
import {MemberBook} from '../../source/identity/member-book.ts';
import {migrateToRedis, migrateToSqlite} from '../../source/index/redis/migrate.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {ClusterWorld} from '../helpers/cluster-servers.ts';
import {add, temporaryFolder} from '../helpers/index.ts';
import {hasRedisServer, type RedisCluster, startRedisCluster} from '../helpers/redis-cluster.ts';
import {waitFor} from '../helpers/wait-for.ts';

const epoch = 'ab'.repeat(16);
const peerId = (seed: number) => seed.toString(16).padStart(2, '0').repeat(32);
const registration = (seed: number) => ({id: peerId(seed), name: `peer${seed}`, host: '10.0.0.1', port: 1000 + seed});

async function* batches<T>(...lists: T[][]) {
	yield* lists;
}

/** The list of members in a folder; `make`: of a new private network. */
function openBook(folder: string, make = false): MemberBook {
	const book = MemberBook.open(folder, {make, synced: false});
	if (!book) throw new Error(`no members.db in ${folder}`);
	if (make) book.setPrivate(true);
	return book;
}

describe.skipIf(!(await hasRedisServer()))('an index is moved', () => {
	let cluster: RedisCluster;
	let world: ClusterWorld;
	let folder: string;
	let remove: () => void;

	beforeAll(async () => {
		cluster = await startRedisCluster();
	});

	afterAll(() => cluster?.stop());

	beforeEach(async () => {
		await cluster.flush();
		world = new ClusterWorld(cluster);
		({folder, remove} = temporaryFolder());
	});

	afterEach(async () => {
		await world.stop();
		remove();
	});

	/** Three peers, the second of which has left, and the third sent nothing yet. */
	async function someIndex(): Promise<string> {
		const file = path.join(folder, 'index.db');
		const store = new SqliteStore(file);
		await store.open();
		for (const seed of [1, 2, 3]) await store.register(registration(seed));
		const files = Array.from({length: 2500}, (_, i) => add(`s/d${i % 3}/e${i % 2}/file ${i}.bin`, i, 7));
		await store.applyChanges(peerId(1), {epoch, from: 0, to: 2500}, batches(files, [add('s/top.bin')]));
		await store.leave(peerId(2));
		await store.close();
		return file;
	}

	test('into a cluster and back', async () => {
		const file = await someIndex();
		const seen: number[] = [];
		const moved = await migrateToRedis(file, cluster.url, {progress: ({peers}) => seen.push(peers)});
		expect(moved).toEqual({peers: 3, ofPeers: 3, files: 2501, ofFiles: 2501});
		expect(seen).toEqual([1, 2, 3]);

		const server = await world.server();
		expect((await server.store.listPeers()).peers.map(({number, files}) => [number, files])).toEqual([
			[1, 2501],
			[3, 0],
		]);
		expect(await server.store.register(registration(1))).toEqual({number: 1, have: {epoch, version: 2500}});
		expect(await server.store.register(registration(9))).toEqual({number: 4, have: null});
		await server.store.setOnline(peerId(1), true);
		expect(await server.find('name:"file 2499.bin"')).toEqual(['file 2499.bin']);
		await expect(migrateToRedis(file, cluster.url)).rejects.toMatchObject({code: 'in-use'});

		const back = path.join(folder, 'back.db');
		expect(await migrateToSqlite(cluster.url, back)).toMatchObject({files: 2501});
		await expect(migrateToSqlite(cluster.url, back)).rejects.toMatchObject({code: 'in-use'});
		const store = new SqliteStore(back);
		await store.open();
		try {
			expect((await store.listPeers()).peers.map(({number}) => number)).toEqual([1, 3, 4]);
			expect(await store.register(registration(2))).toMatchObject({number: 2});
			expect(await store.register(registration(1))).toEqual({number: 1, have: {epoch, version: 2500}});
			await store.setOnline(peerId(1), true);
			expect((await store.search(parseQuery('top'))).hits).toHaveLength(1);
			expect(await store.counts()).toMatchObject({files: 2501});
		} finally {
			await store.close();
		}
	});

	test('takes the members and invites of a private network along, both ways', async () => {
		const file = await someIndex();
		const first = openBook(folder, true);
		const {code} = first.invite({uses: 5, life: 3_600_000});
		first.join(peerId(1), 'peer1', code);
		const {networkKey} = first;
		first.close();
		expect(await migrateToRedis(file, cluster.url)).toMatchObject({files: 2501, members: 1});

		await expect(world.server()).rejects.toMatchObject({code: 'usage', hint: expect.stringContaining('--private')});
		const server = await world.server({private: true});
		const there = openBook(server.folder);
		expect(there.members().map(({name}) => name)).toEqual(['peer1']);
		there.join(peerId(3), 'peer3', code);
		there.close();

		const back = path.join(folder, 'back');
		mkdirSync(back);
		await waitFor('the second member to be told', async () => {
			rmSync(back, {recursive: true});
			mkdirSync(back);
			return (await migrateToSqlite(cluster.url, path.join(back, 'index.db'))).members === 2;
		});
		const last = openBook(back);
		expect([last.isPrivate, last.networkKey]).toEqual([true, networkKey]);
		expect(last.members().map(({name}) => name)).toEqual(['peer1', 'peer3']);
		expect(last.openInvite(code).used).toBe(2);
		last.close();

		// The members of another network are not mixed with these.
		const {folder: other, remove: removeOther} = temporaryFolder();
		openBook(other, true).close();
		const refused = migrateToSqlite(cluster.url, path.join(other, 'index.db'));
		await expect(refused).rejects.toMatchObject({code: 'in-use', message: expect.stringContaining('another network')});
		removeOther();
	});

	test('that was broken off keeps servers out, and goes on where it was', async () => {
		const file = await someIndex();
		const stop = new AbortController();
		const broken = migrateToRedis(file, cluster.url, {
			progress: () => stop.abort(new Error('power went')),
			signal: stop.signal,
		});
		await expect(broken).rejects.toThrow('power went');
		await expect(world.server()).rejects.toMatchObject({code: 'in-use', hint: expect.stringContaining('migrate')});
		const other = path.join(folder, 'other.db');
		const store = new SqliteStore(other);
		await store.open();
		await store.close();
		await expect(migrateToRedis(other, cluster.url)).rejects.toMatchObject({code: 'in-use'});
		expect(await migrateToRedis(file, cluster.url)).toMatchObject({peers: 3, files: 2501});
		const server = await world.server();
		expect(await server.store.register(registration(1))).toEqual({number: 1, have: {epoch, version: 2500}});
	});
});
