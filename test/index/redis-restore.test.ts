// Read models that come from a backup, from another version, or from a cluster that is gone, on a real cluster.
import {copyFileSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {parseQuery} from '../../source/api/query.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {keys} from '../../source/index/redis/keys.ts';
import {migrateToRedis, migrateToSqlite} from '../../source/index/redis/migrate.ts';
import {ReadModel} from '../../source/index/redis/read-model.ts';
import type {RedisLink} from '../../source/index/redis/redis-link.ts';
import {RedisStore} from '../../source/index/redis/redis-store.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {type ClusterServer, type ClusterWorld, cutLogs, overOneCluster} from '../helpers/cluster-servers.ts';
import {add, type TestPeer, temporaryFolder} from '../helpers/index.ts';
import {hasRedisServer, type RedisCluster} from '../helpers/redis-cluster.ts';
import {waitFor} from '../helpers/wait-for.ts';

let folder: string;
let remove: () => void;

beforeEach(() => {
	({folder, remove} = temporaryFolder());
});

afterEach(() => remove());

/** What a program with other tables would have left. */
function setVersion(file: string, version: number): void {
	const database = new DatabaseSync(file);
	database.exec(`PRAGMA user_version=${version}`);
	database.close();
}

describe('a read model', () => {
	test.each([1, 99])('does not take the copy of a server whose tables have the version %i', async version => {
		const other = path.join(folder, 'other.db');
		const store = new SqliteStore(other);
		await store.open();
		await store.note('cluster', JSON.stringify({cluster: 'c', positions: ['5-0'], highest: 7}));
		await store.close();
		setVersion(other, version);
		const model = new ReadModel(folder, () => undefined);
		await model.open('c');
		try {
			const replaced = model.replace('c', async file => copyFileSync(other, file));
			await expect(replaced).rejects.toMatchObject({code: 'bad-database'});
			expect(model.positions).toEqual([]);
			await model.note(['1-0']);
			expect(await model.store.counts()).toMatchObject({peers: 0});
		} finally {
			await model.close();
		}
	});
});

describe.skipIf(!(await hasRedisServer()))('a server over a cluster', () => {
	let cluster: RedisCluster;
	let world: ClusterWorld;
	let link: RedisLink;

	overOneCluster(each => {
		({cluster, world, link} = each);
	});

	/** A server with a peer, whose data folder would begin with this index. */
	async function backedUp(): Promise<{server: ClusterServer; alice: TestPeer}> {
		const server = await world.server();
		const alice = await world.peer(server, 'alice', [add('s/early.bin')]);
		await waitFor('it to be taken', async () => (await server.find('early')).length === 1);
		await migrateToSqlite(cluster.url, path.join(folder, 'cluster.db'));
		return {server, alice};
	}

	async function addLate({server, alice}: {server: ClusterServer; alice: TestPeer}): Promise<void> {
		alice.catalog.change(add('s/late.bin'));
		alice.index.catalogChanged();
		await waitFor('it to be taken', async () => (await server.find('late')).length === 1);
	}

	/** A peer that was there before, with its number and its catalog, which is not read where nothing of it is missing. */
	async function comesBack(server: ClusterServer, identity: Identity, files: string[]): Promise<void> {
		const catalog = files.map(name => add(`s/${name}.bin`));
		const back = await world.peer(server, 'alice', catalog, identity);
		expect(back.index.link().number).toBe(1);
		for (const name of files)
			await waitFor(`${name} to be found`, async () => (await server.find(name)).join() === `${name}.bin`);
		expect(back.catalog.pages).toBe(0);
	}

	test('that begins from a backup reads what came since from the log', async () => {
		const before = await backedUp();
		// What the backup has is there only.
		await cutLogs(link);
		await addLate(before);
		await before.alice.stop();
		await before.server.stop();
		const server = await world.server({folder});
		await waitFor('it to be whole', () => server.store.cluster.state() === 'whole');
		expect(server.told.filter(line => !line.startsWith('info'))).toEqual([]);
		expect(server.told.join('\n')).not.toContain('copied the index');
		await comesBack(server, before.alice.identity, ['early', 'late']);
	});

	test('whose backup is too old for the log copies the index of another', async () => {
		const before = await backedUp();
		await addLate(before);
		await cutLogs(link);
		const server = await world.server({folder});
		await waitFor('it to be whole', () => server.store.cluster.state() === 'whole');
		expect(server.told.join('\n')).toContain('the logs no longer go back to what this server has');
		expect(server.told.join('\n')).toContain('copied the index');
		expect(await server.find('early')).toEqual(['early.bin']);
		expect(await server.find('late')).toEqual(['late.bin']);
	});

	test('whose backup is too old, and that finds no other, says so and does not answer', async () => {
		const before = await backedUp();
		await addLate(before);
		await cutLogs(link);
		await before.alice.stop();
		await before.server.stop();
		const identity = await temporaryIdentity();
		const early = new RedisStore({url: cluster.url, dataDir: folder, identity});
		const opening = early.open();
		const refusals: unknown[] = [];
		await waitFor('it to begin anew', async () => {
			const answer = await early.search(parseQuery('early')).catch(error => error.code);
			if (early.cluster.state() === 'whole') return true;
			refusals.push(answer);
			return false;
		});
		expect(new Set(refusals)).toEqual(new Set(['catching-up']));
		await opening;
		await early.close();
		const files = [add('s/early.bin'), add('s/late.bin')];
		const server = await world.server({folder});
		const back = await world.peer(server, 'alice', files, before.alice.identity);
		expect(back.index.link().number).toBe(1);
		await waitFor('all to be there again', async () => (await server.store.counts()).files === 2);
	});

	test('makes its index anew when an older version made it', async () => {
		const {server, alice} = await backedUp();
		await alice.stop();
		await server.stop();
		setVersion(path.join(server.folder, 'cluster.db'), 1);
		const upgraded = await world.server({folder: server.folder});
		await waitFor('it to be whole', () => upgraded.store.cluster.state() === 'whole');
		expect(upgraded.told.join('\n')).toContain('made by an older version');
		await comesBack(upgraded, alice.identity, ['early']);
	});

	test('whose cluster was emptied keeps its index, from which the cluster is filled again', async () => {
		const {server, alice} = await backedUp();
		await alice.stop();
		const id = await link.call<string>(keys.meta, ['HGET', keys.meta, 'id']);
		await cluster.flush();
		await waitFor('it to say so', () => server.told.some(line => line.includes('was emptied while')));
		expect(server.store.cluster.state()).toBe('stale');
		await expect(server.find('early')).rejects.toMatchObject({code: 'catching-up'});
		await server.stop();
		const old = path.join(server.folder, `cluster-${id.slice(0, 8)}.db`);
		// The second time there is nothing to keep, and what was kept stays.
		for (const kept of [1, 0]) {
			await cluster.flush();
			const empty = await world.server({folder: server.folder});
			expect(empty.told.filter(line => line.includes(old))).toHaveLength(kept);
			expect(await empty.store.counts()).toMatchObject({peers: 0, files: 0});
			await empty.stop();
		}
		await cluster.flush();
		expect(await migrateToRedis(old, cluster.url)).toMatchObject({peers: 1, files: 1});
		const restored = await world.server({folder: server.folder});
		await comesBack(restored, alice.identity, ['early']);
	});
});
