import path from 'node:path';
import {pieceSizeFor} from '../content/content-id.ts';
import {displayText} from '../core/display.ts';
import type {Bottleneck} from '../core/events.ts';
import {bottleneckOf, StageMeter} from './bottleneck-meter.ts';
import type {AttemptEnd, DownloadHost, Job} from './job.ts';
import type {StoredDownload, StoredSources} from './journal.ts';
import {Pause} from './pause.ts';
import {safeFileName} from './safe-name.ts';
import {type SmallFile, SmallFiles} from './small-files.ts';
import {type KnownSource, SourceBook} from './source-book.ts';
import {combineShares, shareOf} from './source-share.ts';
import {TransferStats} from './transfer-stats.ts';
import {describeAside, setAsideExtras} from './tree-extras.ts';
import {findTree, placeTree, removeTree} from './tree-folder.ts';
import {copyFromHere, writeFree} from './tree-local.ts';
import {TreeParts} from './tree-parts.ts';
import {checkTree, type OpenTree, openTreeState, TreeState} from './tree-state.ts';
import type {
	DownloadDetails,
	DownloadResult,
	DownloadSource,
	DownloadState,
	PartialDownload,
	SourceShare,
} from './types.ts';

const shortWaitMs = 2000;
const askAgainMs = 5000;
/** When sources break off it is asked so often where they are now, and who else has what is missing. */
const askWhereMs = 2000;
/** Missing files whose sources are looked up at once. */
const askedTogether = 8;

/** The download of a folder: gathered beside the downloads until all of it is there, then given its name at once. */
export class FolderDownload implements Job {
	state: DownloadState = 'queued';
	message: string | undefined;
	bottleneck: Bottleneck | undefined;
	readonly #stored: StoredDownload;
	readonly #host: DownloadHost;
	readonly #known: StoredSources;
	readonly #book: SourceBook;
	readonly #stats = new TransferStats();
	readonly #meter = new StageMeter();
	readonly #name: string;
	#tree: TreeState | undefined;
	#open: OpenTree | undefined;
	#small: SmallFiles | undefined;
	#parts: TreeParts | undefined;
	/** Peer IDs by their numbers, from 1, as the map of the details counts them. */
	readonly #numbers: string[] = [];
	/** What the sources of its large files gave, once they are there. */
	#partShares: SourceShare[] = [];
	#receivedBefore = 0;
	/** Files that were there when it was closed. */
	#countBefore = 0;
	#started = false;
	#askedAt = Number.NEGATIVE_INFINITY;
	#asks = 0;
	readonly #pause = new Pause();

	constructor(stored: StoredDownload, host: DownloadHost) {
		this.#stored = stored;
		this.#host = host;
		this.#known = host.journal.sources(stored.id);
		this.#book = new SourceBook(host.self, this.#known.from, undefined, host.barred);
		this.#name = safeFileName(stored.name, host.prefix);
	}

	get speed(): number {
		return this.#stats.speed;
	}

	get done(): number {
		return this.#tree ? this.#tree.done + (this.#parts?.partial ?? 0) : this.#stored.done;
	}

	/** Its small files are taken from where the folder is: another peer may have some of them, but seldom all. */
	get wantsSources(): boolean {
		return this.state === 'running' && !this.#known.from && (this.#parts?.wantsSources ?? false);
	}

	partial(content: string): PartialDownload | undefined {
		return this.#parts?.offered(content);
	}

	partials(): PartialDownload[] {
		return this.#parts?.offers() ?? [];
	}

	get files() {
		const total = this.#stored.files ?? 0;
		return {done: this.#tree?.count ?? (this.#stored.state === 'done' ? total : this.#countBefore), total};
	}

	get received(): number {
		return this.#receivedBefore + (this.#small?.received ?? 0) + (this.#parts?.received ?? 0);
	}

	get peers(): string[] {
		return [...new Set([...(this.#small?.peers ?? []), ...(this.#parts?.peers ?? [])])];
	}

	async attempt(signal: AbortSignal): Promise<AttemptEnd> {
		const {folder, pool} = this.#host;
		this.#book.merge(this.#known.sources, true);
		this.#tree ??= await TreeState.load(this.#host, this.#stored);
		const tree = this.#tree;
		if (!this.#open) {
			const there = await findTree(folder, this.#name, tree, async top => {
				this.state = 'verifying';
				return (await checkTree(pool, top, tree.files, signal)).every(good => good === 1);
			});
			signal.throwIfAborted();
			if (there !== undefined) return {result: await this.#alreadyThere(there)};
			this.#open = await openTreeState(this.#host, this.#stored.content, tree, signal, () => {
				this.state = 'verifying';
			});
			const top = this.#open.folder.path;
			if (this.#open.folder.existed) await this.#setAside(this.#open, tree, false);
			// Whoever names the peers wants it from them.
			const copied = this.#known.from ? 0 : await copyFromHere(this.#host, tree, top, signal);
			if (copied > 0) this.#note(`${copied} ${copied === 1 ? 'file' : 'files'} copied from here, not fetched`);
		}
		this.#start();
		while (!(await this.#attemptOnce(tree, this.#open, signal))) {
			const since = performance.now() - this.#askedAt;
			if (this.#book.hasLost && since > askWhereMs) await this.#ask(tree, signal, false);
			const next = (this.#small?.left ?? 0) > 0 ? this.#book.nextRetry() : this.#parts?.wakeAt;
			const wakeAt = next ?? performance.now() + askAgainMs;
			this.#rest();
			if (!this.#host.once && wakeAt - performance.now() > shortWaitMs) return {wakeAt};
			await this.#pause.wait(wakeAt - performance.now(), signal);
		}
		return {result: await this.#finish(this.#open, tree, signal)};
	}

	async sourcesChanged(signal: AbortSignal): Promise<void> {
		this.#pause.end();
		await this.#parts?.sourcesChanged(signal);
	}

	addSources(sources: DownloadSource[]): void {
		this.#book.merge(sources, true);
		this.#pause.end();
		this.#small?.pump();
	}

	async close({remove = false}: {remove?: boolean} = {}): Promise<void> {
		this.#receivedBefore = this.received;
		await this.#parts?.close({remove});
		const open = this.#open;
		this.#parts = undefined;
		this.#small = undefined;
		this.#open = undefined;
		this.#started = false;
		if (this.#tree) this.#host.journal.update(this.#stored.id, {done: this.#tree.done});
		this.#stored.done = this.#tree?.done ?? this.#stored.done;
		this.#countBefore = this.#tree?.count ?? this.#countBefore;
		this.#tree = undefined;
		if (open) await open.folder.close({remove});
		else if (remove) await removeTree(this.#host.folder, this.#stored.content);
	}

	sample(now: number): boolean {
		if (this.state === 'running' && this.#small) {
			const times = this.#meter.sample(now, this.#small.lanes);
			if (times) this.bottleneck = bottleneckOf(times, this.#book);
		} else this.bottleneck = undefined;
		this.bottleneck = this.#parts?.sample(now) ?? this.bottleneck;
		return this.#stats.sample(this.received, now);
	}

	event() {
		const {content, name, size} = this.#stored;
		const {done, speed, peers, bottleneck} = this;
		return {content, name, size, done, speed: Math.round(speed), sources: peers, ...(bottleneck && {bottleneck})};
	}

	details(): Omit<DownloadDetails, 'row'> {
		const {history, log} = this.#stats;
		const total = this.#stored.files ?? 0;
		return {
			pieces: total,
			map: this.#tree ? Uint8Array.from(this.#tree.from) : new Uint8Array(total).fill(this.files.done > 0 ? 255 : 0),
			sources: this.#shares(),
			speedHistory: [...history],
			log: [...log],
		};
	}

	#shares(): SourceShare[] {
		const own = this.#book.all.map(known => shareOf(known, this.#small?.speedOf(known) ?? 0));
		const all = combineShares([...own, ...(this.#parts?.shares ?? this.#partShares)]);
		for (const {peer} of all) this.#numberOf(peer);
		return all.sort((a, b) => this.#numbers.indexOf(a.peer) - this.#numbers.indexOf(b.peer));
	}

	#numberOf(peer: string): number {
		const known = this.#numbers.indexOf(peer);
		return Math.min(1 + (known === -1 ? this.#numbers.push(peer) - 1 : known), 254);
	}

	/** @returns whether all files are there; false: what is left has to wait */
	async #attemptOnce(tree: TreeState, {folder}: OpenTree, signal: AbortSignal): Promise<boolean> {
		this.state = 'running';
		this.message = undefined;
		const parts = this.#parts ?? (await this.#openParts(tree, folder.path, signal));
		this.#small ??= this.#smallFiles(tree, folder.path, parts);
		const small = this.#small;
		const failed = new AbortController();
		const both = AbortSignal.any([signal, failed.signal]);
		const watched = (work: Promise<unknown>) => work.catch(error => failed.abort(error));
		const fetching = watched(small.run(both));
		await Promise.all([fetching, watched(parts.run(both, fetching))]);
		signal.throwIfAborted();
		failed.signal.throwIfAborted();
		await writeFree(this.#host, tree, folder.path, signal);
		if (tree.complete) return true;
		if (small.left > 0 && this.#book.nextRetry() === undefined) await this.#lastResort(tree, signal);
		else if (small.left === 0 && parts.wakeAt === undefined && parts.failure) throw parts.failure;
		return false;
	}

	async #openParts(tree: TreeState, top: string, signal: AbortSignal): Promise<TreeParts> {
		const numberOf = (peer: string) => this.#numberOf(peer);
		const parts = new TreeParts(this.#host, this.#stored, this.#known, tree, top, numberOf);
		this.#parts = parts;
		await parts.offerThere(signal);
		return parts;
	}

	/**
	 * Looks who has some of the small files that are missing, others each time: whoever has one may have the rest, in
	 * whatever folder.
	 *
	 * @param revive sources that were given up are tried again when they are found
	 */
	async #ask(tree: TreeState, signal: AbortSignal, revive: boolean): Promise<void> {
		this.#askedAt = performance.now();
		const small = tree.missing().filter(n => tree.files[n]!.size <= pieceSizeFor(tree.files[n]!.size));
		const count = Math.min(askedTogether, small.length);
		const first = this.#asks++;
		const asked = Array.from(
			{length: count},
			(_, i) => small[(first + Math.floor((i * small.length) / count)) % small.length]!,
		);
		const {findSources} = this.#host;
		const found = await Promise.all(asked.map(n => findSources(tree.files[n]!.content, signal).catch(() => [])));
		signal.throwIfAborted();
		this.#book.merge(found.flat(), revive);
	}

	/** Nobody is left for the small files. @throws P2pError when that will not change by itself */
	async #lastResort(tree: TreeState, signal: AbortSignal): Promise<void> {
		await this.#ask(tree, signal, !this.#host.once);
		if (this.#book.hopeful) return;
		if (this.#host.once || this.#book.dropped.length > 0) throw this.#book.verdict(displayText(this.#stored.name));
	}

	#smallFiles(tree: TreeState, top: string, parts: TreeParts): SmallFiles {
		const small: SmallFile[] = [];
		const seen = new Set<string>();
		for (const n of tree.missing()) {
			const {content, size, place} = tree.files[n]!;
			// The same bytes again are copied when they are here.
			if (size === 0 || seen.has(content)) continue;
			if (size > pieceSizeFor(size)) parts.add(n);
			else small.push({n, content, size, path: path.join(top, place)});
			seen.add(content);
		}
		return new SmallFiles(small, {
			pool: this.#host.pool,
			book: this.#book,
			folder: this.#host.folder,
			arrived: (n, known) => tree.have(n, this.#numberOf(known.source.peer)),
			refused: ({n}) => parts.add(n),
			dropped: (known, reason) => this.#dropped(known, reason),
		});
	}

	#dropped({source: {peer: id, host, port, name}}: KnownSource, reason: string): void {
		this.#host.pool.forget({id, host, port});
		const message = `Wrong bytes from ${displayText(name)} for ${displayText(this.#stored.name)}: ${reason}`;
		this.#stats.note(`${displayText(name)} dropped: ${reason}`);
		this.#host.bus.emit('log', {level: 'warn', message: `${message}. It is not asked for this folder again`});
	}

	#note(text: string): void {
		this.#stats.note(text);
		this.#host.bus.emit('log', {level: 'info', message: `${displayText(this.#stored.name)}: ${text}`});
	}

	#start(): void {
		if (this.#started) return;
		this.#started = true;
		const sources = this.#book.usable().map(({source}) => source.peer);
		this.#stats.note(`started: ${this.files.total} files`);
		this.#host.bus.emit('download-started', {...this.event(), sources});
	}

	#rest(): void {
		this.state = 'waiting';
		this.message = this.#parts?.waitingFor ?? this.#book.waitingFor();
		this.#stats.note(this.message);
	}

	async #alreadyThere(top: string): Promise<DownloadResult> {
		await removeTree(this.#host.folder, this.#stored.content);
		this.#stored.done = this.#stored.size;
		return {path: path.resolve(top), alreadyThere: true, sources: [], dropped: []};
	}

	/** @param all the tree is complete */
	async #setAside(open: OpenTree, tree: TreeState, all: boolean): Promise<void> {
		const aside = await setAsideExtras(open, tree, all);
		if (!aside) return;
		const message = describeAside(aside);
		this.#stats.note(message);
		this.#host.bus.emit('log', {level: 'warn', message: `${displayText(this.#stored.name)}: ${message}`});
	}

	async #finish(open: OpenTree, tree: TreeState, signal: AbortSignal): Promise<DownloadResult> {
		this.state = 'verifying';
		await this.#setAside(open, tree, true);
		await this.#host.pool.sync([], open.folders, signal);
		signal.throwIfAborted();
		const top = await placeTree(open.folder, this.#host.folder, this.#name);
		await this.#host.pool.sync([], [this.#host.folder], signal);
		const own = this.#book.all.filter(known => known.bytes > 0).map(({source}) => source.peer);
		const sources = [...new Set([...own, ...(this.#parts?.sources ?? [])])];
		const dropped = [...this.#book.dropped, ...(this.#parts?.dropped ?? [])];
		this.#stored.done = this.#stored.size;
		this.#receivedBefore = this.received;
		this.#partShares = this.#parts?.shares ?? [];
		this.#parts = undefined;
		this.#small = undefined;
		this.#open = undefined;
		await open.folder.close();
		this.#stats.note('finished and verified');
		return {path: path.resolve(top), alreadyThere: false, sources, dropped};
	}
}
