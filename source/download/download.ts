import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {pieceCount, pieceSizeFor} from '../content/content-id.ts';
import {rootOfPieceLayer} from '../content/merkle.ts';
import {displayText} from '../core/display.ts';
import {P2pError} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';
import {makeBitmap} from './bitmap.ts';
import type {Journal, StoredDownload} from './journal.ts';
import {LayerFetch} from './layer-fetch.ts';
import {openPart, type PartFile, removePart} from './part-file.ts';
import {bytesOf, candidatesOf, PartProgress} from './part-progress.ts';
import {findPlaced, type Placement, placePart} from './place-file.ts';
import {safeFileName} from './safe-name.ts';
import {type KnownSource, SourceBook} from './source-book.ts';
import {Transfer} from './transfer.ts';
import type {TransferPool} from './transfer-pool.ts';
import type {DownloadResult, DownloadSource, DownloadState, FindSources} from './types.ts';

/** What all downloads share. */
export type DownloadHost = {
	/** Our own peer ID. */
	self: string;
	folder: string;
	prefix: string;
	journal: Journal;
	pool: TransferPool;
	bus: EngineBus;
	findSources: FindSources;
	/** A download with no source left fails, instead of waiting for one. */
	once: boolean;
};

/** How an attempt ended: finished, or to be tried again at a time (performance.now()) or when sources come. */
export type AttemptEnd = {result: DownloadResult} | {wakeAt: number};

type Session = {part: PartFile; progress: PartProgress; transfer: Transfer};

/** Waits up to so many milliseconds keep their turn; longer ones give it to the next in the queue. */
const shortWaitMs = 2000;
/** A stored piece layer up to this length is checked before use; longer ones would hold up the thread. */
const checkedLayerBytes = 8192 * 32;
const askAgainMs = {first: 5000, longest: 60_000};

/** One download: from looking whether the file is there already to giving the finished one its name. */
export class Download {
	readonly stored: StoredDownload;
	state: DownloadState = 'queued';
	message: string | undefined;
	speed = 0;
	readonly #host: DownloadHost;
	readonly #book: SourceBook;
	#session: Session | undefined;
	#asked = false;
	#askMs = askAgainMs.first;
	#askError: unknown;
	#started = false;
	#wake: (() => void) | undefined;
	#broken = new AbortController();
	#sampled = {bytes: 0, at: 0};

	constructor(stored: StoredDownload, host: DownloadHost) {
		this.stored = stored;
		this.#host = host;
		this.#book = new SourceBook(host.self, stored.from);
	}

	/** Verified bytes. */
	get done(): number {
		return this.#session?.progress.done ?? this.stored.done;
	}

	/** Peers that bytes come from now. */
	get peers(): string[] {
		return this.#session?.transfer.peers ?? [];
	}

	/**
	 * Works until it is finished or has to wait.
	 *
	 * @throws P2pError what it fails with; the signal's reason
	 */
	async attempt(outer: AbortSignal): Promise<AttemptEnd> {
		this.#broken = new AbortController();
		const signal = AbortSignal.any([outer, this.#broken.signal]);
		this.#book.merge(this.stored.sources, !this.#host.once || !this.#asked);
		if (!this.#session) {
			const there = await this.#alreadyThere(signal);
			if (there) return {result: there};
		}
		while (!(await this.#attemptOnce(signal))) {
			const wakeAt = this.#book.nextRetry() ?? (await this.#whenNobodyIsLeft(signal));
			if (!this.#host.once && wakeAt - performance.now() > shortWaitMs) return {wakeAt};
			await this.#pause(wakeAt - performance.now(), signal);
		}
		return {result: await this.#finish()};
	}

	/** Sources may have come: ends a wait, and joins them to a running transfer. */
	async sourcesChanged(signal: AbortSignal): Promise<void> {
		this.#asked = false;
		this.#wake?.();
		if (this.state !== 'running') return;
		await this.#ask(signal).catch(() => undefined);
		this.#session?.transfer.pump();
	}

	/** Further sources, known to whoever asked for the same content again. */
	addSources(sources: DownloadSource[]): void {
		this.#book.merge(sources, true);
		this.#wake?.();
		this.#session?.transfer.pump();
	}

	/** Whether it would be faster with more sources. */
	get wantsSources(): boolean {
		return this.state === 'running' && this.#book.usable().length < 4;
	}

	/** Closes the partial file. No attempt may be under way. */
	async close(options: {remove?: boolean} = {}): Promise<void> {
		const session = this.#session;
		this.#session = undefined;
		this.#started = false;
		if (session) {
			await session.progress.close();
			this.stored.done = session.progress.done;
			await session.part.close(options);
		} else if (options.remove) await removePart(this.#host.folder, this.stored.content);
	}

	/** Measures the speed; to be called a few times a second. @returns whether anything changed since */
	sample(now: number): boolean {
		const bytes = this.#session?.transfer.received ?? 0;
		const seconds = (now - this.#sampled.at) / 1000;
		if (this.#sampled.at !== 0 && seconds > 0) {
			const speed = Math.max(0, bytes - this.#sampled.bytes) / seconds;
			this.speed = this.speed === 0 ? speed : this.speed + (speed - this.speed) * (1 - Math.exp(-seconds));
			if (this.speed < 1) this.speed = 0;
		}
		const changed = bytes !== this.#sampled.bytes || this.speed > 0;
		this.#sampled = {bytes, at: now};
		return changed;
	}

	/** As the events tell it. */
	event() {
		const {content, name, size} = this.stored;
		return {content, name, size, done: this.done, speed: Math.round(this.speed), sources: this.peers};
	}

	get #placement(): Placement {
		const {name, content, size} = this.stored;
		return {folder: this.#host.folder, name: safeFileName(name, this.#host.prefix), content, size};
	}

	async #alreadyThere(signal: AbortSignal): Promise<DownloadResult | undefined> {
		const found = await findPlaced(this.#placement, file => {
			this.state = 'verifying';
			return this.#host.pool.hashFile(file, signal);
		});
		signal.throwIfAborted();
		if (!found) return undefined;
		// A crash may have come between giving it its name and taking away the old one.
		await removePart(this.#host.folder, this.stored.content);
		this.stored.done = this.stored.size;
		return {path: found, alreadyThere: true, sources: [], dropped: []};
	}

	/** @returns whether all bytes are there; false: nobody can be asked at the moment */
	async #attemptOnce(signal: AbortSignal): Promise<boolean> {
		const {size} = this.stored;
		this.message = undefined;
		if (size === 0) {
			await this.#open(new Uint8Array(), signal);
			return true;
		}
		if (this.#book.usable().length === 0) {
			await this.#ask(signal);
			if (this.#book.usable().length === 0) return false;
		}
		const layer = await this.#layer(signal);
		if (!layer) return false;
		const session = await this.#open(layer, signal);
		this.state = 'running';
		this.#start();
		const end = await session.transfer.run(signal);
		if (end === 'idle') await this.#layerFetch().refreshPartial(signal);
		return end === 'complete';
	}

	#start(): void {
		if (this.#started) return;
		this.#started = true;
		const sources = this.#book.usable().map(({source}) => source.peer);
		this.#host.bus.emit('download-started', {...this.event(), sources});
	}

	async #ask(signal: AbortSignal): Promise<void> {
		if (this.#asked && this.#host.once) return;
		this.#asked = true;
		try {
			const found = await this.#host.findSources(this.stored.content, signal);
			this.#book.merge(found, !this.#host.once);
			this.#askError = undefined;
		} catch (error) {
			signal.throwIfAborted();
			this.#askError = error;
		}
	}

	/** @returns when to ask for sources again. @throws P2pError when that makes no sense */
	async #whenNobodyIsLeft(signal: AbortSignal): Promise<number> {
		if (this.#host.once && !this.#asked) {
			await this.#ask(signal);
			if (this.#book.hopeful) return 0;
		}
		const what = displayText(this.stored.name);
		const corrupt = this.#book.dropped.length > 0;
		if (this.#host.once || corrupt) {
			if (this.#book.all.length === 0 && this.#askError instanceof P2pError) throw this.#askError;
			throw this.#book.verdict(what);
		}
		this.#askMs = Math.min(this.#askMs * 2, askAgainMs.longest);
		return performance.now() + this.#askMs / 2;
	}

	/** Waits, but no longer than until sources may have come. */
	async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
		this.state = 'waiting';
		this.message = this.#book.waitingFor();
		const early = new AbortController();
		this.#wake = () => early.abort();
		try {
			await sleep(Math.max(milliseconds, 50), undefined, {signal: AbortSignal.any([signal, early.signal])});
		} catch {
			signal.throwIfAborted();
		} finally {
			this.#wake = undefined;
		}
	}

	/** What it waits for, in words. */
	get waitingFor(): string {
		return this.#book.waitingFor();
	}

	#layerFetch(): LayerFetch {
		const {content, size} = this.stored;
		return new LayerFetch({content, size, pool: this.#host.pool, book: this.#book, dropped: this.#dropped});
	}

	async #layer(signal: AbortSignal): Promise<Uint8Array | undefined> {
		const {id, content, size} = this.stored;
		// Of a file of one piece the root is the piece's hash.
		if (size <= pieceSizeFor(size)) return Buffer.from(content, 'hex');
		const stored = this.#host.journal.pieces(id).layer;
		if (stored?.length === pieceCount(size) * 32 && isLayerOf(stored, content, size)) return stored;
		const layer = await this.#layerFetch().fetch(signal);
		if (layer) this.#host.journal.setPieces(id, {layer});
		return layer;
	}

	/** Opens the partial file and looks what of it is good, unless it is open. */
	async #open(layer: Uint8Array, signal: AbortSignal): Promise<Session> {
		if (this.#session) return this.#session;
		const {folder, journal, pool} = this.#host;
		const {id, content, size, name} = this.stored;
		const part = await openPart(folder, content, size);
		try {
			const stored = journal.pieces(id);
			const candidates = candidatesOf(size, stored, part.existed);
			let have = makeBitmap(pieceCount(size));
			if (candidates.some(byte => byte !== 0)) {
				this.state = 'verifying';
				have = await pool.verify({fd: part.fd, content, size, layer, candidates}, () => undefined, signal);
				signal.throwIfAborted();
				const lost = stored.have ? bytesOf(stored.have, size) - bytesOf(and(stored.have, have), size) : 0;
				if (lost > 0) {
					const message = `${displayText(name)}: ${lost} bytes of the partial file are damaged and are fetched again`;
					this.#host.bus.emit('log', {level: 'warn', message});
				}
			}
			const progress = new PartProgress({journal, id, size, part}, have, error => this.#broken.abort(error));
			const transfer = new Transfer({
				content,
				size,
				layer,
				have,
				fd: part.fd,
				folder,
				pool,
				book: this.#book,
				touched: (first, count) => progress.touch(first, count),
				arrived: piece => progress.arrived(piece),
				dropped: this.#dropped,
			});
			this.#session = {part, progress, transfer};
			return this.#session;
		} catch (error) {
			await part.close();
			throw error;
		}
	}

	readonly #dropped = ({source: {peer: id, host, port, name}}: KnownSource, reason: string): void => {
		this.#host.pool.forget({id, host, port});
		const message = `Wrong bytes from ${displayText(name)} for ${displayText(this.stored.name)}: ${reason}`;
		this.#host.bus.emit('log', {level: 'warn', message: `${message}. It is not asked for this file again`});
	};

	async #finish(): Promise<DownloadResult> {
		const {part} = this.#session!;
		this.state = 'verifying';
		this.#start();
		await part.syncAll();
		const placed = await placePart(part, this.#placement, file => this.#host.pool.hashFile(file, this.#broken.signal));
		const sources = this.#book.all.filter(known => known.gave).map(({source}) => source.peer);
		this.stored.done = this.stored.size;
		await this.#session?.progress.close();
		this.#session = undefined;
		await part.close({remove: placed.alreadyThere});
		return {path: path.resolve(placed.path), alreadyThere: placed.alreadyThere, sources, dropped: this.#book.dropped};
	}
}

/** A damaged list of downloads must not make liars of honest sources. */
function isLayerOf(layer: Uint8Array, content: string, size: number): boolean {
	return layer.length > checkedLayerBytes || rootOfPieceLayer(layer, pieceSizeFor(size)).toString('hex') === content;
}

function and(a: Uint8Array, b: Uint8Array): Uint8Array {
	return a.map((byte, i) => byte & (b[i] ?? 0));
}
