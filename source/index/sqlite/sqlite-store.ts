import {availableParallelism} from 'node:os';
import {limits} from '../../api/limits.ts';
import type {ParsedQuery} from '../../api/query.ts';
import type {CatalogChange, CatalogPoint, ContentSources, SearchResponse} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import {clearOften} from '../../core/nursery.ts';
import {helpersGiveWay} from '../../core/thread-priority.ts';
import {checkRange} from '../change-range.ts';
import {FoundPaths} from '../path-hash.ts';
import {type PeerRecord, PeerRegistry, peerInfo} from '../peer-registry.ts';
import type {
	AppliedChanges,
	ChangeRange,
	IndexStore,
	PageOptions,
	PathHashes,
	Registration,
	SearchOptions,
	SearchTextOptions,
} from '../store.ts';
import {Answers} from './answers.ts';
import type {RawContent} from './content-reader.ts';
import type {SearchRequest} from './index-search.ts';
import type {IndexWriter} from './index-writer.ts';
import {packChanges} from './packed-changes.ts';
import type {PathsPlace} from './path-finder.ts';
import {ReaderPool} from './reader-pool.ts';
import {createPresenceMemory, SharedPresence} from './shared-presence.ts';
import {WorkerThread} from './worker-thread.ts';

/** Batches of an upload that may wait for the writer while the next ones are read off the wire. */
const batchesAhead = 12;
/**
 * How much V8's helpers give way: as much as the writer, most of whose garbage they collect. With 4 searches beside an upload wait
 * nearly as long as with none.
 */
const helperNiceness = 10;
/** Paths that a reader looks up in one go: some milliseconds in which it answers no search. */
const pathsAtOnce = 200;

/**
 * The index in one SQLite file (DESIGN section 6): nothing to install, all cores of one machine. One thread writes,
 * others read; peers and who is online are in this thread's memory. Survives kill -9.
 */
export class SqliteStore implements IndexStore {
	readonly #file: string;
	readonly #readerCount: number;
	readonly #queue: number;
	readonly #filesPerPeer: number;
	readonly #memory = createPresenceMemory();
	readonly #presence = new SharedPresence(this.#memory);
	readonly #receiving = new Set<string>();
	readonly #answers = new Answers();
	#peers = new PeerRegistry();
	#writer: WorkerThread<IndexWriter> | undefined;
	#readers = new ReaderPool();
	#sweeping: Promise<void> = Promise.resolve();
	#closing = false;
	/** What the operator should know after {@link open}. */
	notice: string | undefined;

	/**
	 * @param options.readers threads that answer searches; two or more, so that a slow search holds up no other
	 * @param options.filesPerPeer most files of one peer
	 * @param options.queue milliseconds that searches may have waited before others are put off; limits.searchQueue
	 */
	constructor(file: string, options: {readers?: number; queue?: number; filesPerPeer?: number} = {}) {
		this.#file = file;
		this.#queue = options.queue ?? limits.searchQueue;
		this.#filesPerPeer = options.filesPerPeer ?? limits.filesPerPeer;
		this.#readerCount = options.readers ?? Math.min(4, Math.max(2, availableParallelism() - 1));
	}

	async open(): Promise<void> {
		const data = {file: this.#file, memory: this.#memory};
		this.#writer = await WorkerThread.start<IndexWriter>({role: 'writer', ...data});
		try {
			const records = await this.#write.peers();
			for (const record of records) this.#peers.load(record);
			if (await this.#write.emptied()) {
				this.notice = `The index was made by an older version and is built anew: ${records.length} peers keep their numbers, and each is found again once it has come back and sent its list`;
			}
			this.#readers = new ReaderPool();
			await this.#readers.open(this.#readerCount, data);
			// The threads are up: they start on compiled code, which other flags would make foreign.
			clearOften();
			helpersGiveWay(helperNiceness);
			for (const number of await this.#write.unswept()) this.#sweepLater(number);
		} catch (error) {
			await this.close();
			throw error;
		}
	}

	async close(): Promise<void> {
		this.#closing = true;
		await this.#sweeping;
		await this.#readers.close();
		await this.#writer?.close();
		this.#writer = undefined;
	}

	async register(peer: Registration) {
		const {record, changed} = this.#peers.register(peer);
		if (changed) await this.#write.savePeer(record);
		return {number: record.number, have: record.have};
	}

	async applyChanges(id: string, range: ChangeRange, batches: AsyncIterable<CatalogChange[]>): Promise<AppliedChanges> {
		const peer = this.#peers.need(id);
		const mode = checkRange(range, peer.have);
		if (this.#receiving.has(id)) throw new P2pError('busy', 'Another upload of this catalog is running');
		this.#receiving.add(id);
		try {
			const {number} = peer;
			if (mode === 'replace') peer.have = null;
			const at = range.at === undefined ? undefined : Math.floor(range.at / 1000);
			// Not awaited: while the writer is with another catalog, this one is read already.
			const begun = this.#write.begin(number, mode, peer.online, {at, most: this.#filesPerPeer});
			begun.catch(() => undefined);
			const have = {epoch: range.epoch, version: range.to};
			try {
				await this.#send(number, batches);
				if (mode === 'replace') await this.#sweep(peer);
				Object.assign(peer, await this.#write.finish(number, have));
			} catch (error) {
				// What failed there is what made the rest fail.
				await begun;
				Object.assign(peer, await this.#write.abandon(number));
				throw error;
			}
			if (!peer.left) peer.have = have;
			return {have, files: peer.files, bytes: peer.bytes};
		} finally {
			this.#receiving.delete(id);
		}
	}

	async findPaths(id: string, hashes: PathHashes) {
		const {number} = this.#peers.need(id);
		const paths = new FoundPaths(hashes);
		let after: PathsPlace | undefined;
		do {
			const at = after;
			const {found, next} = await this.#readers.call(reader => reader.findPaths(number, hashes, at));
			for (const [place, path] of found) paths.add(place, path);
			after = next;
		} while (after);
		return paths.all;
	}

	async setOnline(id: string, online: boolean): Promise<void> {
		if (!this.#peers.setOnline(id, online)) return;
		const {number, since} = this.#peers.need(id);
		// At once for what searches show; the counts by content follow.
		if (!online) this.#presence.setOnline(number, false);
		await this.#write.setOnline(number, online, since);
	}

	async leave(id: string): Promise<void> {
		const wasOnline = this.#peers.get(id)?.online;
		const peer = this.#peers.leave(id);
		if (!peer) return;
		if (wasOnline) await this.#write.setOnline(peer.number, false, peer.since);
		await this.#write.leave(peer.number);
		this.#sweepLater(peer.number);
	}

	async getPeer(reference: string) {
		return peerInfo(this.#peers.find(reference));
	}

	async listPeers(page?: PageOptions) {
		return this.#peers.list(page);
	}

	async search(query: ParsedQuery, page: SearchOptions = {}): Promise<SearchResponse> {
		const {json} = await this.searchText(query, page);
		return JSON.parse(new TextDecoder().decode(json)) as SearchResponse;
	}

	async searchText(
		query: ParsedQuery,
		{
			cursor,
			limit = limits.searchDefault,
			sources = limits.sourcesPerSearchHit,
			here,
			isWanted,
		}: SearchTextOptions = {},
	) {
		const named = query.peers.map(reference => this.#peers.find(reference).number);
		const peers = named.length > 0 ? named : undefined;
		// As text: it takes a third of the time that an object takes to a thread, and tells equal searches.
		const request = JSON.stringify({
			query,
			peers,
			limit: Math.min(limit, limits.searchPage),
			sources: Math.min(sources, limits.sourcesPerHit),
			cursor,
			here,
		} satisfies SearchRequest);
		return this.#answers.get(request, this.#presence.clock, isWanted, async stillWanted => {
			if (this.#readers.waitingFor > this.#queue)
				throw new P2pError('busy', 'The index has more searches to answer than it can', {
					hint: 'Try again in a second',
					details: {retryAfter: 1},
				});
			return this.#readers.call(reader => reader.search(request), stillWanted);
		});
	}

	async sources(content: string): Promise<ContentSources> {
		const found = await this.#readers.call(reader => reader.sources(content));
		const known = found && this.#withPeers(found);
		if (known && known.sources.length > 0) return known;
		throw new P2pError('not-found', `Nobody here has the content ${content.slice(0, 8)}`);
	}

	async browse(reference: string, path: string, {cursor, limit = limits.browsePage}: PageOptions = {}) {
		const {number} = this.#peers.find(reference);
		const request = {peer: number, path, limit: Math.min(limit, limits.browsePage), cursor};
		for (;;) {
			const page = await this.#readers.call(reader => reader.browse(request));
			// A large folder is put in order in steps, so that searches come in between.
			if (page) return page;
		}
	}

	/** The content under each path of a peer; undefined where it has none. */
	async contents(number: number, paths: string[]): Promise<(string | undefined)[]> {
		const found: (string | undefined)[] = [];
		for (let at = 0; at < paths.length; at += pathsAtOnce)
			found.push(...(await this.#readers.call(reader => reader.contents(number, paths.slice(at, at + pathsAtOnce)))));
		return found;
	}

	async counts() {
		return this.#peers.counts();
	}

	async forget(before: number): Promise<number> {
		let count = 0;
		for await (const id of this.unseenSince(before)) {
			await this.leave(id);
			count++;
		}
		return count;
	}

	/** Up to where a peer's catalog is known; null for one that is to be sent whole, or not registered. */
	point(id: string): CatalogPoint | null {
		return this.#peers.get(id)?.have ?? null;
	}

	/** How many files a peer has; none where it is not registered. */
	filesOf(id: string): number {
		return this.#peers.get(id)?.files ?? 0;
	}

	/** Every peer that ever registered, also those that left. */
	records(): PeerRecord[] {
		return this.#peers.all();
	}

	/** What tells this database from every other. */
	async fingerprint(): Promise<string> {
		return this.#write.fingerprint();
	}

	/** Whether a peer is registered. */
	isRegistered(id: string): boolean {
		return this.#peers.get(id) !== undefined;
	}

	/** IDs of the peers that {@link forget} takes out; writes down before that whoever is online is seen now. */
	async *unseenSince(before: number): AsyncGenerator<string> {
		await this.#write.sawOnline(Date.now());
		for (const {id} of this.#peers.unseenSince(before)) yield id;
	}

	/** Keeps a note beside the index: after a crash it is no newer than the changes that were taken in before it. */
	async note(name: string, value: string): Promise<void> {
		await this.#write.note(name, value);
	}

	/** What {@link note} kept under a name. */
	async readNote(name: string): Promise<string | undefined> {
		return this.#write.readNote(name);
	}

	get #write() {
		if (!this.#writer) throw new P2pError('cancelled', 'The index is closed');
		return this.#writer.call;
	}

	/** Hands batches to the writer, some ahead of it. */
	async #send(number: number, batches: AsyncIterable<CatalogChange[]>): Promise<void> {
		const waiting: Promise<unknown>[] = [];
		try {
			for await (const batch of batches) {
				const added = this.#write.add(number, packChanges(batch));
				// It is awaited below; until then a failure is nobody's.
				added.catch(() => undefined);
				waiting.push(added);
				if (waiting.length >= batchesAhead) await waiting.shift();
			}
		} finally {
			await Promise.all(waiting);
		}
	}

	async #sweep(peer: PeerRecord): Promise<void> {
		let after: number | undefined = 0;
		while (after !== undefined) {
			const {next, sum} = await this.#write.sweep(peer.number, after);
			Object.assign(peer, sum);
			after = next;
		}
	}

	/** Takes out what a peer that left had, in the background, one peer at a time. */
	#sweepLater(number: number): void {
		this.#sweeping = this.#sweeping.then(async () => {
			let after: number | undefined = 0;
			while (after !== undefined && !this.#closing) {
				const step: Awaited<ReturnType<WorkerThread<IndexWriter>['call']['sweep']>> = await this.#write.sweep(
					number,
					after,
				);
				// It may have come back meanwhile.
				Object.assign(this.#peers.numbered(number) ?? {}, step.sum);
				after = step.next;
			}
		});
		this.#sweeping = this.#sweeping.catch(() => undefined);
	}

	#withPeers({content, name, size, sources, sourceCount}: RawContent): ContentSources {
		const named = sources.flatMap(({peer: number, path, at}) => {
			const peer = this.#peers.numbered(number);
			if (!peer) return [];
			const {id, name: nickname, host, port, online, addresses} = peer;
			const sharedAt = new Date(at * 1000).toISOString();
			const more = addresses.length > 0 && {addresses};
			return [{peer: id, number, name: nickname, host, port, path, sharedAt, online, ...more}];
		});
		return {content, name, size, sources: named, sourceCount};
	}
}
