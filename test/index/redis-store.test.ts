// The conformance suite over a real Redis Cluster of three masters.
import {afterAll, beforeAll, describe} from 'vitest';
import {RedisStore} from '../../source/index/redis/redis-store.ts';
import {indexStoreConformance} from '../conformance/index-store.ts';
import {temporaryFolder} from '../helpers/index.ts';
import {hasRedisServer, type RedisCluster, startRedisCluster} from '../helpers/redis-cluster.ts';

describe.skipIf(!(await hasRedisServer()))('with redis-server', () => {
	let cluster: RedisCluster;

	beforeAll(async () => {
		cluster = await startRedisCluster();
	});

	afterAll(() => cluster?.stop());

	indexStoreConformance('redis', async () => {
		await cluster.flush();
		const {folder, remove} = temporaryFolder();
		const make = () => new RedisStore({url: cluster.url, dataDir: folder, server: 'a'.repeat(64)});
		let store = make();
		await store.open();
		return {
			store,
			async reopen() {
				await store.close();
				store = make();
				await store.open();
				return store;
			},
			async remove() {
				await store.close();
				remove();
			},
		};
	});
});
