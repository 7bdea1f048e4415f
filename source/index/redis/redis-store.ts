import {randomBytes} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import {limits} from '../../api/limits.ts';
import type {ParsedQuery} from '../../api/query.ts';
import type {CatalogChange} from '../../api/schemas.ts';
import {errorLine, P2pError} from '../../core/errors.ts';
import type {
	AppliedChanges,
	ChangeRange,
	ClusterSide,
	IndexState,
	IndexStore,
	PageOptions,
	PathHashes,
	Registration,
	SearchOptions,
	SearchTextOptions,
} from '../store.ts';
import {unknownPeer, uploadCatalog} from './catalog-upload.ts';
import {clusterGauges} from './cluster-gauges.ts';
import {ClusterLog} from './cluster-log.ts';
import {ClusterNewsDesk} from './cluster-news-desk.ts';
import {Compactor} from './compactor.ts';
import {configAdvice} from './config-advice.ts';
import {FileRegistry} from './file-registry.ts';
import {formatVersion, keys, partitionOf} from './keys.ts';
import {writeInfo} from './log-entry.ts';
import {MemberSync} from './member-sync.ts';
import {OwnBatches} from './own-batches.ts';
import {PresenceBoard} from './presence-board.ts';
import {ReadModel} from './read-model.ts';
import {RedisLink} from './redis-link.ts';
import type {RedisStoreOptions} from './redis-store-options.ts';
import {describePlace, parseRedisUrl} from './redis-url.ts';
import {registeredSources} from './registered-sources.ts';
import {fetchReplica} from './replica.ts';
import * as scripts from './scripts.ts';
import {Scrubber} from './scrubber.ts';
import {serverInstance} from './server-id.ts';

/** Seconds after which a caller may try again while this server is not whole. */
const retryAfter = 2;
/** Milliseconds that a start waits for the read model to be whole. */
const settleAtStart = 3000;

/** Milliseconds until the same failure is told again: all that the store does at once fails with its cluster. */
const tellAgain = 30_000;

/** Milliseconds that somebody who joins waits for the cluster, which a failover may hold up. */
const invitePatience = 10_000;
/** Milliseconds after its end that an invite's uses are still known: the clocks of servers may differ. */
const invitesForgotten = 24 * 3_600_000;

/**
 * The index over a Redis Cluster (DESIGN section 6). The cluster has the registry of peers and files and an ordered log of
 * what happens to them; this server applies the log to an SQLite read model of its own and answers from that. Calls that
 * change something end when the cluster has them and the read model here as well, so that who asks here afterwards sees
 * them; the other servers follow within a fraction of a second.
 */
export class RedisStore implements IndexStore {
	readonly cluster: ClusterSide;
	readonly #link: RedisLink;
	readonly #model: ReadModel;
	readonly #board: PresenceBoard;
	readonly #desk: ClusterNewsDesk;
	readonly #files: FileRegistry;
	readonly #own = new OwnBatches();
	readonly #log: ClusterLog;
	readonly #compactor: Compactor;
	readonly #scrubber: Scrubber;
	readonly #options: RedisStoreOptions;
	readonly #members: MemberSync | undefined;
	/** Peers that are sending their catalogs to this server. */
	readonly #receiving = new Set<string>();
	#place = {host: '', port: 0, name: ''};

	constructor(options: RedisStoreOptions) {
		const {identity, log, keepLog, trimEvery, staleAfter, onlyReads} = options;
		this.#options = options;
		this.#link = new RedisLink(parseRedisUrl(options.url));
		this.#model = new ReadModel(options.dataDir, message => log?.('warn', `index: ${message}`));
		this.#files = new FileRegistry(this.#link);
		const told = new Map<string, number>();
		const failed = (error: unknown) => {
			const text = errorLine(error);
			const isNews = Date.now() - (told.get(text) ?? 0) > tellAgain;
			if (!isNews || (error instanceof P2pError && error.code === 'cancelled')) return;
			if (told.size > 100) told.clear();
			told.set(text, Date.now());
			log?.('error', `index: ${text}`);
		};
		this.#board = new PresenceBoard({
			link: this.#link,
			self: serverInstance(options.dataDir),
			card: () => this.#card(),
			changed: (id, online) => this.#desk.presenceChanged(id, online),
			failed,
		});
		this.#desk = new ClusterNewsDesk(this.#model, this.#board, failed);
		this.#log = new ClusterLog({
			link: this.#link,
			model: this.#model,
			board: this.#board,
			desk: this.#desk,
			own: this.#own,
			fetch: (server, file) => fetchReplica(identity, server, file),
			log: (level, message) => log?.(level, message),
			failed,
			keep: keepLog,
			trimEvery,
			staleAfter,
			onlyReads,
		});
		this.#scrubber = new Scrubber({
			link: this.#link,
			model: this.#model,
			files: this.#files,
			self: serverInstance(options.dataDir),
			lineage: () => this.#log.lineage,
			ready: () => !onlyReads && options.migration === undefined && this.#log.state() === 'whole',
			failed,
		});
		this.#compactor = new Compactor({
			link: this.#link,
			files: () => this.files(),
			failed,
		});
		this.#members = options.private ? new MemberSync(this.#link, options.dataDir, failed) : undefined;
		this.cluster = {
			news: this.#desk.news,
			state: () => this.#log.state(),
			announce: place => {
				this.#place = place;
			},
			servers: () => 1 + [...this.#board.servers().values()].filter(({alive}) => alive).length,
			gauges: () => clusterGauges(this.#link, this.#log, this.cluster.servers()),
			spendInvite: async ({id, uses, used, expires}, peer) => {
				const values = [peer, ...[uses, used, expires + invitesForgotten].map(String)];
				const count = await this.#link.run<number>(scripts.spendInvite, [keys.uses(id)], values, {
					patience: invitePatience,
				});
				return count === 0 ? undefined : count;
			},
			replicaFor: server => this.#replicaFor(server),
		};
	}

	async open(): Promise<void> {
		try {
			await this.#link.open();
			const [format, cluster = ''] = await this.#link.run<string[]>(
				scripts.nameCluster,
				[keys.meta],
				[String(formatVersion), randomBytes(16).toString('hex')],
			);
			if (Number(format) !== formatVersion)
				throw new P2pError('bad-database', 'Another version of p2p-tui wrote what is in this Redis Cluster', {
					hint: 'Run the same version on every index server',
				});
			await this.#checkMigration();
			await this.#board.start();
			await this.#agreeOnPrivacy();
			await this.#members?.start();
			await this.#log.open(cluster);
			const {log, onlyReads, migration} = this.#options;
			if (!onlyReads && migration === undefined)
				for (const advice of await configAdvice(this.#link)) log?.('warn', `index: ${advice}`);
			this.#compactor.start();
			this.#scrubber.start();
			const end = Date.now() + settleAtStart;
			while (this.#log.state() !== 'whole' && Date.now() < end) await sleep(20);
		} catch (error) {
			await this.close();
			throw error;
		}
	}

	async close(): Promise<void> {
		await this.#board.close();
		// What still waits for the cluster ends now.
		await this.#link.close();
		await this.#compactor.stop();
		await this.#scrubber.stop();
		await this.#members?.stop();
		await this.#desk.close();
		await this.#log.close();
		await this.#model.close();
	}

	async register(peer: Registration) {
		this.#needWhole();
		const at = [keys.peer(peer.id), keys.log(partitionOf(peer.id))];
		const register = (number: string, force = '0') =>
			this.#link.run<string[]>(scripts.registerPeer, at, [
				...[peer.id, number, writeInfo(peer), this.#log.lineage, force],
			]);
		let answer = await register('');
		if (answer.length === 0) answer = await register(await this.#takeNumber(peer.number));
		// A failover that set the counter back has given the same number twice.
		else if (await this.#isTaken(Number(answer[0]), peer.id)) answer = await register(await this.#takeNumber(), '1');
		const [digits = '', epoch, version, entry] = answer;
		const number = Number(digits);
		if (entry) {
			await this.#link.call(keys.numbered(number), ['HSET', keys.numbered(number), digits, peer.id]);
			await this.#log.applied(peer.id, entry);
		} else await this.#model.store.register({...peer, number});
		return {number, have: epoch ? {epoch, version: Number(version)} : null};
	}

	async applyChanges(id: string, range: ChangeRange, batches: AsyncIterable<CatalogChange[]>): Promise<AppliedChanges> {
		this.#needWhole();
		const {epoch, from, to} = range;
		if (to < from) throw new P2pError('bad-request', `The changes end (${to}) before they start (${from})`);
		const isHere = this.#receiving.has(id);
		this.#receiving.add(id);
		try {
			await uploadCatalog(id, range, batches, {
				link: this.#link,
				files: this.#files,
				lineage: this.#log.lineage,
				own: this.#own,
				applied: entry => this.#log.applied(id, entry),
				logged: () => this.#log.wake(id),
				contents: (number, paths) => this.#model.store.contents(number, paths),
				filesBefore: () => this.#model.store.filesOf(id),
				most: this.#options.filesPerPeer ?? limits.filesPerPeer,
				isHere,
			});
		} finally {
			if (!isHere) this.#receiving.delete(id);
		}
		const {files, bytes} = await this.#model.store.getPeer(id);
		return {have: {epoch, version: to}, files, bytes};
	}

	async findPaths(id: string, hashes: PathHashes) {
		this.#needWhole();
		return this.#model.store.findPaths(id, hashes);
	}

	async setOnline(id: string, online: boolean): Promise<void> {
		const {store} = this.#model;
		const isRegistered = store.isRegistered(id);
		if (!isRegistered && online) throw unknownPeer(id);
		this.#board.mark(id, online);
		// It left at another server, or was removed there.
		if (!isRegistered) return;
		await store.setOnline(id, this.#board.isOnline(id));
	}

	async leave(id: string): Promise<void> {
		const part = partitionOf(id);
		const at = [keys.peer(id), keys.log(part), keys.dead(part)];
		const entry = await this.#link.run<string>(scripts.removePeer, at, [id]);
		if (entry) await this.#log.applied(id, entry);
	}

	async getPeer(reference: string) {
		this.#needWhole();
		return this.#model.store.getPeer(reference);
	}

	async listPeers(page?: PageOptions) {
		return this.#model.store.listPeers(page);
	}

	async search(query: ParsedQuery, page?: SearchOptions) {
		this.#needWhole();
		return this.#model.store.search(query, page);
	}

	async searchText(query: ParsedQuery, page?: SearchTextOptions) {
		this.#needWhole();
		return this.#model.store.searchText(query, page);
	}

	/** From the registry in the cluster while the read model is not whole: who wants one content needs no search. */
	async sources(content: string) {
		if (this.#log.state() === 'whole') return this.#model.store.sources(content);
		return registeredSources(content, {files: this.#files, board: this.#board});
	}

	async browse(peer: string, folder: string, page?: PageOptions) {
		this.#needWhole();
		return this.#model.store.browse(peer, folder, page);
	}

	async counts() {
		return this.#model.store.counts();
	}

	async forget(before: number): Promise<number> {
		this.#needWhole();
		let count = 0;
		for await (const id of this.#model.store.unseenSince(before)) {
			await this.leave(id);
			count++;
		}
		return count;
	}

	/** Files that are registered, whoever is online. */
	files(): number {
		return this.#model.store.records().reduce((sum, {left, files}) => sum + (left ? 0 : files), 0);
	}

	/** Log entries applied since the start. */
	entries(): number {
		return this.#log.entries;
	}

	/** Whether it needs a copy of another server's index and finds none; with `onlyReads`. */
	get isStuck(): boolean {
		return this.#log.isStuck;
	}

	/** What was moved is whole now: servers may use it. */
	async endMigration(): Promise<void> {
		await this.#link.call(keys.meta, ['HDEL', keys.meta, 'migration']);
	}

	/** @throws P2pError in-use where another index is there, or a part of one */
	async #checkMigration(): Promise<void> {
		const own = this.#options.migration;
		const answer = await this.#link.run<string>(scripts.checkMigration, [keys.meta], [own ?? '']);
		if (own === undefined && answer !== '')
			throw new P2pError('in-use', 'An index is being moved into this Redis Cluster, or its move was broken off', {
				hint: 'Wait for p2p-tui migrate, or run it again with the same --from and --to: it goes on where it was',
			});
		if (own === undefined || answer === own) return;
		throw new P2pError('in-use', 'There is an index in this Redis Cluster already', {
			hint: 'Move into an empty cluster; redis-cli --cluster call HOST:PORT FLUSHALL empties one for good',
		});
	}

	/** @throws P2pError usage, refused where the other servers of the cluster see it otherwise */
	async #agreeOnPrivacy(): Promise<void> {
		const {identity, migration, onlyReads, private: isPrivate = false, change = false} = this.#options;
		if (migration !== undefined || onlyReads) return;
		const mayChange = change && this.cluster.servers() === 1;
		const values = [isPrivate ? '1' : '0', identity.id, mayChange ? '1' : '0'];
		const [is, key] = await this.#link.run<(string | null)[]>(scripts.agreeOnPrivacy, [keys.meta], values);
		if ((is === '1') !== isPrivate)
			throw new P2pError('usage', `The network of this Redis Cluster is ${isPrivate ? 'open' : 'private'}`, {
				hint: `Start this server with ${isPrivate ? '--open' : '--private'}; to change it, stop all servers of the cluster first`,
			});
		if (isPrivate && key !== identity.id)
			throw new P2pError('refused', 'The servers of a private cluster share one key, and this one has another', {
				hint: 'Bring the key of the first: p2p-tui id --mode server --export FILE there, --import FILE here',
			});
	}

	/** A new number; one that is given is kept, and those above it are new. */
	async #takeNumber(given?: number): Promise<string> {
		if (given !== undefined) {
			await this.#link.run<number>(scripts.keepNumber, [keys.numbers], [String(given)]);
			return String(given);
		}
		const floor = String(this.#model.highest);
		return String(await this.#link.run<number>(scripts.takeNumber, [keys.numbers], [floor]));
	}

	async #isTaken(number: number, id: string): Promise<boolean> {
		const holder = await this.#model.store.getPeer(String(number)).catch(() => undefined);
		return holder !== undefined && holder.number === number && holder.id !== id;
	}

	#card() {
		const {host, port, name} = this.#place;
		// A server that listens everywhere is reached where Redis sees it come from.
		const everywhere = host === '' || host === '::' || host === '0.0.0.0';
		const state: IndexState = this.#log.state();
		return {
			...{identity: this.#options.identity.id, host: everywhere ? this.#link.seenFrom : host, port, name},
			...{whole: state === 'whole', positions: state === 'whole' ? this.#model.positions : []},
		};
	}

	async #replicaFor(server: string) {
		const cards = [...this.#board.servers().values()];
		if (server !== this.#options.identity.id && !cards.some(({identity}) => identity === server))
			throw new P2pError('refused', 'Only index servers of the same cluster may copy the index');
		this.#needWhole();
		return this.#model.copy();
	}

	#needWhole(): void {
		const state = this.#log.state();
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
}
