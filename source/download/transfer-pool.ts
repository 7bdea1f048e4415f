import {availableParallelism} from 'node:os';
import {Worker} from 'node:worker_threads';
import {P2pError} from '../core/errors.ts';
import {workerUrl} from '../core/worker-url.ts';
import type {Target} from '../net/secure-client.ts';
import type {TlsIdentity} from '../net/tls-options.ts';
import {writeErrorOf} from './disk-error.ts';
import {Lane} from './lane.ts';
import type {RateLimit} from './rate-limit.ts';
import type {FromWorker, ToWorker, VerifyOrder, WorkerStart} from './worker-messages.ts';
import {WriteLock} from './write-lock.ts';

/** More threads than this only cost memory: two saturate a link of 10 Gbit/s. */
const mostWorkers = 4;

type Task = {resolve(message: FromWorker): void; reject(error: unknown): void; progress?(bytes: number): void};
type Thread = {worker: Worker; lanes: Map<number, Lane>; tasks: Map<number, Task>};

/** The transfer workers and what they are doing. They start when first needed. */
export class TransferPool {
	readonly #identity: TlsIdentity;
	readonly #limit: RateLimit;
	readonly #most: number;
	readonly #threads: Thread[] = [];
	readonly #onCrash: (error: Error) => void;
	readonly #writes = new WriteLock();
	#nextId = 1;
	#closed = false;

	/** @param onCrash told of a worker that ended by a bug: its lanes fail as a lost connection does */
	constructor(identity: TlsIdentity, limit: RateLimit, onCrash: (error: Error) => void) {
		this.#identity = identity;
		this.#limit = limit;
		this.#most = Math.min(mostWorkers, availableParallelism());
		this.#onCrash = onCrash;
	}

	/** A lane to the target, on the worker with the fewest of them. */
	lane(target: Target): Lane {
		const thread = this.#leastBusy();
		const lane = new Lane(this.#nextId++, message => thread.worker.postMessage(message));
		thread.lanes.set(lane.id, lane);
		thread.worker.postMessage({type: 'open', lane: lane.id, target} satisfies ToWorker);
		return lane;
	}

	/** Ends the connections that are kept to a target that lied. */
	forget(target: Target): void {
		for (const {worker} of this.#threads) worker.postMessage({type: 'forget', target} satisfies ToWorker);
	}

	/** Which of the candidate pieces of a partial file are there. Stops early, with what it has, when aborted. */
	async verify(
		order: Omit<VerifyOrder, 'type' | 'task'>,
		progress: (bytes: number) => void,
		signal: AbortSignal,
	): Promise<Uint8Array> {
		const answer = await this.#task(task => ({type: 'verify', task, ...order}), signal, progress);
		return answer.type === 'verified' ? answer.have : new Uint8Array();
	}

	/** The content ID of a file; undefined when it cannot be read or the work was aborted. */
	async hashFile(file: string, signal: AbortSignal): Promise<string | undefined> {
		try {
			const answer = await this.#task(task => ({type: 'hash', task, file}), signal);
			return answer.type === 'hashed' ? answer.content : undefined;
		} catch {
			return undefined;
		}
	}

	/** Ends all threads. Lanes must be closed before: their files may be written to until then. */
	async close(): Promise<void> {
		this.#closed = true;
		await Promise.all(this.#threads.splice(0).map(thread => thread.worker.terminate()));
	}

	#leastBusy(): Thread {
		const load = (thread: Thread) => thread.lanes.size + thread.tasks.size;
		const best = this.#threads.toSorted((a, b) => load(a) - load(b))[0];
		if (best && (load(best) === 0 || this.#threads.length >= this.#most)) return best;
		return this.#start();
	}

	#start(): Thread {
		if (this.#closed) throw new P2pError('cancelled', 'Downloads have ended');
		const workerData: WorkerStart = {
			keyPem: this.#identity.keyPem,
			certificatePem: this.#identity.certificatePem,
			limit: this.#limit.shared,
			writes: this.#writes.shared,
		};
		const thread: Thread = {
			worker: new Worker(workerUrl('download/transfer-worker'), {workerData}),
			lanes: new Map(),
			tasks: new Map(),
		};
		thread.worker.on('message', (message: FromWorker) => this.#receive(thread, message));
		let crash: Error | undefined;
		thread.worker.on('error', error => {
			crash = error as Error;
		});
		thread.worker.on('exit', () => this.#ended(thread, crash));
		this.#threads.push(thread);
		return thread;
	}

	#receive(thread: Thread, message: FromWorker): void {
		if (message.type === 'bytes') {
			for (let i = 0; i < message.counts.length; i += 2)
				thread.lanes.get(message.counts[i]!)?.sampled(message.counts[i + 1]!);
		} else if (message.type === 'pieces') {
			for (let i = 0; i < message.list.length; i += 3)
				thread.lanes.get(message.list[i]!)?.arrived(message.list[i + 1]!, message.list[i + 2]!);
		} else if ('task' in message) {
			const task = thread.tasks.get(message.task);
			if (message.type === 'verifying') {
				task?.progress?.(message.bytes);
				return;
			}
			thread.tasks.delete(message.task);
			if (message.type === 'task-failed') task?.reject(taskError(message));
			else task?.resolve(message);
		} else {
			const lane = thread.lanes.get(message.lane);
			if (message.type === 'closed') thread.lanes.delete(message.lane);
			lane?.receive(message);
		}
	}

	#ended(thread: Thread, crash: Error | undefined): void {
		const index = this.#threads.indexOf(thread);
		if (index !== -1) this.#threads.splice(index, 1);
		const error = crash ?? new P2pError('cancelled', 'Downloads have ended');
		for (const lane of thread.lanes.values()) lane.crashed(error.message);
		for (const task of thread.tasks.values()) task.reject(error);
		if (crash && !this.#closed) this.#onCrash(crash);
	}

	#task(
		message: (task: number) => ToWorker,
		signal: AbortSignal,
		progress?: (bytes: number) => void,
	): Promise<FromWorker> {
		const thread = this.#leastBusy();
		const id = this.#nextId++;
		return new Promise<FromWorker>((resolve, reject) => {
			const stop = () => thread.worker.postMessage({type: 'stop-task', task: id} satisfies ToWorker);
			const over =
				<T>(settle: (value: T) => void) =>
				(value: T) => {
					signal.removeEventListener('abort', stop);
					settle(value);
				};
			thread.tasks.set(id, {resolve: over(resolve), reject: over(reject), progress});
			thread.worker.postMessage(message(id));
			if (signal.aborted) stop();
			else signal.addEventListener('abort', stop, {once: true});
		});
	}
}

function taskError({code, message}: {code?: string; message: string}): Error {
	return code ? writeErrorOf(code, 'the partial file') : new Error(message);
}
