import {setImmediate as nextTurn} from 'node:timers/promises';
import {P2pError} from '../core/errors.ts';
import {Closing} from './closing.ts';
import {downloadError} from './disk-error.ts';
import type {DownloadHost, Job} from './job.ts';
import {historyKept, type NewDownload, type StoredDownload} from './journal.ts';
import {makeJob} from './make-job.ts';
import {QueueEntry} from './queue-entry.ts';
import {QueueOrder} from './queue-order.ts';
import {plainSource} from './source-book.ts';
import {Throttle} from './throttle.ts';
import type {
	DownloadCounts,
	DownloadDetails,
	DownloadResult,
	DownloadRow,
	DownloadState,
	PartialDownload,
} from './types.ts';

const tickMs = 250;
/** A running download that is short of sources asks for more so often. */
const askMoreMs = 10_000;
const changedMs = 500;
/** Waiting downloads that are tried again at once: each asks the index servers. */
const wakesPerTick = 10;
/** Downloads that are read from the journal between two turns of the event loop. */
const loadedPerTurn = 500;
/** After so many have finished, those past what is remembered are forgotten. */
const historySlack = 100;

/** What is asked for: a file, or a folder with its number of files. */
export type WantedDownload = Omit<NewDownload, 'once'>;

/** Which downloads there are, in which order, and which of them run. */
export class DownloadQueue {
	readonly #host: DownloadHost;
	readonly #byKey = new Map<string, QueueEntry>();
	readonly #byContent = new Map<string, QueueEntry>();
	readonly #running = new Set<QueueEntry>();
	readonly #waiting = new Set<QueueEntry>();
	readonly #order = new QueueOrder(() => this.#running);
	readonly #closing = new Closing();
	#most: number;
	#timer: NodeJS.Timeout | undefined;
	#askedMore = performance.now();
	#stopped = false;
	readonly #changed = new Throttle(changedMs, () => this.#lookAgain());
	#receivedBefore = 0;
	#finished = 0;

	constructor(host: DownloadHost, mostRunning: number) {
		this.#host = host;
		this.#most = mostRunning;
	}

	/** Takes the stored downloads in, and goes on with the unfinished ones. */
	async load(): Promise<void> {
		const {journal, once} = this.#host;
		for (let after: StoredDownload | undefined; !once && !this.#stopped; ) {
			const page = journal.page(after, loadedPerTurn);
			for (const stored of page) if (!stored.once || stored.state === 'done') this.#enter(stored);
			after = page.at(-1);
			if (!after) break;
			await nextTurn();
		}
		this.#schedule();
	}

	/** Body bytes received since the start. */
	get received(): number {
		let bytes = this.#receivedBefore;
		for (const entry of this.#running) bytes += entry.uncounted;
		for (const entry of this.#waiting) bytes += entry.uncounted;
		return bytes;
	}

	add({content, name, size, files, sources, from}: WantedDownload): {key: string; existed: boolean} {
		const plain = sources.map(plainSource);
		const {journal, once} = this.#host;
		const known = this.#byContent.get(content);
		if (known) {
			const {key, state} = known;
			if (state !== 'done' && state !== 'failed' && state !== 'paused') {
				if (plain.length > 0) known.job?.addSources(plain);
				return {key, existed: true};
			}
			this.#restart(known, {name, size, sources: plain, from});
			return {key, existed: state !== 'failed'};
		}
		const left = journal.find(content);
		if (left) {
			const change = {name, size, files, state: 'active' as const, once};
			journal.update(left.id, {...change, sources: plain, from, code: undefined, message: undefined});
			const entry = this.#enter({...left, ...change, message: undefined});
			this.#schedule();
			return {key: entry.key, existed: left.state === 'done'};
		}
		const entry = this.#enter(journal.add({content, name, size, files, sources: plain, from, once}));
		this.#schedule();
		return {key: entry.key, existed: false};
	}

	async pause(key: string): Promise<void> {
		const entry = this.#find(key);
		const {state} = entry;
		if (state === 'done' || state === 'failed' || state === 'paused') return;
		this.#host.journal.update(entry.stored.id, {state: 'paused'});
		entry.stored.state = 'paused';
		this.#waiting.delete(entry);
		this.#order.moved();
		await this.#release(entry, new P2pError('cancelled', 'Paused'));
		this.#schedule();
	}

	async resume(key: string): Promise<void> {
		const entry = this.#find(key);
		if (entry.stored.state === 'paused') this.#restart(entry, {});
	}

	async retry(key: string): Promise<void> {
		const entry = this.#find(key);
		if (entry.state === 'failed') this.#restart(entry, {});
		else if (entry.state === 'waiting') {
			this.#wake(entry);
			this.#schedule();
		}
	}

	async cancel(key: string): Promise<void> {
		const entry = this.#find(key);
		this.#byKey.delete(key);
		this.#byContent.delete(entry.stored.content);
		this.#waiting.delete(entry);
		this.#order.remove(entry);
		const reason = new P2pError('cancelled', 'Cancelled');
		await this.#release(entry, reason, true);
		entry.settle({error: reason});
		this.#schedule();
	}

	/** Resolves when a download of this content that was cancelled has left nothing behind. */
	cancelled(content: string): Promise<void> {
		return this.#closing.of(content);
	}

	reorder(key: string, by: number): void {
		this.#order.move(this.#find(key), by, ({stored: {id, place}}) => this.#host.journal.update(id, {place}));
	}

	list(offset: number, most = Number.POSITIVE_INFINITY): DownloadRow[] {
		return this.#order.all.slice(offset, offset + most).map(entry => entry.row());
	}

	inState(state: DownloadState, offset: number, limit: number): DownloadRow[] {
		return this.#order.inState(state, offset, limit).map(entry => entry.row());
	}

	counts(): DownloadCounts {
		return this.#order.counts();
	}

	details(key: string): DownloadDetails {
		const entry = this.#find(key);
		const row = entry.row();
		const job = entry.job ?? makeJob(entry.stored, this.#host);
		return {row, ...job.details()};
	}

	async finished(key: string): Promise<DownloadResult> {
		return this.#find(key).finished();
	}

	/** At once, and then at most every so often, however many peers join. */
	sourcesChanged(): void {
		this.#changed.ask();
	}

	setRunning(count: number): void {
		this.#most = Math.max(1, count);
		this.#schedule();
	}

	/** What is there of a content: of a download that has its file open, or of a folder's. */
	partial(content: string): PartialDownload | undefined {
		const own = this.#byContent.get(content)?.job;
		for (const jobs of [own ? [{job: own}] : [], this.#running, this.#waiting])
			for (const {job} of jobs) {
				const found = job?.partial(content);
				if (found) return found;
			}
		return undefined;
	}

	/** All contents of running and waiting downloads with at least one verified piece. */
	partials(): PartialDownload[] {
		return [...this.#running, ...this.#waiting].flatMap(({job}) => job?.partials() ?? []);
	}

	/** Ends all attempts and closes all files. */
	async stop(): Promise<void> {
		this.#stopped = true;
		clearInterval(this.#timer);
		this.#changed.stop();
		const reason = new P2pError('cancelled', 'The program ends');
		const busy = this.#order.all.filter(entry => entry.job || entry.running || entry.waiters);
		await Promise.all(
			busy.map(async entry => {
				await this.#release(entry, reason);
				entry.settle({error: reason});
			}),
		);
		await this.#closing.all();
	}

	/** Running downloads look for more sources, and those that wait for one try again. */
	#lookAgain(): void {
		for (const {job, running} of this.#running) if (running) void job?.sourcesChanged(running.abort.signal);
		for (const entry of this.#waiting) this.#wake(entry);
		this.#schedule();
	}

	#find(key: string): QueueEntry {
		const entry = this.#byKey.get(key);
		if (!entry) throw new P2pError('not-found', 'That download does not exist any more');
		return entry;
	}

	#enter(stored: StoredDownload): QueueEntry {
		const entry = new QueueEntry(stored);
		this.#order.push(entry);
		this.#byKey.set(entry.key, entry);
		this.#byContent.set(stored.content, entry);
		return entry;
	}

	#restart(entry: QueueEntry, change: Partial<Pick<WantedDownload, 'name' | 'size' | 'sources' | 'from'>>): void {
		const {sources, from, ...listed} = change;
		const old = entry.stored;
		// Where a finished one was put is kept: it may be copied from there.
		const cleared = {code: undefined, message: undefined};
		const done = old.state === 'done' ? 0 : old.done;
		this.#host.journal.update(old.id, {...change, ...cleared, state: 'active', done});
		entry.stored = {...old, ...listed, ...cleared, state: 'active', done};
		this.#forgetJob(entry);
		entry.outcome = undefined;
		this.#order.moved();
		this.#schedule();
	}

	#wake(entry: QueueEntry): void {
		if (!entry.job || entry.running || entry.state !== 'waiting') return;
		this.#count(entry);
		this.#waiting.delete(entry);
		entry.job.state = 'queued';
		entry.wakeAt = 0;
		this.#order.moved();
	}

	/** Ends what runs and closes what it has open; with `remove`, leaves nothing of it. */
	#release(entry: QueueEntry, reason: P2pError, remove = false): Promise<void> {
		const {job, running} = entry;
		running?.abort.abort(reason);
		return this.#closing.run(entry.stored.content, async () => {
			await running?.over;
			const {id, state} = entry.stored;
			try {
				if (remove && state !== 'done') await (job ?? makeJob(entry.stored, this.#host)).close({remove});
				else if (state !== 'done' && state !== 'failed') await job?.close();
			} finally {
				if (remove) this.#host.journal.remove(id);
			}
			if (entry.job === job && state !== 'done' && state !== 'failed') this.#forgetJob(entry);
		});
	}

	#forgetJob(entry: QueueEntry): void {
		this.#count(entry);
		this.#waiting.delete(entry);
		entry.job = undefined;
		entry.counted = 0;
	}

	/** Adds what its job has received to the sum of those that are not followed any more. */
	#count(entry: QueueEntry): void {
		this.#receivedBefore += entry.uncounted;
		entry.counted += entry.uncounted;
	}

	/** Starts what is first in the queue while there is room. */
	#schedule(): void {
		if (this.#stopped) return;
		while (this.#running.size < this.#most) {
			const entry = this.#order.next();
			if (!entry) break;
			this.#begin(entry);
		}
		if (this.#running.size > 0 || this.#waiting.size > 0) this.#timer ??= setInterval(() => this.#tick(), tickMs);
		else {
			clearInterval(this.#timer);
			this.#timer = undefined;
		}
	}

	#begin(entry: QueueEntry): void {
		const abort = new AbortController();
		entry.job ??= makeJob(entry.stored, this.#host);
		entry.job.state = 'running';
		this.#running.add(entry);
		this.#order.moved();
		const over = this.#attempt(entry, abort.signal).finally(() => {
			if (!this.#waiting.has(entry)) this.#count(entry);
			this.#running.delete(entry);
			entry.running = undefined;
			this.#order.moved();
			this.#schedule();
		});
		entry.running = {abort, over};
	}

	async #attempt(entry: QueueEntry, signal: AbortSignal): Promise<void> {
		const job = entry.job!;
		try {
			await this.#closing.of(entry.stored.content);
			signal.throwIfAborted();
			const end = await job.attempt(signal);
			if ('result' in end) return this.#succeeded(entry, job, end.result);
			job.state = 'waiting';
			job.sample(performance.now());
			entry.wakeAt = end.wakeAt;
			if (entry.stored.state === 'active' && entry.job === job) this.#waiting.add(entry);
		} catch (error) {
			if (signal.aborted) return;
			await this.#failed(entry, job, error);
		}
	}

	#succeeded(entry: QueueEntry, job: Job, result: DownloadResult): void {
		const {stored} = entry;
		this.#host.journal.finish(stored.id, result.path, stored.size);
		stored.state = 'done';
		stored.path = result.path;
		stored.done = stored.size;
		const event = {...job.event(), sources: result.sources, speed: 0};
		if (!result.alreadyThere) this.#host.bus.emit('download-progress', event);
		this.#host.bus.emit('download-finished', {...event, path: result.path, alreadyThere: result.alreadyThere});
		entry.settle({result});
		if (++this.#finished % historySlack === 0) this.#forgetOldest();
	}

	/** Keeps as many of the finished ones as the journal does; the details of the latest with them. */
	#forgetOldest(): void {
		const done = Math.max(0, this.counts().done - historyKept);
		for (const entry of this.#order.inState('done', 0, done)) {
			if (entry.running) continue;
			this.#forgetJob(entry);
			this.#byKey.delete(entry.key);
			this.#byContent.delete(entry.stored.content);
			this.#order.remove(entry);
		}
	}

	async #failed(entry: QueueEntry, job: Job, thrown: unknown): Promise<void> {
		const {stored} = entry;
		const error = downloadError(thrown, this.#host.folder);
		if (error.code === 'internal')
			this.#host.bus.emit('error', {code: 'internal', message: (thrown as Error)?.stack ?? String(thrown)});
		await job.close().catch(() => undefined);
		stored.state = 'failed';
		stored.code = error.code;
		stored.message = error.line;
		job.message = error.line;
		this.#host.journal.update(stored.id, {state: 'failed', code: error.code, message: error.line});
		this.#host.bus.emit('download-failed', {...job.event(), speed: 0, code: error.code, message: error.line});
		entry.settle({error});
	}

	/** Samples speeds, tells progress, and wakes what has waited long enough. */
	#tick(): void {
		const now = performance.now();
		const askMore = now - this.#askedMore > askMoreMs;
		if (askMore) this.#askedMore = now;
		for (const {job, running} of this.#running) {
			if (!job || !running) continue;
			const changed = job.sample(now);
			if (changed && job.state === 'running') this.#host.bus.emit('download-progress', job.event());
			if (askMore && job.wantsSources) void job.sourcesChanged(running.abort.signal);
		}
		let woken = 0;
		for (const entry of this.#waiting) {
			if (woken >= wakesPerTick) break;
			if (entry.wakeAt > now) continue;
			this.#wake(entry);
			woken++;
		}
		if (woken > 0) this.#schedule();
	}
}
