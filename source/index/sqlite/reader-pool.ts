import {randomUUID} from 'node:crypto';
import {P2pError} from '../../core/errors.ts';
import type {IndexReader} from './index-reader.ts';
import {type Remote, type ThreadData, WorkerThread} from './worker-thread.ts';

/** Calls that a reader has in hand: the one it is at, and the next ones, so that it never waits for this thread. */
const inHand = 8;

type Reader = WorkerThread<IndexReader>;
type Waiting = {
	work: (reader: Remote<IndexReader>) => Promise<unknown>;
	isWanted: (() => boolean) | undefined;
	resolve: (value: never) => void;
	reject: (error: unknown) => void;
	since: number;
};

/**
 * The threads that read, with one queue before them: a slow search holds up no other for which a reader is free, and
 * what nobody waits for any more is not looked up.
 */
export class ReaderPool {
	readonly #readers: Reader[] = [];
	readonly #queue: Waiting[] = [];
	#isClosed = false;

	/** Starts so many readers. @throws P2pError bad-database… */
	async open(count: number, data: Omit<ThreadData, 'role'>): Promise<void> {
		const channel = `index readers ${randomUUID()}`;
		const started = await Promise.allSettled(
			Array.from({length: count}, (_, index) =>
				WorkerThread.start<IndexReader>({role: 'reader', ...data, share: {index, of: count, channel}}),
			),
		);
		for (const one of started) if (one.status === 'fulfilled') this.#readers.push(one.value);
		const failed = started.find(one => one.status === 'rejected');
		if (failed) throw failed.reason;
		for (const reader of this.#readers) reader.answered = () => this.#next(reader);
	}

	/** Ends the readers, and what waits with `cancelled`. */
	async close(): Promise<void> {
		this.#isClosed = true;
		for (const {reject} of this.#queue.splice(0)) reject(closed());
		await Promise.all(this.#readers.splice(0).map(reader => reader.close()));
	}

	/** Milliseconds that the oldest call has waited for its answer. */
	get waitingFor(): number {
		const first = this.#queue[0];
		return Math.max(first ? performance.now() - first.since : 0, ...this.#readers.map(reader => reader.waitingFor));
	}

	/**
	 * Has a reader do something.
	 *
	 * @param isWanted asked when its turn comes; undefined: it always is
	 * @throws P2pError cancelled when nobody wants it any more, or the index is closed
	 */
	call<T>(work: (reader: Remote<IndexReader>) => Promise<T>, isWanted?: () => boolean): Promise<T> {
		let best: Reader | undefined;
		for (const reader of this.#readers) if (!best || reader.waiting < best.waiting) best = reader;
		if (!best || this.#isClosed) return Promise.reject(closed());
		if (best.waiting < inHand) return work(best.call);
		return new Promise((resolve, reject) => {
			this.#queue.push({work, isWanted, resolve, reject, since: performance.now()});
		});
	}

	/** Gives a reader what has waited for longest. */
	#next(reader: Reader): void {
		while (reader.waiting < inHand) {
			const next = this.#queue.shift();
			if (!next) return;
			const {work, isWanted, resolve, reject} = next;
			if (!isWanted || isWanted()) work(reader.call).then(resolve as (value: unknown) => void, reject);
			else reject(new P2pError('cancelled', 'Nobody waits for this search any more'));
		}
	}
}

function closed(): P2pError {
	return new P2pError('cancelled', 'The index is closed');
}
