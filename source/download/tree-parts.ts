import path from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {pieceCount, pieceSizeFor} from '../content/content-id.ts';
import {P2pError} from '../core/errors.ts';
import {type Bottleneck, EngineBus} from '../core/events.ts';
import {makeBitmap} from './bitmap.ts';
import {Download} from './download.ts';
import type {DownloadHost} from './job.ts';
import type {StoredDownload, StoredSources} from './journal.ts';
import {storedLayer} from './open-session.ts';
import {combineShares} from './source-share.ts';
import type {TreeState} from './tree-state.ts';
import type {DownloadResult, PartialDownload, SourceShare} from './types.ts';

/** Files of a folder that are fetched at once, piece by piece. */
const mostAtOnce = 2;
/** Failures of one file after which the others are fetched all the same. */
const ofOneFile = new Set(['no-source', 'source-lost', 'corrupt', 'not-found', 'changed', 'refused', 'wrong-peer']);

/** Complete files that are offered to others: the newest, since each has its piece layer in memory. */
const mostOffered = 128;

/** Stored layers that are looked up between two turns of the event loop. */
const lookedUpPerTurn = 100;

type Waiting = {download: Download; wakeAt: number};

/** The files of a folder that are downloads of their own: large ones, and those that need other sources than the rest. */
export class TreeParts {
	readonly #host: DownloadHost;
	readonly #folder: StoredDownload;
	readonly #known: StoredSources;
	readonly #tree: TreeState;
	readonly #top: string;
	#queue: number[] = [];
	readonly #running = new Map<number, Download>();
	readonly #waiting = new Map<number, Waiting>();
	/** What the sources of the finished ones gave. */
	#shares: SourceShare[] = [];
	readonly #numberOf: (peer: string) => number;
	readonly #results: DownloadResult[] = [];
	/** Files that are complete, by content, until the whole folder is. */
	readonly #complete = new Map<string, PartialDownload>();
	#receivedBefore = 0;
	#wake: (() => void) | undefined;
	/** Why a file cannot be had; the first one's. */
	failure: P2pError | undefined;

	/** @param numberOf the number of a source, as {@link TreeState.from} counts them */
	constructor(
		host: DownloadHost,
		folder: StoredDownload,
		known: StoredSources,
		tree: TreeState,
		top: string,
		numberOf: (peer: string) => number,
	) {
		// The folder is told as one: its parts only bring their warnings.
		const bus = new EngineBus();
		bus.on('log', event => host.bus.emit('log', event));
		bus.on('error', event => host.bus.emit('error', event));
		this.#host = {...host, bus};
		this.#folder = folder;
		this.#known = known;
		this.#tree = tree;
		this.#top = top;
		this.#numberOf = numberOf;
	}

	/** File `n` of the tree is to be fetched here. */
	add(n: number): void {
		this.#queue.push(n);
		this.#wake?.();
	}

	/** Verified bytes of files that are not complete. */
	get partial(): number {
		let bytes = 0;
		for (const download of this.#unfinished()) bytes += download.done;
		return bytes;
	}

	/** Body bytes received so far. */
	get received(): number {
		let bytes = this.#receivedBefore;
		for (const download of this.#unfinished()) bytes += download.received;
		return bytes;
	}

	/** Peers that bytes come from now. */
	get peers(): string[] {
		return [...this.#running.values()].flatMap(download => download.peers);
	}

	/** When the first of the waiting ones is to be tried again; undefined when none waits. */
	get wakeAt(): number | undefined {
		const times = [...this.#waiting.values()].map(waiting => waiting.wakeAt);
		return times.length > 0 ? Math.min(...times) : undefined;
	}

	/** What the first of the waiting ones waits for, in words. */
	get waitingFor(): string | undefined {
		for (const {download} of this.#waiting.values()) return download.message;
		return undefined;
	}

	/** Peers that the finished ones came from. */
	get sources(): string[] {
		return this.#results.flatMap(result => result.sources);
	}

	/** What each source gives, and has given. */
	get shares(): SourceShare[] {
		return combineShares([...this.#shares, ...[...this.#unfinished()].flatMap(download => download.details().sources)]);
	}

	/** Sources that were dropped on the way. */
	get dropped(): DownloadResult['dropped'] {
		return this.#results.flatMap(result => result.dropped);
	}

	/**
	 * Fetches what there is to fetch, until the rest has to wait.
	 *
	 * @param more whether further files may still be added
	 * @throws P2pError that concerns all of them, such as disk-full; the signal's reason
	 */
	async run(signal: AbortSignal, more: Promise<unknown>): Promise<void> {
		this.#queue.push(...this.#waiting.keys());
		let open = true;
		void more.finally(() => {
			open = false;
			this.#wake?.();
		});
		await Promise.all(
			Array.from({length: mostAtOnce}, async () => {
				for (;;) {
					signal.throwIfAborted();
					const n = this.#queue.shift();
					if (n !== undefined) await this.#fetch(n, signal);
					else if (open) await this.#whenMore(more);
					else return;
				}
			}),
		);
	}

	/** Whether one of them would be faster with more sources. */
	get wantsSources(): boolean {
		return [...this.#running.values()].some(download => download.wantsSources);
	}

	/** What is there of one content, for others to fetch. */
	offered(content: string): PartialDownload | undefined {
		for (const download of this.#unfinished()) {
			const found = download.partial(content);
			if (found) return found;
		}
		return this.#complete.get(content);
	}

	/** All that others can fetch: what is under way first, then the newest of the complete ones. */
	offers(): PartialDownload[] {
		return [
			...[...this.#unfinished()].flatMap(download => download.partials()),
			...[...this.#complete.values()].reverse(),
		];
	}

	/** Offers those that were complete before a restart, too. */
	async offerThere(signal: AbortSignal): Promise<void> {
		let looked = 0;
		for (const [n, {content, size, place}] of this.#tree.files.entries()) {
			if (this.#tree.from[n] === 0 || size <= pieceSizeFor(size) || this.#complete.has(content)) continue;
			if (++looked % lookedUpPerTurn === 0) await nextTurn(undefined, {signal});
			const stored = this.#host.journal.find(content, this.#folder.id);
			const layer = stored && storedLayer(this.#host, stored);
			if (layer) this.#offer(content, path.join(this.#top, place), size, layer);
			if (this.#complete.size >= mostOffered) return;
		}
	}

	/** Sources may have come. */
	async sourcesChanged(signal: AbortSignal): Promise<void> {
		await Promise.all([...this.#running.values()].map(download => download.sourcesChanged(signal)));
	}

	/** Measures. @returns what makes the first of the running ones no faster */
	sample(now: number): Bottleneck | undefined {
		let first: Bottleneck | undefined;
		for (const download of this.#running.values()) {
			download.sample(now);
			first ??= download.bottleneck;
		}
		return first;
	}

	/** Closes all files. No {@link run} may be under way. */
	async close(options: {remove?: boolean}): Promise<void> {
		for (const [n, {download}] of this.#waiting) {
			await download.close(options);
			this.#waiting.delete(n);
		}
	}

	*#unfinished(): Generator<Download> {
		yield* this.#running.values();
		for (const [n, {download}] of this.#waiting) if (!this.#running.has(n)) yield download;
	}

	/** Until something was added, or nothing will be. */
	#whenMore(more: Promise<unknown>): Promise<unknown> {
		const woken = new Promise<void>(resolve => {
			const before = this.#wake;
			this.#wake = () => {
				before?.();
				resolve();
			};
		}).finally(() => {
			this.#wake = undefined;
		});
		return Promise.race([woken, more.catch(() => undefined)]);
	}

	async #fetch(n: number, signal: AbortSignal): Promise<void> {
		const download = this.#waiting.get(n)?.download ?? this.#make(n);
		this.#running.set(n, download);
		try {
			const end = await download.attempt(signal);
			if ('wakeAt' in end) {
				this.#waiting.set(n, {download, wakeAt: end.wakeAt});
				return;
			}
			this.#over(n, download);
			this.#results.push(end.result);
			const most = download
				.details()
				.sources.reduce<SourceShare | undefined>(
					(best, share) => (share.bytes > (best?.bytes ?? 0) ? share : best),
					undefined,
				);
			this.#tree.have(n, most ? this.#numberOf(most.peer) : 255);
			const {content, size} = download.stored;
			const layer = size > pieceSizeFor(size) ? storedLayer(this.#host, download.stored) : Buffer.from(content, 'hex');
			// None: copied from here without anybody being asked, so it is in a share, or was.
			if (layer) this.#offer(content, end.result.path, size, layer);
			// Its row stays with the folder's, for its piece layer: after a restart it is offered again.
		} catch (error) {
			this.#over(n, download);
			await download.close();
			if (!(error instanceof P2pError) || !ofOneFile.has(error.code)) throw error;
			this.failure ??= error;
		} finally {
			this.#running.delete(n);
		}
	}

	#offer(content: string, file: string, size: number, layer: Uint8Array): void {
		const have = makeBitmap(pieceCount(size), true);
		const name = path.basename(file);
		this.#complete.set(content, {content, name, file, folder: this.#host.folder, size, have, layer});
		const [oldest] = this.#complete.keys();
		if (this.#complete.size > mostOffered && oldest !== undefined) this.#complete.delete(oldest);
	}

	#over(n: number, download: Download): void {
		this.#waiting.delete(n);
		this.#running.delete(n);
		this.#receivedBefore += download.received;
		const over = download.details().sources.map(share => ({...share, speed: 0}));
		this.#shares = combineShares([...this.#shares, ...over]);
	}

	#make(n: number): Download {
		const {content, size, place} = this.#tree.files[n]!;
		const {journal, once} = this.#host;
		const name = path.posix.basename(place);
		const {id} = this.#folder;
		const stored = journal.find(content, id) ?? journal.add({content, name, size, once, ...this.#known}, id);
		journal.update(stored.id, {...this.#known});
		return new Download(stored, this.#host, {folder: path.join(this.#top, path.dirname(place)), name});
	}
}
