// Index servers over a Redis Cluster, in the test's process, and peers of theirs.
import {afterAll, afterEach, beforeAll, beforeEach} from 'vitest';
import {parseQuery} from '../../source/api/query.ts';
import type {CatalogChange} from '../../source/api/schemas.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {keys, partitions} from '../../source/index/redis/keys.ts';
import {RedisLink} from '../../source/index/redis/redis-link.ts';
import {RedisStore} from '../../source/index/redis/redis-store.ts';
import type {RedisStoreOptions} from '../../source/index/redis/redis-store-options.ts';
import {parseRedisUrl} from '../../source/index/redis/redis-url.ts';
import {add, makePeer, startServer, type TestPeer, type TestServer, temporaryFolder} from './index.ts';
import {type RedisCluster, startRedisCluster} from './redis-cluster.ts';
import {waitFor} from './wait-for.ts';

/** An index server of a cluster. */
export type ClusterServer = Omit<TestServer, 'store'> & {
	store: RedisStore;
	folder: string;
	/** What it said went wrong. */
	told: string[];
	/** Names that a search here finds. */
	find(query: string): Promise<string[]>;
};

/** How one is started. `folder`: of an earlier one. */
export type ClusterServerOptions = Partial<RedisStoreOptions> & {folder?: string; identity?: Identity};

/** Everything that a test started, in the order in which it is stopped. */
export class ClusterWorld {
	readonly #stops: (() => Promise<void> | void)[] = [];
	readonly #cluster: RedisCluster;

	constructor(cluster: RedisCluster) {
		this.#cluster = cluster;
	}

	/** Starts an index server; it is there when this resolves, though maybe still catching up. */
	async server(options: ClusterServerOptions = {}): Promise<ClusterServer> {
		const own = options.folder ? undefined : temporaryFolder();
		const folder = options.folder ?? own?.folder ?? '';
		if (own) this.#stops.push(own.remove);
		const identity = options.identity ?? (await temporaryIdentity());
		const told: string[] = [];
		const log = (level: string, message: string) => void told.push(`${level} ${message}`);
		const store = new RedisStore({url: this.#cluster.url, dataDir: folder, log, ...options, identity});
		await store.open();
		const server = await startServer({identity, store});
		store.cluster.announce({host: '127.0.0.1', port: server.port, name: 'test'});
		let stopped: Promise<void> | undefined;
		const stop = () => (stopped ??= server.stop().then(() => store.close()));
		this.#stops.push(stop);
		const find = async (query: string) => (await store.search(parseQuery(query))).hits.map(({name}) => name);
		return {...server, store, folder, told, find, stop};
	}

	/** Starts a peer that is registered at a server and online there. */
	async peer(
		server: {address: string},
		name: string,
		files: CatalogChange[] = [],
		identity?: Identity,
	): Promise<TestPeer> {
		const peer = await makePeer(server.address, {name, files, identity});
		this.#stops.push(peer.stop);
		peer.index.start();
		await waitFor(`${name} to be online`, () => peer.index.link().state === 'online');
		return peer;
	}

	/** Stops everything, last first. */
	async stop(): Promise<void> {
		for (const stop of this.#stops.toReversed()) await stop();
	}
}

/** What each test of a suite over one cluster has: the cluster, emptied, nothing started in it yet, and a link to it. */
type ClusterTest = {cluster: RedisCluster; world: ClusterWorld; link: RedisLink};

/** Starts one cluster for all tests of a suite. @param begin told before each test what it has */
export function overOneCluster(begin: (each: ClusterTest) => void): void {
	let cluster: RedisCluster;
	let link: RedisLink;
	let world: ClusterWorld;
	beforeAll(async () => {
		cluster = await startRedisCluster();
		link = new RedisLink(parseRedisUrl(cluster.url));
		await link.open();
	});
	afterAll(async () => {
		await link?.close();
		await cluster?.stop();
	});
	beforeEach(async () => {
		await cluster.flush();
		world = new ClusterWorld(cluster);
		begin({cluster, world, link});
	});
	afterEach(() => world.stop());
}

/** Cuts all logs behind what is there now, as servers do in time. */
export async function cutLogs(link: RedisLink): Promise<void> {
	for (let part = 0; part < partitions; part++) {
		const log = keys.log(part);
		const [last] = await link.call<[string, string[]][]>(log, ['XREVRANGE', log, '+', '-', 'COUNT', '1']);
		if (!last) continue;
		await link.call(keys.trimmed(part), ['SET', keys.trimmed(part), last[0]]);
		await link.call(log, ['XTRIM', log, 'MINID', last[0]]);
	}
}

/** Adds a file to a peer's catalog again and again, until stopped; tells which are there by the server's word. */
export function keepAdding(peer: TestPeer, pause = 60): {acknowledged(): string[]; stop(): Promise<string[]>} {
	const made: string[] = [];
	let taken = 0;
	let running = true;
	const off = peer.bus.on('registered', ({files}) => {
		taken = Math.max(taken, files);
	});
	const before = peer.catalog.files;
	const work = (async () => {
		while (running) {
			const name = `made${String(made.length).padStart(5, '0')}x.bin`;
			made.push(name);
			peer.catalog.change(add(`s/${name}`));
			peer.index.catalogChanged();
			await new Promise(resolve => setTimeout(resolve, pause));
		}
	})();
	const acknowledged = () => made.slice(0, Math.max(0, taken - before));
	return {
		acknowledged,
		async stop() {
			running = false;
			await work;
			await waitFor('the last file to be taken', () => acknowledged().length === made.length);
			off();
			return made;
		},
	};
}

/** Searches again and again, until stopped; tells how many went through, the longest pause between two, and what failed. */
export function keepSearching(server: ClusterServer, query: string) {
	let count = 0;
	let longest = 0;
	let running = true;
	const failures: string[] = [];
	const work = (async () => {
		let last = Date.now();
		while (running) {
			try {
				const found = await server.find(query);
				if (found.length === 0) failures.push('found nothing');
				count++;
			} catch (error) {
				failures.push(String(error));
			}
			longest = Math.max(longest, Date.now() - last);
			last = Date.now();
			await new Promise(resolve => setTimeout(resolve, 5));
		}
	})();
	return {
		async stop() {
			running = false;
			await work;
			return {count, longest, failures};
		},
	};
}
