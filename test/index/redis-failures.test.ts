// What a cluster of six Redis processes, three masters and their replicas, does to index servers and peers when parts of
// it die, freeze or move.
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {keys, partitionOf} from '../../source/index/redis/keys.ts';
import {ClusterWorld, keepAdding, keepSearching} from '../helpers/cluster-servers.ts';
import {add, type TestPeer} from '../helpers/index.ts';
import {hasRedisServer, type RedisCluster, startRedisCluster} from '../helpers/redis-cluster.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** The whole of a failover, in milliseconds: notice, vote, take over, find out. Section 12 says ten seconds, on a machine of its own. */
const healed = 15_000;
/** Pause between two searches that counts as a gap: a failover takes longer, a busy machine does not. */
const gap = 3000;

describe.skipIf(!(await hasRedisServer()))('a cluster of six', () => {
	let cluster: RedisCluster;
	let world: ClusterWorld;

	beforeEach(async () => {
		cluster = await startRedisCluster({masters: 3, replicas: 1, nodeTimeout: 1500});
		world = new ClusterWorld(cluster);
	});

	afterEach(async () => {
		await world.stop();
		await cluster.stop();
	});

	/** Two servers, a peer at the first that keeps adding files, and searches at both; then `harm`; then all is checked. */
	async function survives(harm: (peer: TestPeer) => Promise<void>) {
		const [one, two] = [await world.server(), await world.server()];
		const peer = await world.peer(one, 'alice', [add('s/first.bin')]);
		await waitFor('the other server to have it', async () => (await two.find('first')).length === 1);
		const searches = [keepSearching(one, 'first'), keepSearching(two, 'first')];
		const adding = keepAdding(peer);
		await waitFor('some files to be taken', () => adding.acknowledged().length > 5);
		await harm(peer);
		const before = adding.acknowledged().length;
		const started = Date.now();
		await waitFor('a file that was added since to be taken', () => adding.acknowledged().length > before + 3);
		const newest = adding.acknowledged().at(-1) ?? '';
		for (const server of [one, two])
			await waitFor(`${newest} to be found`, async () => (await server.find(`name:${newest}`)).length === 1);
		const took = Date.now() - started;
		const all = await adding.stop();
		for (const search of searches) {
			const {failures, longest, count} = await search.stop();
			expect(failures).toEqual([]);
			expect(count).toBeGreaterThan(10);
			expect(longest).toBeLessThan(gap);
		}
		for (const server of [one, two]) {
			await waitFor('all to be found', async () => (await server.store.counts()).files === all.length + 1);
			for (const name of [all[0], all[all.length >> 1], all.at(-1)])
				expect(await server.find(`name:${name}`)).toEqual([name]);
		}
		return {took, one, two, peer};
	}

	test('goes on when the master that writes are for is killed', async () => {
		const {took} = await survives(async peer => {
			const master = await cluster.masterOf(keys.log(partitionOf(peer.identity.id)));
			await master.kill();
		});
		expect(took).toBeLessThan(healed);
		expect(await cluster.masters()).toHaveLength(3);
	});

	test('goes on when the master with the list of servers is killed, and takes it back as a replica', async () => {
		let killed: Awaited<ReturnType<RedisCluster['masterOf']>> | undefined;
		const {one, two} = await survives(async () => {
			killed = await cluster.masterOf(keys.meta);
			await killed.kill();
		});
		// Nothing of the peer's is there, so that all went on before anybody took its place.
		await waitFor('its replica to take over', async () => {
			const masters = await cluster.masters();
			return masters.length === 3 && masters.every(node => node !== killed);
		});
		await killed?.restart();
		await waitFor('it to be a replica', async () => String(await killed?.command('ROLE')).startsWith('slave'));
		const bob = await world.peer(two, 'bob', [add('b/of bob.bin')]);
		expect(bob.index.link().number).toBe(2);
		await waitFor('the first server to have it', async () => (await one.find('bob')).length === 1);
	});

	test('does not notice when a replica is killed', async () => {
		const {took} = await survives(async () => {
			const masters = new Set((await cluster.masters()).map(({id}) => id));
			await cluster.nodes.find(({id}) => !masters.has(id))?.kill();
		});
		expect(took).toBeLessThan(healed);
	});

	test('goes on when a master is cut off, and when it comes back', async () => {
		let frozen: Awaited<ReturnType<RedisCluster['masterOf']>> | undefined;
		const {took, one, two, peer} = await survives(async ({identity}) => {
			frozen = await cluster.masterOf(keys.log(partitionOf(identity.id)));
			frozen.freeze();
		});
		expect(took).toBeLessThan(healed + 5000);
		frozen?.resume();
		await waitFor('it to be a replica', async () => String(await frozen?.command('ROLE')).startsWith('slave'));
		peer.catalog.change(add('s/after all.bin'));
		peer.index.catalogChanged();
		for (const server of [one, two])
			await waitFor('it to be found', async () => (await server.find('"after all"')).length === 1);
	});

	test('that is out of reach as a whole leaves searches for a while, then a server that says so, and heals', async () => {
		const server = await world.server({staleAfter: 6000});
		const alice = await world.peer(server, 'alice', [add('s/first.bin')]);
		await waitFor('it to be found', async () => (await server.find('first')).length === 1);
		for (const node of cluster.nodes) node.freeze();
		const found: number[] = [];
		try {
			alice.catalog.change(add('s/meanwhile.bin'));
			alice.index.catalogChanged();
			await waitFor('it to call itself stale', async () => {
				if (server.store.cluster.state() === 'stale') return true;
				// Between these two lines it may become so.
				const names = await server.find('first').catch(error => [String(error.details?.state)]);
				if (names[0] !== 'stale') found.push(names.length);
				return false;
			});
			expect(found.length).toBeGreaterThan(0);
			expect(found.every(count => count === 1)).toBe(true);
			const details = {state: 'stale', retryAfter: expect.any(Number)};
			await expect(server.find('first')).rejects.toMatchObject({code: 'catching-up', details});
		} finally {
			for (const node of cluster.nodes) node.resume();
		}
		await waitFor('it to be whole again', () => server.store.cluster.state() === 'whole');
		await waitFor('what came meanwhile to be found', async () => (await server.find('meanwhile')).length === 1);
	});

	test('grows from three masters to six while files are added', async () => {
		await survives(async () => {
			for (let i = 0; i < 3; i++) await cluster.addMaster();
			await cluster.rebalance();
		});
		expect(await cluster.masters()).toHaveLength(6);
		// Half of all slots move, one after the other.
	});
});
