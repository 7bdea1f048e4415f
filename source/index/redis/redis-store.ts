import {randomBytes, randomUUID} from 'node:crypto';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {ParsedQuery} from '../../api/query.ts';
import type {CatalogChange, PeerInfo} from '../../api/schemas.ts';
import {Emitter} from '../../core/emitter.ts';
import {errorLine, P2pError} from '../../core/errors.ts';
import {SqliteStore} from '../sqlite/sqlite-store.ts';
import type {
	AppliedChanges,
	ChangeRange,
	ClusterNews,
	ClusterSide,
	IndexState,
	IndexStore,
	PageOptions,
	Registration,
	SearchOptions,
	SearchTextOptions,
} from '../store.ts';
import {packChanges} from './change-codec.ts';
import {formatVersion, keys, partitionOf, partitions} from './keys.ts';
import {writeInfo} from './log-entry.ts';
import {LogFollower} from './log-follower.ts';
import {PresenceBoard} from './presence-board.ts';
import {RedisLink} from './redis-link.ts';
import {describePlace, parseRedisUrl} from './redis-url.ts';
import * as scripts from './scripts.ts';

/** Changes in one entry of a log: some 200 KB. */
const entryChanges = 4000;
/** Milliseconds that an upload may rest before another of the same peer may take its place. */
const uploadRest = 10_000;
/** Milliseconds without a word of a log after which the read model counts as stale: a failover takes a third of it. */
const staleAfter = 30_000;
/** Milliseconds between two notes of how far the read model is. */
const noteEvery = 1000;
/** Milliseconds that a lost peer has to come back, maybe at another server, before listeners here are told. */
const grace = 500;
/** Seconds after which a caller may try again while this server is not whole. */
const retryAfter = 2;

/** Milliseconds that a start waits for the read model to be whole. */
const settleAtStart = 3000;

/** What a store needs besides the cluster's address. */
export type RedisStoreOptions = {
	/** `redis://host:port,…`; see redis-url.ts. */
	url: string;
	/** Where the read model lies. */
	dataDir: string;
	/** This server's ID. */
	server: string;
	/** Told of what goes wrong beside the calls. */
	log?(level: 'info' | 'warn' | 'error', message: string): void;
};

type Notes = {cluster: string; positions: string[]; highest: number};

/**
 * The index over a Redis Cluster (DESIGN section 6). The cluster has the registry of peers and files and an ordered log of
 * what happens to them; this server applies the log to an SQLite read model of its own and answers from that. Calls that
 * change something go through when the cluster has them and the read model here as well, so that who asks here afterwards
 * sees them; the other servers follow within a fraction of a second.
 */
export class RedisStore implements IndexStore {
	readonly cluster: ClusterSide;
	readonly #options: RedisStoreOptions;
	readonly #link: RedisLink;
	readonly #board: PresenceBoard;
	readonly #news = new Emitter<ClusterNews>();
	readonly #receiving = new Set<string>();
	readonly #leaving = new Map<string, NodeJS.Timeout>();
	#read: SqliteStore;
	#followers: LogFollower[] = [];
	#notes: Notes = {cluster: '', positions: [], highest: 0};
	#lineage = '1';
	#noted = '';
	#noteTimer: NodeJS.Timeout | undefined;
	#gap = false;
	#place = {host: '', port: 0, name: ''};
	/** Changes of presence in the read model, one after the other. */
	#presence: Promise<void> = Promise.resolve();

	constructor(options: RedisStoreOptions) {
		this.#options = options;
		this.#link = new RedisLink(parseRedisUrl(options.url));
		this.#read = this.#readModel();
		this.#board = new PresenceBoard({
			link: this.#link,
			self: options.server,
			card: () => ({
				...this.#place,
				host: this.#hostForOthers(),
				whole: this.#state() === 'whole',
				positions: this.#notes.positions,
			}),
			changed: (id, online) => this.#presenceChanged(id, online),
			failed: error => this.#failed(error),
		});
		this.cluster = {
			news: this.#news,
			state: () => this.#state(),
			announce: place => {
				this.#place = place;
			},
			servers: () => 1 + [...this.#board.servers().values()].filter(({alive}) => alive).length,
			gauges: () => this.#gauges(),
		};
	}

	async open(): Promise<void> {
		try {
			await this.#link.open();
			const [format, cluster = '', lineage] = await this.#link.run<string[]>(
				scripts.nameCluster,
				[keys.meta],
				[String(formatVersion), randomBytes(16).toString('hex')],
			);
			if (Number(format) !== formatVersion)
				throw new P2pError('bad-database', 'Another version of p2p-tui wrote what is in this Redis Cluster', {
					hint: 'Run the same version on every index server',
				});
			this.#lineage = lineage ?? '1';
			await this.#read.open();
			const text = await this.#read.readNote('cluster');
			this.#notes = text ? (JSON.parse(text) as Notes) : {cluster, positions: [], highest: 0};
			this.#follow();
			await this.#board.start();
			this.#noteTimer = setInterval(() => void this.#note().catch(error => this.#failed(error)), noteEvery);
			await this.#settle();
		} catch (error) {
			await this.close();
			throw error;
		}
	}

	async close(): Promise<void> {
		clearInterval(this.#noteTimer);
		for (const timer of this.#leaving.values()) clearTimeout(timer);
		await this.#board.close();
		await Promise.all(this.#followers.map(follower => follower.stop()));
		await this.#presence;
		if (this.#followers.length > 0) await this.#note().catch(() => undefined);
		await this.#link.close();
		await this.#read.close();
	}

	async register(peer: Registration) {
		this.#needWhole();
		const at = [keys.peer(peer.id), keys.log(partitionOf(peer.id))];
		const register = (number: string, force = '0') =>
			this.#link.run<string[]>(scripts.registerPeer, at, [peer.id, number, writeInfo(peer), this.#lineage, force]);
		let answer = await register('');
		if (answer.length === 0) answer = await register(await this.#takeNumber());
		// A failover that set the counter back has given the same number twice.
		else if (await this.#isTaken(Number(answer[0]), peer.id)) answer = await register(await this.#takeNumber(), '1');
		const [number, epoch, version, entry] = answer;
		if (entry) await this.#applied(peer.id, entry);
		else await this.#read.register({...peer, number: Number(number)});
		return {number: Number(number), have: epoch ? {epoch, version: Number(version)} : null};
	}

	async applyChanges(id: string, range: ChangeRange, batches: AsyncIterable<CatalogChange[]>): Promise<AppliedChanges> {
		this.#needWhole();
		const {epoch, from, to} = range;
		if (to < from) throw new P2pError('bad-request', `The changes end (${to}) before they start (${from})`);
		const token = randomUUID();
		const at = [keys.peer(id), keys.log(partitionOf(id))];
		const values = [id, token, epoch, String(from), String(to), this.#lineage, String(uploadRest)];
		const [answer, ...rest] = await this.#link.run<string[]>(scripts.beginUpload, at, values);
		if (answer === 'not-found') throw unknownPeer(id);
		if (answer === 'busy' || (answer === 'ok' && this.#receiving.has(id))) {
			if (answer === 'ok') await this.#link.run(scripts.abandonUpload, at, [id, token]);
			throw new P2pError('busy', 'Another upload of this catalog is running', {details: {retryAfter: 1}});
		}
		if (answer === 'mismatch') throw doesNotContinue(rest[0] ? {epoch: rest[0], version: Number(rest[1])} : null);
		this.#receiving.add(id);
		try {
			if (rest[3]) await this.#applied(id, rest[3]);
			const sent = await this.#send(id, token, at, batches);
			const end = [id, token, epoch, String(to), this.#lineage, String(sent)];
			const entry = await this.#link.run<string>(scripts.endUpload, [...at, keys.sweeps(partitionOf(id))], end);
			if (entry === '') throw doesNotContinue(null);
			if (entry !== '-') await this.#applied(id, entry);
			const {files, bytes} = await this.#read.getPeer(id);
			return {have: {epoch, version: to}, files, bytes};
		} catch (error) {
			const entry = await this.#link.run<string>(scripts.abandonUpload, at, [id, token]).catch(() => '');
			// What came before it broke is there when the caller hears of it.
			if (entry) await this.#applied(id, entry).catch(() => undefined);
			throw error;
		} finally {
			this.#receiving.delete(id);
		}
	}

	async setOnline(id: string, online: boolean): Promise<void> {
		if (!this.#read.isRegistered(id)) throw unknownPeer(id);
		this.#board.mark(id, online);
		await this.#read.setOnline(id, this.#board.isOnline(id));
	}

	async leave(id: string): Promise<void> {
		const part = partitionOf(id);
		const at = [keys.peer(id), keys.log(part), keys.sweeps(part)];
		const entry = await this.#link.run<string>(scripts.removePeer, at, [id]);
		if (entry) await this.#applied(id, entry);
	}

	async getPeer(reference: string) {
		this.#needWhole();
		return this.#read.getPeer(reference);
	}

	async listPeers(page?: PageOptions) {
		return this.#read.listPeers(page);
	}

	async search(query: ParsedQuery, page?: SearchOptions) {
		this.#needWhole();
		return this.#read.search(query, page);
	}

	async searchText(query: ParsedQuery, page?: SearchTextOptions) {
		this.#needWhole();
		return this.#read.searchText(query, page);
	}

	async sources(content: string) {
		this.#needWhole();
		return this.#read.sources(content);
	}

	async browse(peer: string, folder: string, page?: PageOptions) {
		this.#needWhole();
		return this.#read.browse(peer, folder, page);
	}

	async counts() {
		return this.#read.counts();
	}

	async forget(before: number): Promise<number> {
		this.#needWhole();
		const ids = this.#read.unseenSince(before);
		for (const id of ids) await this.leave(id);
		return ids.length;
	}

	/** Waits a moment until the read model is whole; where it takes longer, calls are put off meanwhile. */
	async #settle(): Promise<void> {
		const end = Date.now() + settleAtStart;
		while (this.#state() === 'catching-up' && Date.now() < end) await sleep(20);
	}

	/** Sends an upload's batches, the next one being packed while one is on its way; returns how many. */
	async #send(id: string, token: string, at: string[], batches: AsyncIterable<CatalogChange[]>): Promise<number> {
		let count = 0;
		let sending: Promise<void> = Promise.resolve();
		const add = async (changes: CatalogChange[]) => {
			const packed = await packChanges(changes);
			await sending;
			const values = [id, token, packed, String(uploadRest), String(count++)];
			sending = this.#link.run<string>(scripts.addBatch, at, values).then(entry => {
				// A failover lost a part of it: the peer sends it again.
				if (entry === '') throw doesNotContinue(null);
			});
			sending.catch(() => undefined);
		};
		let waiting: CatalogChange[] = [];
		try {
			for await (const batch of batches) {
				waiting.push(...batch);
				if (waiting.length < entryChanges) continue;
				await add(waiting);
				waiting = [];
			}
		} finally {
			if (waiting.length > 0) await add(waiting);
			await sending;
		}
		return count;
	}

	async #takeNumber(): Promise<string> {
		const floor = String(this.#notes.highest);
		return String(await this.#link.run<number>(scripts.takeNumber, [keys.numbers], [floor]));
	}

	async #isTaken(number: number, id: string): Promise<boolean> {
		const holder = await this.#read.getPeer(String(number)).catch(() => undefined);
		return holder !== undefined && holder.number === number && holder.id !== id;
	}

	#readModel(): SqliteStore {
		return new SqliteStore(path.join(this.#options.dataDir, 'cluster.db'));
	}

	#follow(): void {
		const {link, read} = {link: this.#link, read: this.#read};
		this.#followers = Array.from({length: partitions}, (_, partition) => {
			const options = {
				partition,
				link,
				read,
				changed: (id: string, what: 'registered' | 'files' | 'left') => this.#catalogChanged(id, what),
				missing: (id: string, point: {epoch: string; version: number}) => this.#missing(id, point),
				gone: () => this.#gone(),
				failed: (error: unknown) => this.#failed(error),
			};
			return new LogFollower(options, this.#notes.positions[partition]);
		});
		for (const follower of this.#followers) follower.start();
	}

	async #applied(id: string, entry: string): Promise<void> {
		await this.#followers[partitionOf(id)]?.applied(entry);
	}

	async #catalogChanged(id: string, what: 'registered' | 'files' | 'left'): Promise<void> {
		const peer = await this.#read.getPeer(id).catch(() => undefined);
		if (!peer) return;
		this.#notes.highest = Math.max(this.#notes.highest, peer.number);
		if (what === 'left') {
			if (peer.online) this.#news.emit('peer-left', {...peer, online: false});
			return;
		}
		if (what === 'registered' && !peer.online && this.#board.isOnline(id)) this.#presenceChanged(id, true);
		else if (peer.online) this.#news.emit('peer-updated', peer);
	}

	/** A peer came or went at other servers. */
	#presenceChanged(id: string, online: boolean): void {
		this.#presence = this.#presence.then(async () => {
			try {
				if (!this.#read.isRegistered(id)) return;
				await this.#read.setOnline(id, online);
				this.#tell(await this.#read.getPeer(id));
			} catch (error) {
				this.#failed(error);
			}
		});
	}

	#tell(peer: PeerInfo): void {
		clearTimeout(this.#leaving.get(peer.id));
		const left = this.#leaving.delete(peer.id);
		if (peer.online) {
			if (!left) this.#news.emit('peer-joined', peer);
			return;
		}
		const timer = setTimeout(() => {
			this.#leaving.delete(peer.id);
			if (!this.#board.isOnline(peer.id)) this.#news.emit('peer-left', peer);
		}, grace);
		this.#leaving.set(peer.id, timer.unref());
	}

	/** What comes before a change is not in this read model: the peer is made to send its catalog whole. */
	async #missing(id: string, {epoch, version}: {epoch: string; version: number}): Promise<void> {
		this.#options.log?.('warn', `index: a part of the catalog of ${id.slice(0, 8)} is missing; it is asked for again`);
		await this.#link.run(scripts.forgetCatalog, [keys.peer(id)], [epoch, String(version)]);
	}

	/** A server that listens everywhere is reached where Redis sees it come from. */
	#hostForOthers(): string {
		const {host} = this.#place;
		return host === '' || host === '::' || host === '0.0.0.0' ? this.#link.seenFrom : host;
	}

	#gone(): void {
		this.#gap = true;
	}

	#state(): IndexState {
		const oldest = Math.min(...this.#followers.map(({caughtUpAt}) => caughtUpAt));
		if (this.#gap || this.#followers.length === 0 || oldest === 0) return 'catching-up';
		return Date.now() - oldest > staleAfter ? 'stale' : 'whole';
	}

	#needWhole(): void {
		const state = this.#state();
		if (state === 'whole') return;
		const message =
			state === 'stale'
				? `This server has lost the Redis Cluster at ${describePlace(this.#link.place)}, so its index is old`
				: 'This server is still reading the index of its cluster';
		throw new P2pError('catching-up', message, {
			hint: 'Ask another server of the same cluster, or try again in a moment',
			details: {retryAfter, state},
		});
	}

	async #note(): Promise<void> {
		this.#notes.positions = this.#followers.map(({position}) => position);
		const text = JSON.stringify(this.#notes);
		if (text === this.#noted) return;
		await this.#read.note('cluster', text);
		this.#noted = text;
	}

	#failed(error: unknown): void {
		if (error instanceof P2pError && error.code === 'cancelled') return;
		this.#options.log?.('error', `index: ${errorLine(error)}`);
	}

	#gauges() {
		const {retries, refreshes} = this.#link.stats;
		return {
			cluster_retries: {help: 'Commands that were sent again.', value: retries},
			cluster_refreshes: {help: 'Times that the holders of the slots were looked up anew.', value: refreshes},
		};
	}
}

function unknownPeer(id: string): P2pError {
	return new P2pError('not-found', `No peer ${id.slice(0, 8)} is registered here`);
}

function doesNotContinue(have: {epoch: string; version: number} | null): P2pError {
	return new P2pError('version-mismatch', 'These changes do not continue what this server knows of the catalog', {
		details: {have},
	});
}
