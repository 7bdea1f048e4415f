import {P2pError} from '../core/errors.ts';
import type {Job} from './job.ts';
import type {StoredDownload} from './journal.ts';
import type {DownloadResult, DownloadRow, DownloadState, Outcome} from './types.ts';

/** A download in the queue. It has a job from its first turn on: a hundred thousand that wait for theirs cost little. */
export class QueueEntry {
	stored: StoredDownload;
	job: Job | undefined;
	/** Ends the attempt that is under way. */
	running: {abort: AbortController; over: Promise<void>} | undefined;
	/** When a waiting one is tried again, by performance.now(). */
	wakeAt = 0;
	outcome: Outcome | undefined;
	waiters: PromiseWithResolvers<DownloadResult>[] | undefined;
	/** Bytes of its job that the queue has added to its sum. */
	counted = 0;
	/** The state under which the order of display lists it. */
	shown: DownloadState = 'queued';

	constructor(stored: StoredDownload) {
		this.stored = stored;
	}

	/** Bytes of its job that are not in the queue's sum yet. */
	get uncounted(): number {
		return this.job ? this.job.received - this.counted : 0;
	}

	get key(): string {
		return `d${this.stored.id}`;
	}

	get state(): DownloadState {
		const {state} = this.stored;
		return state === 'active' ? (this.job?.state ?? 'queued') : state;
	}

	/** As a screen shows it. */
	row(): DownloadRow {
		const {content, name, size, path, code, done, files: total} = this.stored;
		const {state, job} = this;
		const files = job?.files ?? (total === undefined ? undefined : {done: state === 'done' ? total : 0, total});
		const message = state === 'failed' ? this.stored.message : job?.message;
		return {
			...{key: this.key, content, name, size, done: job?.done ?? done, speed: Math.round(job?.speed ?? 0), state},
			peers: job?.peers ?? [],
			...(message !== undefined && {message}),
			...(state === 'failed' && code !== undefined && {code}),
			...(state === 'done' && path !== undefined && {path}),
			...(files && {files}),
			...(job?.bottleneck && {bottleneck: job.bottleneck}),
		};
	}

	/** The verified file. @throws P2pError what the download fails with; cancelled */
	async finished(): Promise<DownloadResult> {
		const {outcome} = this;
		if (outcome && 'error' in outcome) throw outcome.error;
		if (outcome) return outcome.result;
		const {state, path, code, message} = this.stored;
		if (state === 'done' && path) return {path, alreadyThere: false, sources: [], dropped: []};
		if (state === 'failed') throw new P2pError(code ?? 'internal', message ?? 'The download failed');
		const waiter = Promise.withResolvers<DownloadResult>();
		this.waiters ??= [];
		this.waiters.push(waiter);
		return waiter.promise;
	}

	/** Tells those who wait for its end. */
	settle(outcome: Outcome): void {
		this.outcome = outcome;
		const waiters = this.waiters ?? [];
		this.waiters = undefined;
		for (const waiter of waiters) {
			if ('error' in outcome) waiter.reject(outcome.error);
			else waiter.resolve(outcome.result);
		}
	}
}
