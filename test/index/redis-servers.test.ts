// Several index servers over one cluster: they see the same, begin from each other's copies, and say when they are not whole.
import {describe, expect, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {FileRegistry} from '../../source/index/redis/file-registry.ts';
import {readRows} from '../../source/index/redis/holding-rows.ts';
import {keys, partitionOf, partitions} from '../../source/index/redis/keys.ts';
import type {RedisLink} from '../../source/index/redis/redis-link.ts';
import {type ClusterWorld, cutLogs, overOneCluster} from '../helpers/cluster-servers.ts';
import {add, contentId, request} from '../helpers/index.ts';
import {hasRedisServer, type RedisCluster} from '../helpers/redis-cluster.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** Section 12: a change is searchable at every server within a second; what a busy machine adds is not its fault. */
const soon = 10_000;

describe.skipIf(!(await hasRedisServer()))('index servers over one cluster', () => {
	let cluster: RedisCluster;
	let world: ClusterWorld;
	let link: RedisLink;

	overOneCluster(each => {
		({cluster, world, link} = each);
	});

	/** Keys of the registry of files that are left. */
	async function registryKeys(): Promise<string[]> {
		const all = await Promise.all((await cluster.masters()).map(node => node.command('KEYS', '[fg]:{*')));
		return (all as string[][]).flat();
	}

	test('show the same peers, numbers, files and events, and take over from each other', async () => {
		const [one, two] = [await world.server(), await world.server()];
		const alice = await world.peer(one, 'alice', [add('s/of alice.bin', 'shared', 7)]);
		const bob = await world.peer(two, 'bob', [add('b/of bob.bin', 'shared', 7)]);
		expect([alice.index.link().number, bob.index.link().number]).toEqual([1, 2]);
		const heard: string[] = [];
		bob.bus.on('peer-left', ({name}) => heard.push(`${name} left`));
		bob.bus.on('peer-joined', ({name}) => heard.push(`${name} joined`));
		for (const {store} of [one, two]) {
			await waitFor('both to be online', async () => (await store.counts()).online === 2, soon);
			expect((await store.listPeers()).peers.map(({number, name, online}) => [number, name, online])).toEqual([
				[1, 'alice', true],
				[2, 'bob', true],
			]);
			await waitFor('both to be sources', async () => (await store.sources(contentId('shared'))).sourceCount === 2);
		}
		// The first server is gone: alice comes to the second, with nothing to send and the same number.
		await alice.stop();
		await one.stop();
		await waitFor('bob to hear of it', () => heard.includes('alice left'));
		const moved = await world.peer(two, 'alice', [], alice.identity);
		moved.catalog.epoch = alice.catalog.epoch;
		expect(moved.index.link().number).toBe(1);
		await waitFor('bob to hear of that', () => heard.at(-1) === 'alice joined');
		const {body} = await request(two, '/v1');
		expect(body.cluster).toEqual({state: 'whole', servers: 1});
		const metrics = (await request(two, '/metrics')).text;
		expect(metrics).toContain('p2p_cluster_whole 1');
		expect(metrics).toContain('p2p_cluster_masters 3');
	});

	test('find within a second what another has just taken in, and no longer what is gone', async () => {
		const [one, two] = [await world.server(), await world.server()];
		const alice = await world.peer(one, 'alice', [add('s/first.bin')]);
		const taken = Promise.withResolvers<void>();
		alice.bus.on('registered', ({files}) => files === 2 && taken.resolve());
		alice.catalog.change(add('s/second.bin'));
		alice.index.catalogChanged();
		await taken.promise;
		await waitFor('the other server to find it', async () => (await two.find('second')).length === 1, soon);
		alice.catalog.change({op: 'remove', path: 's/second.bin'});
		alice.index.catalogChanged();
		await waitFor('it to be gone there', async () => (await two.find('second')).length === 0, soon);
	});

	test('say the same of when a file was shared', async () => {
		const one = await world.server();
		await world.peer(one, 'alice', [add('s/dated.bin', 'dated')]);
		const before = await one.store.sources(contentId('dated'));
		// A server that comes later reads it later.
		await new Promise(resolve => setTimeout(resolve, 2100));
		const two = await world.server();
		await waitFor('the second server to have it', async () => (await two.find('dated')).length === 1);
		const after = await two.store.sources(contentId('dated'));
		expect(after.sources.map(({sharedAt}) => sharedAt)).toEqual(before.sources.map(({sharedAt}) => sharedAt));
	});

	test('let in no more than an invite is for, whoever asks at the same moment', async () => {
		const servers = [await world.server(), await world.server()];
		const invite = {id: 'abcde', uses: 3, used: 1, expires: Date.now() + 60_000};
		const join = (at: number) => servers[at % 2]!.store.cluster.spendInvite(invite, `peer ${at}`);
		const counts = await Promise.all([0, 1, 2, 3, 4, 5].map(join));
		expect(counts.filter(count => count !== undefined).sort()).toEqual([2, 3]);
		// Who was let in is let in again, as when the answer was lost.
		const lucky = counts.findIndex(count => count !== undefined);
		expect(await join(lucky)).toBe(3);
	});

	test('keep the registry of files as catalogs change and peers leave', async () => {
		const one = await world.server();
		const files = new FileRegistry(link);
		const held = async (content: string) =>
			(await files.find(contentId(content), 10))?.holders.map(({number}) => number);
		const alice = await world.peer(one, 'alice', [
			add('s/a.bin', 'a', 10),
			add('s/copy.bin', 'a', 10),
			add('s/b.bin', 'b'),
		]);
		const bob = await world.peer(one, 'bob', [add('s/a.bin', 'a', 10)]);
		expect((await held('a'))?.sort()).toEqual([1, 2]);
		expect(await files.find(contentId('a'), 10)).toMatchObject({size: 10, holdings: 3});
		alice.catalog.change({op: 'remove', path: 's/a.bin'});
		alice.catalog.change(add('s/b.bin', 'c'));
		alice.index.catalogChanged();
		await waitFor('the old content to be gone', async () => (await held('b')) === undefined);
		expect(await held('c')).toEqual([1]);
		expect((await held('a'))?.sort()).toEqual([1, 2]);
		// A new catalog in place of the old one: what is not in it goes, in the background.
		await alice.stop();
		const fresh = await world.peer(one, 'alice', [add('s/new.bin', 'new')], alice.identity);
		await waitFor('the old catalog to be gone', async () => (await held('c')) === undefined);
		// It goes step by step.
		await waitFor('the other old path to be gone', async () => String(await held('a')) === '2');
		expect(await held('new')).toEqual([1]);
		for (const peer of [fresh, bob]) {
			await peer.stop();
			await one.store.leave(peer.identity.id);
		}
		await waitFor('nothing to be left', async () => (await registryKeys()).length === 0);
	});

	test('write the registry of files anew without what is over, while peers add to it', async () => {
		const one = await world.server();
		const files = new FileRegistry(link);
		const many = (from: number) => Array.from({length: 600}, (_, at) => add(`s/${from + at}.bin`, `many ${from + at}`));
		const alice = await world.peer(one, 'alice', many(0));
		const bob = await world.peer(one, 'bob', many(300));
		/** Every row that is stored, whether it says something or not. */
		const rows = async () => {
			const lists = (await registryKeys()).map(key =>
				link.call<Buffer[]>(key, ['LRANGE', key, '0', '-1'], {buffers: true}),
			);
			return (await Promise.all(lists)).flat().reduce((sum, chunk) => sum + [...readRows(chunk)].length, 0);
		};
		expect(await rows()).toBe(1200);
		await bob.stop();
		await one.store.leave(bob.identity.id);
		for (let at = 0; at < 40; at++) {
			alice.catalog.change(add(`s/later ${at}.bin`, `later ${at}`));
			alice.index.catalogChanged();
			await new Promise(resolve => setTimeout(resolve, 20));
		}
		const dead = async () => {
			const counts = Array.from({length: partitions}, (_, part) =>
				link.call<number>(keys.dead(part), ['HLEN', keys.dead(part)]),
			);
			return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
		};
		await waitFor('all that is over to be taken out', async () => (await dead()) === 0);
		await waitFor('the last files to be taken', async () => (await one.store.counts()).files === 640);
		expect(await rows()).toBe(640);
		for (const content of ['many 0', 'many 599', 'later 0', 'later 39'])
			expect((await files.find(contentId(content), 10))?.holders.map(({number}) => number)).toEqual([1]);
		expect(await files.find(contentId('many 899'), 10)).toBeUndefined();
	});

	test('heal the registry of files when the masters are others than before', async () => {
		const one = await world.server();
		const files = new FileRegistry(link);
		const held = async (content: string) =>
			(await files.find(contentId(content), 10))?.holders.map(({number}) => number);
		const alice = await world.peer(one, 'alice', [add('s/a.bin', 'a'), add('s/below/b.bin', 'b')]);
		await waitFor(
			'it to know the masters',
			async () => (await link.call(keys.meta, ['HEXISTS', keys.meta, 'scrubbed'])) === 1,
		);
		// What a failover may do: writes of one node are lost, and removals as well.
		for (const node of await cluster.masters())
			for (const key of (await node.command('KEYS', '[fg]:{*')) as string[]) await node.command('DEL', key);
		const id = alice.identity.id;
		const {number} = await one.store.getPeer(id);
		await files.apply({number, gen: 1}, [add('s/removed.bin', 'removed')]);
		expect([await held('a'), await held('removed')]).toEqual([undefined, [number]]);
		await link.call(keys.meta, ['HSET', keys.meta, 'scrubbed', 'other masters']);
		await waitFor('all to be there', async () => Boolean((await held('a')) && (await held('b'))));
		await waitFor('what was removed to be gone', async () => (await held('removed')) === undefined);
		// It is all there for changes, too.
		alice.catalog.change({op: 'remove', path: 's/a.bin'});
		alice.index.catalogChanged();
		await waitFor('the removed one to be gone', async () => (await held('a')) === undefined);
		expect(await held('b')).toEqual([number]);
	});

	test('tell what is set dangerously at a master, unless it does not say', async () => {
		const [node] = await cluster.masters();
		const told = async () => {
			const server = await world.server();
			await server.stop();
			return server.told.filter(line => line.includes('set 2000'));
		};
		await node?.command('CONFIG', 'SET', 'cluster-node-timeout', '15000');
		try {
			expect(await told()).toEqual([expect.stringContaining(`:${node?.port}: cluster-node-timeout is above`)]);
			await node?.command('ACL', 'SETUSER', 'default', '-config');
			expect(await told()).toEqual([]);
		} finally {
			await node?.command('ACL', 'SETUSER', 'default', '+@all');
			await node?.command('CONFIG', 'SET', 'cluster-node-timeout', '2000');
		}
	});

	test('begin from a copy of another when the logs no longer go back to the beginning', async () => {
		const one = await world.server();
		const alice = await world.peer(one, 'alice', [add('s/early.bin')]);
		await cutLogs(link);
		alice.catalog.change(add('s/late.bin'));
		alice.index.catalogChanged();
		await waitFor('it to be taken', async () => (await one.find('late')).length === 1);
		const two = await world.server();
		await waitFor('the new server to be whole', () => two.store.cluster.state() === 'whole');
		expect(two.told.join('\n')).toContain('copied the index');
		expect(await two.find('early')).toEqual(['early.bin']);
		expect(await two.find('late')).toEqual(['late.bin']);
		expect((await request(two, '/v1/replica', {identity: alice.identity})).body.code).toBe('refused');
		expect((await request(two, '/v1/replica')).body.code).toBe('needs-identity');
	});

	test('say that they are not whole, and look single contents up in the registry meanwhile', async () => {
		const one = await world.server();
		await world.peer(one, 'alice', [add('s/early.bin', 'early', 5)]);
		await one.stop();
		await cutLogs(link);
		// Nobody has a copy, and for a while one is looked for.
		const two = await world.server();
		expect(two.store.cluster.state()).toBe('catching-up');
		const answer = await request(two, '/v1/search?q=early');
		expect(answer).toMatchObject({status: 503, body: {code: 'catching-up', details: {state: 'catching-up'}}});
		expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
		expect((await request(two, '/v1')).body.cluster.state).toBe('catching-up');
		expect((await request(two, '/v1')).headers['p2p-index']).toBe('catching-up');
		expect((await request(two, '/healthz')).status).toBe(503);
		const found = await request(two, `/v1/files/${contentId('early')}`);
		expect(found.body).toMatchObject({name: 'early.bin', size: 5, sources: [{name: 'alice', number: 1}]});
		// In the end it begins anew: alice, who thinks that all is known, is asked for everything, and keeps her number.
		await waitFor('it to begin anew', () => two.store.cluster.state() === 'whole');
		expect(two.told.join('\n')).toContain('every peer is asked for its catalog again');
	});

	test('without any copy ask the peers again, who keep their numbers', async () => {
		const one = await world.server();
		await world.peer(one, 'zoe', []);
		const alice = await world.peer(one, 'alice', [add('s/early.bin')]);
		await alice.stop();
		await one.stop();
		await cutLogs(link);
		const two = await world.server();
		await waitFor('it to begin anew', () => two.store.cluster.state() === 'whole');
		const back = await world.peer(two, 'alice', [add('s/early.bin')], alice.identity);
		expect(back.index.link().number).toBe(2);
		await waitFor('it to be found', async () => (await two.find('early')).length === 1);
	});

	test('ask a peer for its whole catalog where a part of it is missing from the log', async () => {
		const one = await world.server();
		const alice = await world.peer(one, 'alice', [add('s/early.bin')]);
		const log = keys.log(partitionOf(alice.identity.id));
		const lost = await link.call<[string][]>(log, ['XRANGE', log, '-', '+']);
		for (const name of ['middle', 'late']) {
			alice.catalog.change(add(`s/${name}.bin`));
			alice.index.catalogChanged();
			await waitFor('it to be taken', async () => (await one.find(name)).length === 1);
		}
		const [, ...uploads] = lost;
		await link.call(log, ['XDEL', log, ...uploads.map(([id]) => id)]);
		const two = await world.server();
		await waitFor('the second server to have all of it', async () => (await two.find('bin')).length === 3);
		expect(two.told.join('\n')).toContain('asked for again');
		// The catalog that came again takes the place of the other, here and there when each comes to it.
		await waitFor('the second to count it once', async () => (await two.store.counts()).files === 3);
		await waitFor('the first to have it as well', async () => (await one.find('bin')).length === 3);
	});

	test('start again from their own file and read only what came since', async () => {
		const identity = await temporaryIdentity();
		const one = await world.server({identity, trimEvery: 200, keepLog: 0});
		const alice = await world.peer(one, 'alice', [add('s/early.bin')]);
		const log = keys.log(partitionOf(alice.identity.id));
		await waitFor('the log to be cut', async () => Number(await link.call(log, ['XLEN', log])) <= 1);
		await alice.stop();
		await one.stop();
		const again = await world.server({identity, folder: one.folder});
		expect(again.store.cluster.state()).toBe('whole');
		expect(again.told).toEqual([]);
		const back = await world.peer(again, 'alice', [], alice.identity);
		expect(back.index.link().number).toBe(1);
		expect((await again.store.counts()).peers).toBe(1);
	});
});
