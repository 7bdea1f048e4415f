import {P2pError} from '../core/errors.ts';
import {writeError} from './disk-error.ts';
import {Download, type DownloadHost} from './download.ts';
import type {StoredDownload} from './journal.ts';
import type {DownloadCounts} from './manager.ts';
import type {DownloadRequest, DownloadResult, DownloadRow, DownloadSource, Outcome} from './types.ts';

/** A download in the queue. */
type Entry = {
	download: Download;
	/** Ends the attempt that is under way. */
	running?: {abort: AbortController; over: Promise<void>};
	/** When a waiting one is tried again, by performance.now(). */
	wakeAt: number;
	outcome?: Outcome;
	waiters: PromiseWithResolvers<DownloadResult>[];
};

const tickMs = 250;
/** A running download that is short of sources asks for more so often. */
const askMoreMs = 10_000;
const changedMs = 500;
/** Smallest difference between two places in the queue before they are numbered anew. */
const leastGap = 1e-6;

/** Which downloads there are, in which order, and which of them run. */
export class DownloadQueue {
	readonly #host: DownloadHost;
	readonly #byKey = new Map<string, Entry>();
	readonly #byContent = new Map<string, Entry>();
	#order: Entry[] = [];
	#most: number;
	#running = 0;
	#timer: NodeJS.Timeout | undefined;
	#askedMore = performance.now();
	#stopped = false;
	#changedTimer: NodeJS.Timeout | undefined;
	#changedAgain = false;

	constructor(host: DownloadHost, mostRunning: number) {
		this.#host = host;
		this.#most = mostRunning;
	}

	/** Takes the stored downloads in, and goes on with the unfinished ones. */
	load(): void {
		if (this.#host.once) return;
		for (const stored of this.#host.journal.all()) if (!stored.once || stored.state === 'done') this.#enter(stored);
		this.#schedule();
	}

	add({content, name, size, sources = [], from}: DownloadRequest): {key: string; existed: boolean} {
		const plain = sources.map(({peer, number, name, host, port}): DownloadSource => ({peer, number, name, host, port}));
		const {journal, once} = this.#host;
		const known = this.#byContent.get(content);
		if (known) {
			const {stored, state} = known.download;
			if (state !== 'done' && state !== 'failed' && state !== 'paused') {
				if (plain.length > 0) known.download.addSources(plain);
				return {key: keyOf(stored), existed: true};
			}
			this.#restart(known, {name, size, sources: plain, from});
			return {key: keyOf(stored), existed: state !== 'failed'};
		}
		const left = journal.find(content);
		if (left) {
			const change = {name, size, sources: plain, from, state: 'active' as const, once};
			journal.update(left.id, {...change, code: undefined, message: undefined, path: undefined});
			this.#enter({...left, ...change, path: undefined, message: undefined});
			this.#schedule();
			return {key: keyOf(left), existed: left.state === 'done'};
		}
		const stored = journal.add({content, name, size, sources: plain, from, state: 'active', once});
		this.#enter(stored);
		this.#schedule();
		return {key: keyOf(stored), existed: false};
	}

	async pause(key: string): Promise<void> {
		const entry = this.#find(key);
		const {download} = entry;
		if (download.state === 'done' || download.state === 'failed' || download.state === 'paused') return;
		this.#host.journal.update(download.stored.id, {state: 'paused'});
		download.stored.state = 'paused';
		await this.#halt(entry, new P2pError('cancelled', 'Paused'));
		if (download.stored.state !== 'paused') return;
		download.state = 'paused';
		download.message = undefined;
		await download.close();
		this.#schedule();
	}

	async resume(key: string): Promise<void> {
		const entry = this.#find(key);
		if (entry.download.stored.state === 'paused') this.#restart(entry, {});
	}

	async retry(key: string): Promise<void> {
		const entry = this.#find(key);
		if (entry.download.state === 'failed') this.#restart(entry, {});
		else if (entry.download.state === 'waiting') this.#wake(entry);
	}

	async cancel(key: string): Promise<void> {
		const entry = this.#find(key);
		const {download} = entry;
		this.#byKey.delete(key);
		this.#byContent.delete(download.stored.content);
		this.#order = this.#order.filter(other => other !== entry);
		const reason = new P2pError('cancelled', 'Cancelled');
		await this.#halt(entry, reason);
		if (download.stored.state !== 'done') await download.close({remove: true});
		this.#host.journal.remove(download.stored.id);
		this.#settle(entry, {error: reason});
		this.#schedule();
	}

	reorder(key: string, by: number): void {
		const entry = this.#find(key);
		const open = this.#order.filter(({download}) => download.state !== 'done');
		const at = open.indexOf(entry);
		const to = Math.min(Math.max(at + by, 0), open.length - 1);
		if (at === -1 || at === to) return;
		const [before, after] = to > at ? [open[to], open[to + 1]] : [open[to - 1], open[to]];
		const low = before ? before.download.stored.place : (after?.download.stored.place ?? 0) - 2;
		const high = after ? after.download.stored.place : low + 2;
		this.#place(entry, (low + high) / 2);
		this.#order.sort((a, b) => a.download.stored.place - b.download.stored.place);
		if (high - low < leastGap) for (const [index, other] of this.#order.entries()) this.#place(other, index + 1);
	}

	list(offset: number, most = Number.POSITIVE_INFINITY): DownloadRow[] {
		return this.#order.slice(offset, offset + most).map(rowOf);
	}

	counts(): DownloadCounts {
		const counts: DownloadCounts = {running: 0, waiting: 0, paused: 0, failed: 0, done: 0};
		for (const {download} of this.#order) {
			const {state} = download;
			counts[state === 'verifying' ? 'running' : state === 'queued' ? 'waiting' : state]++;
		}
		return counts;
	}

	async finished(key: string): Promise<DownloadResult> {
		const entry = this.#find(key);
		const {outcome} = entry;
		if (outcome && 'error' in outcome) throw outcome.error;
		if (outcome) return outcome.result;
		const {state, path, code, message} = entry.download.stored;
		if (state === 'done' && path) return {path, alreadyThere: false, sources: [], dropped: []};
		if (state === 'failed') throw new P2pError(code ?? 'internal', message ?? 'The download failed');
		const waiter = Promise.withResolvers<DownloadResult>();
		entry.waiters.push(waiter);
		return waiter.promise;
	}

	/** At once, and then at most every so often, however many peers join. */
	sourcesChanged(): void {
		if (this.#changedTimer) {
			this.#changedAgain = true;
			return;
		}
		this.#changedAgain = false;
		this.#changedTimer = setTimeout(() => {
			this.#changedTimer = undefined;
			if (this.#changedAgain) this.sourcesChanged();
		}, changedMs);
		for (const entry of this.#order) {
			if (entry.running) void entry.download.sourcesChanged(entry.running.abort.signal);
			else if (entry.download.state === 'waiting') this.#wake(entry, false);
		}
		this.#schedule();
	}

	setRunning(count: number): void {
		this.#most = Math.max(1, count);
		this.#schedule();
	}

	/** Ends all attempts and closes all files. */
	async stop(): Promise<void> {
		this.#stopped = true;
		clearInterval(this.#timer);
		clearTimeout(this.#changedTimer);
		this.#changedAgain = false;
		const reason = new P2pError('cancelled', 'The program ends');
		await Promise.all(
			this.#order.map(async entry => {
				await this.#halt(entry, reason);
				await entry.download.close();
				this.#settle(entry, {error: reason});
			}),
		);
	}

	#find(key: string): Entry {
		const entry = this.#byKey.get(key);
		if (!entry) throw new P2pError('not-found', 'That download does not exist any more');
		return entry;
	}

	#enter(stored: StoredDownload): void {
		const download = new Download(stored, this.#host);
		download.state = stored.state === 'active' ? 'queued' : stored.state;
		download.message = stored.message;
		const entry: Entry = {download, wakeAt: 0, waiters: []};
		this.#order.push(entry);
		this.#byKey.set(keyOf(stored), entry);
		this.#byContent.set(stored.content, entry);
	}

	#restart(entry: Entry, change: Partial<Pick<StoredDownload, 'name' | 'size' | 'sources' | 'from'>>): void {
		const old = entry.download.stored;
		const cleared = {code: undefined, message: undefined, path: undefined};
		const stored: StoredDownload = {...old, ...change, ...cleared, state: 'active'};
		if (old.state === 'done') stored.done = 0;
		this.#host.journal.update(old.id, {...change, ...cleared, state: 'active', done: stored.done});
		entry.download = new Download(stored, this.#host);
		entry.outcome = undefined;
		this.#schedule();
	}

	#place(entry: Entry, place: number): void {
		entry.download.stored.place = place;
		this.#host.journal.update(entry.download.stored.id, {place});
	}

	#wake(entry: Entry, schedule = true): void {
		if (!entry.running && entry.download.state === 'waiting') {
			entry.download.state = 'queued';
			entry.wakeAt = 0;
		}
		if (schedule) this.#schedule();
	}

	async #halt(entry: Entry, reason: P2pError): Promise<void> {
		entry.running?.abort.abort(reason);
		await entry.running?.over;
	}

	/** Starts what is first in the queue while there is room. */
	#schedule(): void {
		if (this.#stopped) return;
		for (const entry of this.#order) {
			if (this.#running >= this.#most) break;
			if (!entry.running && entry.download.state === 'queued') this.#begin(entry);
		}
		const busy = this.#running > 0 || this.#order.some(({download}) => download.state === 'waiting');
		if (busy) this.#timer ??= setInterval(() => this.#tick(), tickMs);
		else {
			clearInterval(this.#timer);
			this.#timer = undefined;
		}
	}

	#begin(entry: Entry): void {
		const abort = new AbortController();
		this.#running++;
		entry.download.state = 'running';
		const over = this.#attempt(entry, abort.signal).finally(() => {
			this.#running--;
			entry.running = undefined;
			this.#schedule();
		});
		entry.running = {abort, over};
	}

	async #attempt(entry: Entry, signal: AbortSignal): Promise<void> {
		const {download} = entry;
		try {
			const end = await download.attempt(signal);
			if ('result' in end) return this.#succeeded(entry, end.result);
			download.state = 'waiting';
			download.message = download.waitingFor;
			entry.wakeAt = end.wakeAt;
		} catch (error) {
			if (signal.aborted) return;
			await this.#failed(entry, error);
		} finally {
			download.speed = 0;
		}
	}

	#succeeded(entry: Entry, result: DownloadResult): void {
		const {download} = entry;
		const {stored} = download;
		this.#host.journal.finish(stored.id, result.path, stored.size);
		stored.state = 'done';
		stored.path = result.path;
		download.state = 'done';
		download.message = undefined;
		const event = {...download.event(), sources: result.sources};
		if (!result.alreadyThere) this.#host.bus.emit('download-progress', event);
		this.#host.bus.emit('download-finished', {...event, path: result.path, alreadyThere: result.alreadyThere});
		this.#settle(entry, {result});
	}

	async #failed(entry: Entry, thrown: unknown): Promise<void> {
		const {download} = entry;
		const error = asP2pError(thrown, this.#host.folder);
		if (error.code === 'internal')
			this.#host.bus.emit('error', {code: 'internal', message: (thrown as Error)?.stack ?? String(thrown)});
		await download.close().catch(() => undefined);
		download.stored.state = 'failed';
		download.stored.code = error.code;
		download.stored.message = error.line;
		download.state = 'failed';
		download.message = error.line;
		this.#host.journal.update(download.stored.id, {state: 'failed', code: error.code, message: error.line});
		this.#host.bus.emit('download-failed', {...download.event(), code: error.code, message: error.line});
		this.#settle(entry, {error});
	}

	#settle(entry: Entry, outcome: Outcome): void {
		entry.outcome = outcome;
		for (const waiter of entry.waiters.splice(0)) {
			if ('error' in outcome) waiter.reject(outcome.error);
			else waiter.resolve(outcome.result);
		}
	}

	/** Samples speeds, tells progress, and wakes what has waited long enough. */
	#tick(): void {
		const now = performance.now();
		const askMore = now - this.#askedMore > askMoreMs;
		if (askMore) this.#askedMore = now;
		let woken = false;
		for (const entry of this.#order) {
			const {download} = entry;
			if (entry.running) {
				const changed = download.sample(now);
				if (changed && download.state === 'running') this.#host.bus.emit('download-progress', download.event());
				if (askMore && download.wantsSources) void download.sourcesChanged(entry.running.abort.signal);
			} else if (download.state === 'waiting' && entry.wakeAt <= now) {
				this.#wake(entry, false);
				woken = true;
			}
		}
		if (woken) this.#schedule();
	}
}

function keyOf({id}: StoredDownload): string {
	return `d${id}`;
}

function rowOf({download}: Entry): DownloadRow {
	const {stored, state, message, done, speed, peers} = download;
	const {content, name, size, path, code} = stored;
	return {
		...{key: keyOf(stored), content, name, size, done, speed: Math.round(speed), state, peers},
		...(message !== undefined && {message}),
		...(state === 'failed' && code !== undefined && {code}),
		...(state === 'done' && path !== undefined && {path}),
	};
}

function asP2pError(thrown: unknown, folder: string): P2pError {
	const error = writeError(thrown, folder);
	if (error instanceof P2pError) return error;
	return new P2pError('internal', `A bug ended this download: ${(error as Error)?.message ?? error}`, {cause: error});
}
