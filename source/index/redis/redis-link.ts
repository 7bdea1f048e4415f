import {setTimeout as sleep} from 'node:timers/promises';
import {createClient, createCluster, RESP_TYPES, type RedisClusterType} from 'redis';
import {P2pError} from '../../core/errors.ts';
import {isLoss, isTransient, openingError} from './redis-errors.ts';
import {describePlace, type RedisPlace} from './redis-url.ts';
import type {Script} from './scripts.ts';

/** Milliseconds for one answer of one node; a frozen or cut off node gives none. */
const answerTimeout = 2500;
/** Milliseconds in which a command is tried again: a replica takes over within about five seconds. */
const defaultPatience = 20_000;
/** Milliseconds between two looks at who holds what, while something does not work. */
const refreshPause = 300;
/** Milliseconds for a connection. */
const connectTimeout = 1500;
/** The oldest Redis that has sharded pub/sub. */
const oldestMajor = 7;

type Cluster = RedisClusterType;
type Argument = string | Buffer;

/** What a call may take. `troubled` is told when it has to be sent again because a node was lost. */
export type CallOptions = {patience?: number; buffers?: boolean; troubled?: () => void};

/** What the link has seen, for /metrics. */
export type LinkStats = {retries: number; refreshes: number};

/**
 * The connection to a cluster. Commands wait and are tried again while a master is dead, slots move or the network is
 * gone, so everything that is sent must do no harm when it is done twice. The client library finds nodes and follows
 * redirections; when a node does not answer, a client with a fresh view takes its place.
 */
export class RedisLink {
	readonly place: RedisPlace;
	readonly stats: LinkStats = {retries: 0, refreshes: 0};
	/** The address of this machine as the cluster sees it. */
	seenFrom = '';
	#cluster: Cluster | undefined;
	#buffers: Cluster | undefined;
	#known: RedisPlace['nodes'];
	#refreshing: Promise<void> | undefined;
	#lastRefresh = 0;
	readonly #closed = new AbortController();
	readonly #channels = new Map<string, (message: string) => void>();

	constructor(place: RedisPlace) {
		this.place = place;
		this.#known = place.nodes;
	}

	/**
	 * Connects, and checks that what answers is a cluster that is new enough and whole.
	 *
	 * @throws P2pError unreachable, refused (wrong password), usage (no cluster, too old)
	 */
	async open(): Promise<void> {
		await this.#check();
		await this.#connect();
	}

	/** Ends all connections; calls that wait fail. */
	async close(): Promise<void> {
		this.#closed.abort(new P2pError('cancelled', 'The connection to the Redis Cluster is closed'));
		this.#cluster?.destroy();
	}

	/** One command. `key`: decides the node. */
	call<T>(key: Argument, parts: Argument[], options: CallOptions = {}): Promise<T> {
		return this.#persist(cluster => cluster.sendCommand(key, false, parts) as Promise<T>, options);
	}

	/** A script over keys of one slot. Sent by its hash, and whole to a node that does not know it yet. */
	run<T>(script: Script, keys: Argument[], values: Argument[], options: CallOptions = {}): Promise<T> {
		const [key] = keys;
		const rest = [String(keys.length), ...keys, ...values];
		return this.#persist(async cluster => {
			try {
				return (await cluster.sendCommand(key, false, ['EVALSHA', script.hash, ...rest])) as T;
			} catch (error) {
				if (!String((error as Error).message).startsWith('NOSCRIPT')) throw error;
				return (await cluster.sendCommand(key, false, ['EVAL', script.text, ...rest])) as T;
			}
		}, options);
	}

	/** Listens on a sharded channel (SSUBSCRIBE), also after nodes changed. */
	async listen(channel: string, heard: (message: string) => void): Promise<void> {
		this.#channels.set(channel, heard);
		await this.#subscribe(this.#cluster, channel, heard);
	}

	/** Listens no longer. */
	async unlisten(channel: string): Promise<void> {
		this.#channels.delete(channel);
		await Promise.resolve(this.#cluster?.sUnsubscribe(channel)).catch(() => undefined);
	}

	/** The addresses of the masters as last seen. */
	get masters(): string[] {
		return (this.#cluster?.masters ?? []).map(({address}) => address);
	}

	/** One command to every master, by its address; those that do not answer, or may not, are left out. */
	async askMasters<T>(parts: Argument[]): Promise<Map<string, T>> {
		const answers = new Map<string, T>();
		const cluster = this.#cluster;
		await Promise.all(
			(cluster?.masters ?? []).map(async node => {
				try {
					const client = await cluster?.nodeClient(node);
					if (client) answers.set(node.address, (await answered(client.sendCommand(parts))) as T);
				} catch {
					// What it says is not needed for anything.
				}
			}),
		);
		return answers;
	}

	async #persist<T>(send: (cluster: Cluster) => Promise<T>, options: CallOptions): Promise<T> {
		const {patience = defaultPatience, buffers, troubled} = options;
		const end = Date.now() + patience;
		for (let attempt = 0; ; attempt++) {
			const cluster = buffers ? this.#buffers : this.#cluster;
			try {
				if (!cluster) throw new P2pError('unreachable', 'The Redis Cluster is not connected');
				return await answered(send(cluster));
			} catch (error) {
				this.#closed.signal.throwIfAborted();
				if (!isTransient(error)) throw error;
				this.stats.retries++;
				if (isLoss(error)) troubled?.();
				if (Date.now() > end)
					throw new P2pError('unreachable', `The Redis Cluster at ${describePlace(this.place)} does not answer`, {
						hint: 'Look at redis-cli --cluster check; calls go through again once it is whole',
						cause: error,
					});
				if (isLoss(error)) this.#refresh();
				await sleep(Math.min(200, 20 * 2 ** attempt) * (0.5 + Math.random() / 2));
			}
		}
	}

	/** Puts a client in place that has asked anew who holds what; one at a time, and not too often. */
	#refresh(): void {
		if (this.#refreshing || this.#closed.signal.aborted || Date.now() - this.#lastRefresh < refreshPause) return;
		this.stats.refreshes++;
		this.#refreshing = this.#connect()
			.catch(() => undefined)
			.then(() => {
				this.#lastRefresh = Date.now();
				this.#refreshing = undefined;
			});
	}

	async #connect(): Promise<void> {
		const cluster = this.#create();
		await cluster.connect();
		if (this.#closed.signal.aborted) return cluster.destroy();
		const before = this.#cluster;
		this.#cluster = cluster;
		this.#buffers = cluster.withTypeMapping({[RESP_TYPES.BLOB_STRING]: Buffer}) as never;
		const seen = [...cluster.masters, ...cluster.replicas].map(({host, port}) => ({host, port}));
		const all = [...seen, ...this.#known, ...this.place.nodes];
		const unique = new Map(all.map(node => [`${node.host}:${node.port}`, node]));
		this.#known = [...unique.values()].slice(0, 64);
		// What is under way on nodes that work may come to its end.
		if (before) setTimeout(() => before.destroy(), answerTimeout).unref();
		for (const [channel, heard] of this.#channels) void this.#subscribe(cluster, channel, heard);
	}

	#create(): Cluster {
		const {username, password, tls} = this.place;
		const secure = tls ? {tls: true as const} : {};
		const cluster = createCluster({
			RESP: 2,
			// A node that takes the connection and says nothing must not hold up the look at the others.
			rootNodes: this.#known.map(({host, port}) => ({
				socket: {host, port, connectTimeout, socketTimeout: answerTimeout, ...secure},
			})),
			defaults: {
				...(username && {username}),
				...(password && {password}),
				// A dead node is given up soon: by then the look at the others has found who took its place.
				socket: {connectTimeout, reconnectStrategy: retries => (retries < 3 ? 50 * 2 ** retries : false), ...secure},
				disableOfflineQueue: true,
				maintNotifications: 'disabled',
				commandsQueueMaxLength: 100_000,
			},
			// Nodes are connected when they are needed: a dead one must not keep the rest from being reached.
			minimizeConnections: true,
			topologyRefreshOnReconnectionAttemptStrategy: refreshPause,
		});
		// Failures show in the commands that they hit.
		cluster.on('error', () => undefined);
		cluster.on('node-error', () => undefined);
		return cluster as unknown as Cluster;
	}

	async #subscribe(cluster: Cluster | undefined, channel: string, heard: (message: string) => void): Promise<void> {
		try {
			const listening = cluster?.sSubscribe(channel, message => {
				if (cluster === this.#cluster) heard(message);
			});
			// A client that is taken out of use meanwhile never says how it ended.
			if (listening) await answered(listening);
		} catch {
			// What was missed is noticed by its number; see presence-board.ts.
		}
	}

	/** Looks at each node for one that is what we need, and tells the most telling failure where there is none. */
	async #check(): Promise<void> {
		const failures: unknown[] = [];
		for (const node of this.#known) {
			const {username, password, tls} = this.place;
			const socket = {...node, connectTimeout, socketTimeout: 2 * answerTimeout, reconnectStrategy: false as const};
			const client = createClient({
				RESP: 2,
				username,
				password,
				maintNotifications: 'disabled',
				socket: tls ? {...socket, tls: true as const} : socket,
			});
			client.on('error', () => undefined);
			try {
				await client.connect();
				const info = String(await client.sendCommand(['INFO', 'server']));
				const version = /redis_version:(\d+)\.(\S+)/.exec(info);
				if (Number(version?.[1]) < oldestMajor)
					throw new P2pError('usage', `Redis ${version?.[1]}.${version?.[2]} is too old for this`, {
						hint: `Redis ${oldestMajor} or newer is needed, or Valkey`,
					});
				const state = String(await client.sendCommand(['CLUSTER', 'INFO']));
				if (/cluster_slots_assigned:0/.test(state))
					throw new P2pError('usage', 'That Redis is in cluster mode, but no slots are given to anybody', {
						hint: 'Make a cluster of the nodes with redis-cli --cluster create, see docs/operations.md',
					});
				this.seenFrom = addressIn(String(await client.sendCommand(['CLIENT', 'INFO'])));
				return;
			} catch (error) {
				failures.push(error);
			} finally {
				client.destroy();
			}
		}
		throw openingError(failures, this.place);
	}
}

/** The host in the `addr` of CLIENT INFO. */
function addressIn(info: string): string {
	return /(?:^|\s)addr=(.*):\d+(?:\s|$)/.exec(info)?.[1]?.replace(/^\[|\]$/g, '') ?? '';
}

/** The answer, or a failure when there is none in time. */
async function answered<T>(reply: Promise<T>): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(Object.assign(new Error('no answer'), {code: 'ETIMEDOUT'})), answerTimeout);
	});
	try {
		return await Promise.race([reply, late]);
	} finally {
		clearTimeout(timer);
		reply.catch(() => undefined);
	}
}
