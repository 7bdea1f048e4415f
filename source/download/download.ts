import path from 'node:path';
import {pieceCount, pieceSizeFor} from '../content/content-id.ts';
import {displayText} from '../core/display.ts';
import {P2pError} from '../core/errors.ts';
import type {Bottleneck} from '../core/events.ts';
import {bottleneckOf} from './bottleneck-meter.ts';
import {copyHere} from './copy-here.ts';
import type {AttemptEnd, DownloadHost, Job} from './job.ts';
import type {StoredDownload, StoredSources} from './journal.ts';
import {LayerFetch} from './layer-fetch.ts';
import {openSession, type Session, storedLayer} from './open-session.ts';
import {removePart} from './part-file.ts';
import {Pause} from './pause.ts';
import {findPlaced, type Placement, placePart} from './place-file.ts';
import {safeFileName} from './safe-name.ts';
import {type KnownSource, SourceBook} from './source-book.ts';
import {shareOf} from './source-share.ts';
import {TransferStats} from './transfer-stats.ts';
import type {DownloadDetails, DownloadResult, DownloadSource, DownloadState, PartialDownload} from './types.ts';

/** Waits up to so many milliseconds keep their turn; longer ones give it to the next in the queue. */
const shortWaitMs = 2000;
const askAgainMs = {first: 5000, longest: 60_000};
/** A one-shot download whose sources break off asks so often where they are now: one that restarts may have moved. */
const askWhereMs = 2000;
/** A download with fewer sources asks for more from time to time. */
const enoughSources = 4;

/** The download of one file: from looking whether it is there already to giving the finished one its name. */
export class Download implements Job {
	readonly stored: StoredDownload;
	state: DownloadState = 'queued';
	message: string | undefined;
	bottleneck: Bottleneck | undefined;
	readonly files = undefined;
	readonly #host: DownloadHost;
	readonly #known: StoredSources;
	readonly #book: SourceBook;
	readonly #stats = new TransferStats();
	readonly #place: {folder: string; name: string};
	readonly #inFolder: boolean;
	#session: Session | undefined;
	#receivedBefore = 0;
	/** Where the pieces came from, once all are there. */
	#map: Uint8Array | undefined;
	#asked = false;
	#askedAt = 0;
	#askMs = askAgainMs.first;
	#askError: unknown;
	#started = false;
	readonly #pause = new Pause();
	#broken = new AbortController();

	/** @param place where a part of a folder goes, its name safe already; else the downloads folder, with the prefix */
	constructor(stored: StoredDownload, host: DownloadHost, place?: {folder: string; name: string}) {
		this.stored = stored;
		this.#host = host;
		this.#known = host.journal.sources(stored.id);
		this.#book = new SourceBook(host.self, this.#known.from, undefined, host.barred);
		this.#inFolder = place !== undefined;
		this.#place = place ?? {folder: host.folder, name: safeFileName(stored.name, host.prefix)};
	}

	get speed(): number {
		return this.#stats.speed;
	}

	get done(): number {
		return this.#session?.progress.done ?? this.stored.done;
	}

	get received(): number {
		return this.#receivedBefore + (this.#session?.transfer.received ?? 0);
	}

	get peers(): string[] {
		return this.#session?.transfer.peers ?? [];
	}

	partial(wanted: string): PartialDownload | undefined {
		const {content, name, size} = this.stored;
		if (!this.#session || content !== wanted) return undefined;
		const {part, progress, layer} = this.#session;
		return {content, name, file: part.path, folder: this.#host.folder, size, have: progress.have, layer};
	}

	partials(): PartialDownload[] {
		const own = this.done > 0 ? this.partial(this.stored.content) : undefined;
		return own ? [own] : [];
	}

	get wantsSources(): boolean {
		return this.state === 'running' && this.#book.usable().length < enoughSources;
	}

	async attempt(outer: AbortSignal): Promise<AttemptEnd> {
		this.#broken = new AbortController();
		const signal = AbortSignal.any([outer, this.#broken.signal]);
		this.#book.merge(this.#known.sources, !this.#host.once || !this.#asked);
		if (!this.#session) {
			const there = (await this.#alreadyThere(signal)) ?? (await this.#copied(signal));
			if (there) return {result: there};
		}
		while (!(await this.#attemptOnce(signal))) {
			const since = performance.now() - this.#askedAt;
			if (this.#host.once && this.#book.hasLost && since > askWhereMs) await this.#ask(signal, true);
			const wakeAt = this.#book.nextRetry() ?? (await this.#whenNobodyIsLeft(signal));
			this.#rest();
			if (!this.#host.once && wakeAt - performance.now() > shortWaitMs) return {wakeAt};
			await this.#pause.wait(wakeAt - performance.now(), signal);
		}
		return {result: await this.#finish()};
	}

	async sourcesChanged(signal: AbortSignal): Promise<void> {
		this.#asked = false;
		this.#pause.end();
		if (this.state !== 'running') return;
		await this.#ask(signal).catch(() => undefined);
		this.#session?.transfer.pump();
	}

	addSources(sources: DownloadSource[]): void {
		this.#book.merge(sources, true);
		this.#pause.end();
		this.#session?.transfer.pump();
	}

	async close(options: {remove?: boolean} = {}): Promise<void> {
		const session = this.#session;
		this.#receivedBefore = this.received;
		this.#session = undefined;
		this.#started = false;
		if (session) {
			await session.progress.close();
			this.stored.done = session.progress.done;
			await session.part.close(options);
		} else if (options.remove) await removePart(this.#host.folder, this.stored.content);
	}

	sample(now: number): boolean {
		const transfer = this.#session?.transfer;
		if (this.state === 'running' && transfer) {
			const times = transfer.times(now);
			if (times) this.bottleneck = bottleneckOf(times, this.#book);
		} else this.bottleneck = this.state === 'waiting' ? bottleneckOf(undefined, this.#book) : undefined;
		return this.#stats.sample(this.received, now);
	}

	event() {
		const {content, name, size} = this.stored;
		const {done, speed, peers, bottleneck} = this;
		return {content, name, size, done, speed: Math.round(speed), sources: peers, ...(bottleneck && {bottleneck})};
	}

	details(): Omit<DownloadDetails, 'row'> {
		const pieces = pieceCount(this.stored.size);
		const {history, log} = this.#stats;
		const transfer = this.#session?.transfer;
		const state = this.stored.state === 'done' ? 255 : 0;
		return {
			pieces,
			map: transfer?.map() ?? this.#map ?? new Uint8Array(pieces).fill(state),
			sources: this.#book.all.map(known => shareOf(known, transfer?.speedOf(known) ?? 0)),
			speedHistory: [...history],
			log: [...log],
		};
	}

	get #placement(): Placement {
		const {content, size} = this.stored;
		return {...this.#place, content, size};
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

	/** From a file of ours with the same content, where there is one and nobody was named to get it from. */
	async #copied(signal: AbortSignal): Promise<DownloadResult | undefined> {
		if (this.#known.from) return undefined;
		const copied = await copyHere(this.#host, this.stored, this.#placement, signal, () => {
			this.state = 'verifying';
			this.#start();
		});
		if (!copied) return undefined;
		this.stored.done = this.stored.size;
		this.#stats.note(`copied from ${copied.where}`);
		return {path: path.resolve(copied.path), alreadyThere: false, sources: [], dropped: []};
	}

	/** @returns whether all bytes are there; false: nobody can be asked at the moment */
	async #attemptOnce(signal: AbortSignal): Promise<boolean> {
		this.message = undefined;
		if (this.stored.size === 0) {
			await this.#open(new Uint8Array(), signal);
			return true;
		}
		if (this.#book.usable().length === 0) {
			await this.#ask(signal);
			if (this.#book.usable().length === 0) {
				// Of a folder only few are begun: what is there of those is offered to others meanwhile.
				const there = this.#inFolder && this.done > 0 ? storedLayer(this.#host, this.stored) : undefined;
				if (there) await this.#open(there, signal);
				return false;
			}
		} else if (this.#inFolder && !this.#asked && !this.#known.from) {
			// Known is only who has the folder: others may have this file.
			void this.#ask(signal).then(
				() => this.#session?.transfer.pump(),
				() => undefined,
			);
		}
		const layer = await this.#layer(signal);
		if (!layer) return false;
		const session = await this.#open(layer, signal);
		this.state = 'running';
		this.#start();
		const unfollow = this.#layerFetch().follow(signal, () => session.transfer.pump());
		const end = await session.transfer.run(signal).finally(unfollow);
		if (end === 'idle') await this.#layerFetch().refreshPartial(signal);
		return end === 'complete';
	}

	#start(): void {
		if (this.#started) return;
		this.#started = true;
		const sources = this.#book.usable().map(({source}) => source.peer);
		this.#stats.note(`started with ${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`);
		this.#host.bus.emit('download-started', {...this.event(), sources});
	}

	/** @param again also when a one-shot download has asked before */
	async #ask(signal: AbortSignal, again = false): Promise<void> {
		if (this.#asked && this.#host.once && !again) return;
		this.#asked = true;
		this.#askedAt = performance.now();
		const before = this.#book.all.length;
		try {
			const found = await this.#host.findSources(this.stored.content, signal);
			this.#book.merge(found, !this.#host.once);
			this.#askError = undefined;
		} catch (error) {
			signal.throwIfAborted();
			this.#askError = error;
		}
		for (const {source} of this.#book.all.slice(before)) this.#stats.note(`${displayText(source.name)} has it`);
	}

	/** @returns when to ask for sources again. @throws P2pError when that makes no sense */
	async #whenNobodyIsLeft(signal: AbortSignal): Promise<number> {
		if (!this.#asked) {
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

	#rest(): void {
		this.state = 'waiting';
		this.message = this.#book.waitingFor();
		this.#stats.note(this.message);
	}

	#layerFetch(): LayerFetch {
		const {content, size} = this.stored;
		return new LayerFetch({content, size, pool: this.#host.pool, book: this.#book, dropped: this.#dropped});
	}

	async #layer(signal: AbortSignal): Promise<Uint8Array | undefined> {
		const {id, content, size} = this.stored;
		// Of a file of one piece the root is the piece's hash.
		if (size <= pieceSizeFor(size)) return Buffer.from(content, 'hex');
		const stored = storedLayer(this.#host, this.stored);
		if (stored) return stored;
		const layer = await this.#layerFetch().fetch(signal);
		if (layer) this.#host.journal.setPieces(id, {layer});
		return layer;
	}

	async #open(layer: Uint8Array, signal: AbortSignal): Promise<Session> {
		this.#session ??= await openSession({
			...{stored: this.stored, host: this.#host, book: this.#book, layer, signal, dropped: this.#dropped},
			verifying: () => {
				this.state = 'verifying';
			},
			broken: error => this.#broken.abort(error),
		});
		return this.#session;
	}

	readonly #dropped = ({source: {peer: id, host, port, name}}: KnownSource, reason: string): void => {
		this.#host.pool.forget({id, host, port});
		const message = `Wrong bytes from ${displayText(name)} for ${displayText(this.stored.name)}: ${reason}`;
		this.#stats.note(`${displayText(name)} dropped: ${reason}`);
		this.#host.bus.emit('log', {level: 'warn', message: `${message}. It is not asked for this file again`});
	};

	async #finish(): Promise<DownloadResult> {
		const {part} = this.#session!;
		this.state = 'verifying';
		this.#start();
		await part.syncAll();
		const placed = await placePart(part, this.#placement, file => this.#host.pool.hashFile(file, this.#broken.signal));
		const sources = this.#book.all.filter(known => known.bytes > 0).map(({source}) => source.peer);
		this.stored.done = this.stored.size;
		await this.#session?.progress.close();
		this.#receivedBefore = this.received;
		this.#map = this.#session?.transfer.map();
		this.#session = undefined;
		await part.close({remove: placed.alreadyThere});
		this.#stats.note('finished and verified');
		return {path: path.resolve(placed.path), alreadyThere: placed.alreadyThere, sources, dropped: this.#book.dropped};
	}
}
