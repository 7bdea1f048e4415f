import type {Worker} from 'node:worker_threads';
import {type ErrorCode, P2pError} from '../../core/errors.ts';
import {startWorker} from '../../core/worker-url.ts';
import type {PresenceMemory} from './shared-presence.ts';
import type {ReaderShare} from './term-learner.ts';

/** What a thread starts with. */
export type ThreadData = {role: 'writer' | 'reader'; file: string; memory: PresenceMemory; share?: ReaderShare};
/** A call to a thread. Its answer has the same ID, and `value` or `failure`; ID 0 tells that the thread is ready. */
export type CallMessage = {id: number; method: string; values: unknown[]};
/** An error on its way between threads: one of ours, or a bug with its stack. */
export type PlainFailure =
	| {code: ErrorCode; message: string; hint?: string; details?: Record<string, unknown>}
	| {stack: string};
type AnswerMessage = {id: number; value?: unknown; failure?: PlainFailure};
type Waiting = {resolve: (value: never) => void; reject: (error: unknown) => void; since: number};

/** Of JavaScript's memory, in MiB: what these threads keep is far less, and with little room garbage goes soon. */
const resourceLimits = {
	writer: {maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 96},
	reader: {maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 48},
};

/** The methods of T as calls across threads. */
export type Remote<T> = {
	[K in keyof T]: T[K] extends (...values: infer A) => infer R ? (...values: A) => Promise<Awaited<R>> : never;
};

/** A database thread as the loop sees it: every method of its object, asynchronous. */
export class WorkerThread<T extends object> {
	/** The calls. */
	readonly call: Remote<T>;
	readonly #worker: Worker;
	readonly #waiting = new Map<number, Waiting>();
	#lastId = 0;
	#ended: Error | undefined;
	/** Called after each answer, when one more call may go in. */
	answered: () => void = () => undefined;

	private constructor(data: ThreadData) {
		this.#worker = startWorker('index/sqlite/sqlite-worker', {
			...{workerData: data, name: `index ${data.role}`, resourceLimits: resourceLimits[data.role]},
		});
		this.#worker.on('message', (message: AnswerMessage) => this.#answer(message));
		this.#worker.on('error', error => this.#end(error));
		this.#worker.on('exit', () => this.#end(new P2pError('cancelled', 'The index is closed')));
		this.call = new Proxy({} as Remote<T>, {
			get: (_target, method) =>
				method === 'then' ? undefined : (...values: unknown[]) => this.#send(String(method), values),
		});
	}

	/** Starts a thread; resolves when it has opened the database. @throws P2pError bad-database… */
	static async start<T extends object>(data: ThreadData): Promise<WorkerThread<T>> {
		const ready = {...Promise.withResolvers<never>(), since: performance.now()};
		const thread = new WorkerThread<T>(data);
		thread.#waiting.set(0, ready);
		await ready.promise;
		return thread;
	}

	/** Calls that are not answered yet. */
	get waiting(): number {
		return this.#waiting.size;
	}

	/** Milliseconds that the oldest of them has waited. */
	get waitingFor(): number {
		for (const {since} of this.#waiting.values()) return performance.now() - since;
		return 0;
	}

	/** Closes the connection and ends the thread. */
	async close(): Promise<void> {
		if (this.#ended) return;
		const exit = new Promise(resolve => this.#worker.once('exit', resolve));
		await this.#send('close', []).catch(() => undefined);
		await exit;
	}

	#send(method: string, values: unknown[]): Promise<unknown> {
		if (this.#ended) return Promise.reject(this.#ended);
		const id = ++this.#lastId;
		const {promise, resolve, reject} = Promise.withResolvers<never>();
		this.#waiting.set(id, {resolve, reject, since: performance.now()});
		this.#worker.postMessage({id, method, values} satisfies CallMessage);
		return promise;
	}

	#answer({id, value, failure}: AnswerMessage): void {
		const waiting = this.#waiting.get(id);
		this.#waiting.delete(id);
		if (!waiting) return;
		if (!failure) waiting.resolve(value as never);
		else if ('stack' in failure) waiting.reject(new Error(failure.stack));
		else waiting.reject(new P2pError(failure.code, failure.message, failure));
		this.answered();
	}

	#end(error: Error): void {
		this.#ended ??= error;
		for (const {reject} of this.#waiting.values()) reject(this.#ended);
		this.#waiting.clear();
		this.answered();
	}
}
