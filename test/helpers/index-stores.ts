// Each kind of index store, for tests that a running server must pass over all of them.
import path from 'node:path';
import {afterAll, beforeAll, beforeEach, onTestFinished} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {MemoryStore} from '../../source/index/memory/memory-store.ts';
import {readModelName} from '../../source/index/redis/read-model.ts';
import {RedisStore} from '../../source/index/redis/redis-store.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import type {IndexStore} from '../../source/index/store.ts';
import {temporaryFolder} from './index.ts';
import {hasRedisServer, type RedisCluster, startRedisCluster} from './redis-cluster.ts';

/** Where a store is kept. `database`: its SQLite file; `open`: opens it, again and again. Removed when the test ends. */
export type StorePlace = {database: string; open(): Promise<IndexStore>};

/** A kind of store. `isHere`: whether this machine has what it needs; `isKept`: whether it outlives its process. */
export type StoreKind = {name: string; isHere: boolean; isKept: boolean; place(): Promise<StorePlace>};

const hasRedis = await hasRedisServer();

/** All kinds; starts one cluster for the tests of a file, and empties it before each. */
export function storeKinds(): StoreKind[] {
	let cluster: RedisCluster | undefined;
	beforeAll(async () => {
		if (hasRedis) cluster = await startRedisCluster();
	});
	afterAll(() => cluster?.stop());
	beforeEach(() => cluster?.flush());

	const folderOfTest = () => {
		const {folder, remove} = temporaryFolder();
		onTestFinished(remove);
		return folder;
	};
	const opened = async (store: IndexStore) => {
		await store.open();
		return store;
	};
	const sqlite = async () => {
		const database = path.join(folderOfTest(), 'index.db');
		return {database, open: () => opened(new SqliteStore(database))};
	};
	const redis = async () => {
		const dataDir = folderOfTest();
		const identity = await temporaryIdentity();
		const make = () => new RedisStore({url: cluster?.url ?? '', dataDir, identity});
		return {database: path.join(dataDir, readModelName), open: () => opened(make())};
	};
	const memory = async () => ({database: '', open: () => opened(new MemoryStore())});
	return [
		{name: 'memory', isHere: true, isKept: false, place: memory},
		{name: 'SQLite', isHere: true, isKept: true, place: sqlite},
		{name: 'Redis Cluster', isHere: hasRedis, isKept: true, place: redis},
	];
}
