// The conformance suite over a real Redis Cluster of three masters.
import {afterAll, beforeAll, describe} from 'vitest';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {RedisStore} from '../../source/index/redis/redis-store.ts';
import {indexStoreConformance} from '../conformance/index-store.ts';
import {temporaryFolder} from '../helpers/index.ts';
import {hasRedisServer, type RedisCluster, startRedisCluster} from '../helpers/redis-cluster.ts';

describe.skipIf(!(await hasRedisServer()))('with redis-server', () => {
	let cluster: RedisCluster;
	let identity: Identity;

	beforeAll(async () => {
		[cluster, identity] = await Promise.all([startRedisCluster(), temporaryIdentity()]);
	});

	afterAll(() => cluster?.stop());

	indexStoreConformance('redis', async options => {
		await cluster.flush();
		const {folder, remove} = temporaryFolder();
		const make = () => new RedisStore({url: cluster.url, dataDir: folder, identity, ...options});
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
