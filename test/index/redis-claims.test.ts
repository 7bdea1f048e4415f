// Work that one index server does at a time, on a real cluster: who stood still for too long has lost it to another.
import {copyFileSync} from 'node:fs';
import path from 'node:path';
import {afterEach, describe, expect, test} from 'vitest';
import {Claim} from '../../source/index/redis/claim.ts';
import {Compactor} from '../../source/index/redis/compactor.ts';
import {FileRegistry} from '../../source/index/redis/file-registry.ts';
import {readRows} from '../../source/index/redis/holding-rows.ts';
import {keys, partitionOf} from '../../source/index/redis/keys.ts';
import {ReadModel} from '../../source/index/redis/read-model.ts';
import {RedisLink} from '../../source/index/redis/redis-link.ts';
import {parseRedisUrl} from '../../source/index/redis/redis-url.ts';
import * as scripts from '../../source/index/redis/scripts.ts';
import {Scrubber} from '../../source/index/redis/scrubber.ts';
import {type ClusterWorld, overOneCluster} from '../helpers/cluster-servers.ts';
import {add, contentId, type TestPeer, temporaryFolder} from '../helpers/index.ts';
import {hasRedisServer, type RedisCluster} from '../helpers/redis-cluster.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** Where a server stands still until it is let go on. */
class Gate {
	readonly #open = Promise.withResolvers<void>();
	/** How often somebody came to it. */
	passed = 0;

	async pass(): Promise<void> {
		this.passed++;
		await this.#open.promise;
	}

	open(): void {
		this.#open.resolve();
	}
}

/** A registry whose writes stand still. */
class GatedRegistry extends FileRegistry {
	readonly gate = new Gate();

	override async apply(...values: Parameters<FileRegistry['apply']>) {
		await this.gate.pass();
		return super.apply(...values);
	}
}

/** A link whose looks at lists stand still. */
class GatedLink extends RedisLink {
	readonly gate = new Gate();

	override async call<T>(...[key, parts, options]: Parameters<RedisLink['call']>): Promise<T> {
		if (parts[0] === 'LRANGE') await this.gate.pass();
		return super.call(key, parts, options);
	}
}

describe.skipIf(!(await hasRedisServer()))('work that one server does at a time', () => {
	let cluster: RedisCluster;
	let world: ClusterWorld;
	let link: RedisLink;
	let stops: (() => Promise<void> | void)[];

	overOneCluster(each => {
		({cluster, world, link} = each);
		stops = [];
	});

	afterEach(async () => {
		for (const stop of stops.toReversed()) await stop();
	});

	const holder = (claim: string) => link.call<string | null>(claim, ['GET', claim]);

	/** As when its holder stood still for longer than it lasts. */
	async function expire(claim: string): Promise<void> {
		await link.call(claim, ['PEXPIRE', claim, '1']);
		await waitFor('the claim to expire', async () => (await holder(claim)) === null);
	}

	/** Its holder stands still for longer than a busy machine lets the test take. @returns the token */
	async function stretch(claim: string): Promise<string | null> {
		await link.call(claim, ['PEXPIRE', claim, '3600000']);
		return holder(claim);
	}

	async function keysOf(pattern: string): Promise<string[]> {
		const all = await Promise.all((await cluster.masters()).map(node => node.command('KEYS', pattern)));
		return (all as string[][]).flat();
	}

	/** Every row of the registry of files, whether it says something or not. */
	async function rows(): Promise<number> {
		const lists = (await keysOf('[fg]:{*')).map(key =>
			link.call<Buffer[]>(key, ['LRANGE', key, '0', '-1'], {buffers: true}),
		);
		return (await Promise.all(lists)).flat().reduce((sum, chunk) => sum + [...readRows(chunk)].length, 0);
	}

	/** Two peers that registered at a server which has ended, and the folder with its read model. */
	async function registered(filesEach: number): Promise<{peers: TestPeer[]; folder: string}> {
		const server = await world.server();
		await waitFor(
			'it to know the masters',
			async () => (await link.call(keys.meta, ['HEXISTS', keys.meta, 'scrubbed'])) === 1,
		);
		const peers: TestPeer[] = [];
		for (const name of ['alice', 'bob']) {
			const files = Array.from({length: filesEach}, (_, at) => add(`s/${name} ${at}.bin`));
			const peer = await world.peer(server, name, files);
			await waitFor('it to be taken', async () => (await server.store.getPeer(peer.identity.id)).files === filesEach);
			peers.push(peer);
		}
		for (const peer of peers) await peer.stop();
		await server.stop();
		return {peers, folder: server.folder};
	}

	test('is given to one, until that one ends it', async () => {
		const [one, two] = [new Claim(link, keys.scrubbing), new Claim(link, keys.scrubbing)];
		expect([await one.take(), await two.take()]).toEqual([true, false]);
		expect([await one.renew(), await two.renew()]).toEqual([true, false]);
		await two.release();
		expect(await one.renew()).toBe(true);
		await one.release();
		expect([await one.renew(), await two.take()]).toEqual([false, true]);
	});

	test('is neither prolonged nor ended by the one that it was taken over from', async () => {
		const claim = keys.compacting;
		const [one, two] = [new Claim(link, claim, 60_000), new Claim(link, claim, 3_600_000)];
		expect(await one.take()).toBe(true);
		await expire(claim);
		expect(await one.renew()).toBe(false);
		expect(await two.take()).toBe(true);
		const token = await holder(claim);
		expect(await one.renew()).toBe(false);
		await one.release();
		expect(await holder(claim)).toBe(token);
		expect(await link.call<number>(claim, ['PTTL', claim])).toBeGreaterThan(60_000);
		expect(await two.renew()).toBe(true);
		await two.release();
		expect(await holder(claim)).toBeNull();
	});

	test('is the same taking when the answer was lost and it is sent again', async () => {
		const take = () => link.run<number>(scripts.takeClaim, [keys.scrubbing], ['token', '60000']);
		expect([await take(), await take()]).toEqual([1, 1]);
		expect(await link.run<number>(scripts.takeClaim, [keys.scrubbing], ['another', '60000'])).toBe(0);
	});

	test('healing the registry is left to the server that has taken it over', async () => {
		const {folder} = await registered(1);
		const {folder: other, remove} = temporaryFolder();
		stops.push(remove);
		copyFileSync(path.join(folder, 'cluster.db'), path.join(other, 'cluster.db'));
		const [id = '', lineage = ''] = await link.call<string[]>(keys.meta, ['HMGET', keys.meta, 'id', 'lineage']);
		const scrubber = async (dataDir: string, self: string) => {
			const [model, files] = [new ReadModel(dataDir, console.warn), new GatedRegistry(link)];
			await model.open(id);
			stops.push(() => model.close());
			let looks = 0;
			const ready = () => ++looks > 0;
			const failed = (error: unknown) => console.error(error);
			const work = new Scrubber({link, model, files, self, lineage: () => lineage, ready, failed});
			stops.push(() => {
				files.gate.open();
				return work.stop();
			});
			return {gate: files.gate, start: () => work.start(), looks: () => looks};
		};
		const [one, two] = [await scrubber(folder, 'server one'), await scrubber(other, 'server two')];
		const masters = await link.call<string>(keys.meta, ['HGET', keys.meta, 'scrubbed']);
		for (const key of await keysOf('f:{*')) await link.call(key, ['DEL', key]);
		await link.call(keys.meta, ['HSET', keys.meta, 'scrubbed', 'other masters']);

		one.start();
		await waitFor('the first to write a peer', () => one.gate.passed === 1);
		await expire(keys.scrubbing);
		two.start();
		await waitFor('the second to write it, too', () => two.gate.passed === 1);
		const token = await stretch(keys.scrubbing);
		const before = one.looks();
		one.gate.open();
		// Each round begins with one.
		await waitFor('the first to have given up, and looked again', () => one.looks() >= before + 3);
		expect(one.gate.passed).toBe(1);
		expect(await holder(keys.scrubbing)).toBe(token);
		expect(await link.call(keys.meta, ['HGET', keys.meta, 'scrubbed'])).toBe('other masters');

		two.gate.open();
		await waitFor('the second to be done', async () => {
			const done = await link.call(keys.meta, ['HGET', keys.meta, 'scrubbed']);
			return done === masters && (await holder(keys.scrubbing)) === null;
		});
		expect([one.gate.passed, two.gate.passed]).toEqual([1, 2]);
		const files = new FileRegistry(link);
		for (const [index, name] of ['alice', 'bob'].entries()) {
			const found = await files.find(contentId(`s/${name} 0.bin`), 10);
			expect(found).toMatchObject({holdings: 1, holders: [{number: index + 1}]});
		}
	});

	test('writing the registry anew is left to the server that has taken it over', async () => {
		const {peers} = await registered(600);
		const gone = peers[1]?.identity.id ?? '';
		const part = partitionOf(gone);
		await link.run(scripts.removePeer, [keys.peer(gone), keys.log(part), keys.dead(part)], [gone]);
		expect(await rows()).toBe(1200);
		const compactor = async () => {
			const own = new GatedLink(parseRedisUrl(cluster.url));
			await own.open();
			let looks = 0;
			const files = () => {
				looks++;
				return 600;
			};
			const work = new Compactor({link: own, files, failed: error => console.error(error)});
			stops.push(async () => {
				own.gate.open();
				await work.stop();
				await own.close();
			});
			return {gate: own.gate, start: () => work.start(), looks: () => looks};
		};
		const [one, two] = [await compactor(), await compactor()];
		one.start();
		await waitFor('the first to read a bucket', () => one.gate.passed === 1);
		await expire(keys.compacting);
		two.start();
		await waitFor('the second to read it, too', () => two.gate.passed === 1);
		const token = await stretch(keys.compacting);
		const before = one.looks();
		one.gate.open();
		await waitFor('the first to have given up, and looked again', () => one.looks() >= before + 2);
		// What it had begun it ended, and no more.
		expect(one.gate.passed).toBe(1);
		expect(await holder(keys.compacting)).toBe(token);
		two.gate.open();
		await waitFor('the second to be done', async () => {
			const left = await link.call<number>(keys.dead(part), ['HLEN', keys.dead(part)]);
			return left === 0 && (await holder(keys.compacting)) === null;
		});
		expect(await rows()).toBe(600);
		const files = new FileRegistry(link);
		for (const at of [0, 599])
			expect(await files.find(contentId(`s/alice ${at}.bin`), 10)).toMatchObject({holders: [{number: 1}]});
	});

	test('a bucket that another server has begun anew is not put in place', async () => {
		const [key, fresh] = [keys.bucket(1), keys.fresh(1)];
		await link.call(key, ['RPUSH', key, 'old 1', 'old 2']);
		await link.call(fresh, ['RPUSH', fresh, 'token of another', 'new 1']);
		const replace = (token: string) =>
			link.run<number>(scripts.replaceBucket, [key, fresh], ['2', 'old 2', '1', token]);
		expect(await replace('own token')).toBe(0);
		expect(await link.call(fresh, ['LLEN', fresh])).toBe(2);
		await link.call(key, ['RPUSH', key, 'came meanwhile']);
		expect(await replace('token of another')).toBe(1);
		expect(await link.call(key, ['LRANGE', key, '0', '-1'])).toEqual(['new 1', 'came meanwhile']);
		expect(await link.call(fresh, ['EXISTS', fresh])).toBe(0);
	});
});
