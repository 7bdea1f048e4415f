import type {Worker} from 'node:worker_threads';
import {P2pError} from '../core/errors.ts';
import {startWorker} from '../core/worker-url.ts';
import type {HashJob, HashReply, HashRequest, HashResult} from './hash-messages.ts';

/** A thread holds 15 MB, and another one starts in 50 ms. */
const idleMilliseconds = 2000;
/** Short-lived objects are all that a thread makes: by default each would let 48 MB of them lie. */
const resourceLimits = {maxYoungGenerationSizeMb: 4};

/** What was sent to a thread in one message. */
export type Batch<T> = {number: number; items: T[]; cancelled: boolean};

/** What a thread tells its pool. */
export type HashThreadHandlers<T> = {
	jobOf(item: T): HashJob;
	onProgress(batch: Batch<T>, bytes: number): void;
	onResults(batch: Batch<T>, results: HashResult[]): void;
	/** The thread is gone; `lost` is what it had not answered. */
	onEnd(lost: T[], error: P2pError): void;
};

/** One worker thread of the hash pool: keeps the process alive only while it has work, and ends when long idle. */
export class HashThread<T> {
	readonly #worker: Worker;
	readonly #handlers: HashThreadHandlers<T>;
	readonly #batches = new Map<number, Batch<T>>();
	#numbers = 0;
	#idle: NodeJS.Timeout | undefined;
	#isEnding = false;
	#failure: unknown;

	constructor(handlers: HashThreadHandlers<T>) {
		this.#handlers = handlers;
		this.#worker = startWorker('share/hash-worker', {name: 'hash', resourceLimits});
		this.#worker.unref();
		this.#worker.on('message', (reply: HashReply) => this.#receive(reply));
		this.#worker.on('error', error => {
			this.#failure = error;
		});
		this.#worker.on('exit', () => this.#ended());
	}

	/** Batches that are not answered yet; infinitely many when it is being ended and takes no more. */
	get waiting(): number {
		return this.#isEnding ? Number.POSITIVE_INFINITY : this.#batches.size;
	}

	/** Everything that is not answered yet. */
	work(): T[] {
		return [...this.#batches.values()].flatMap(batch => batch.items);
	}

	send(items: T[]): void {
		clearTimeout(this.#idle);
		if (this.#batches.size === 0) this.#worker.ref();
		const number = ++this.#numbers;
		this.#batches.set(number, {number, items, cancelled: false});
		this.#post({batch: number, jobs: items.map(item => this.#handlers.jobOf(item))});
	}

	/** Tells the thread to drop the batches that nobody waits for. */
	cancel(isUnwanted: (batch: Batch<T>) => boolean): void {
		for (const batch of this.#batches.values()) {
			if (batch.cancelled || !isUnwanted(batch)) continue;
			batch.cancelled = true;
			this.#post({cancel: batch.number});
		}
	}

	async end(): Promise<void> {
		this.#isEnding = true;
		clearTimeout(this.#idle);
		await this.#worker.terminate();
	}

	#post(request: HashRequest): void {
		this.#worker.postMessage(request);
	}

	#receive(reply: HashReply): void {
		const batch = this.#batches.get(reply.batch);
		if (!batch) return;
		if ('bytes' in reply) {
			this.#handlers.onProgress(batch, reply.bytes);
			return;
		}
		this.#batches.delete(reply.batch);
		this.#handlers.onResults(batch, reply.results);
		if (this.#batches.size > 0) return;
		this.#worker.unref();
		this.#idle = setTimeout(() => void this.end(), idleMilliseconds).unref();
	}

	#ended(): void {
		clearTimeout(this.#idle);
		const lost = this.work();
		this.#batches.clear();
		const why = this.#failure instanceof Error ? `: ${this.#failure.message}` : '';
		this.#handlers.onEnd(
			lost,
			new P2pError(
				'internal',
				`A hashing thread ended${why}`,
				this.#failure === undefined ? {} : {cause: this.#failure},
			),
		);
	}
}
