import {availableParallelism} from 'node:os';
import type {Worker} from 'node:worker_threads';
import {P2pError} from '../core/errors.ts';
import type {Target} from '../net/secure-client.ts';
import type {TlsIdentity} from '../net/tls-options.ts';
import type {FileCopy} from './copy-file.ts';
import {writeErrorOf} from './disk-error.ts';
import {Lane, type LaneTimes} from './lane.ts';
import type {RateLimit} from './rate-limit.ts';
import {type CheckOrder, type FromWorker, laneCounts, type ToWorker, type VerifyOrder} from './worker-messages.ts';
import {takeTransferWorker} from './worker-stock.ts';
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
	#membership: string | undefined;
	readonly #threads: Thread[] = [];
	readonly #onCrash: (error: Error) => void;
	readonly #writes = new WriteLock();
	#nextId = 1;
	#closed = false;

	/**
	 * @param membership what is shown to other members of private networks; see {@link TransferPool.setMembership}
	 * @param onCrash told of a worker that ended by a bug: its lanes fail as a lost connection does
	 */
	constructor(
		identity: TlsIdentity,
		limit: RateLimit,
		membership: string | undefined,
		onCrash: (error: Error) => void,
	) {
		this.#membership = membership;
		this.#identity = identity;
		this.#limit = limit;
		this.#most = Math.min(mostWorkers, availableParallelism());
		this.#onCrash = onCrash;
	}

	/** A lane to the target, on the worker with the fewest of them. */
	lane(target: Target): Lane {
		const thread = this.#leastBusy();
		const lane = new Lane(this.#nextId++, thread.worker.threadId, message => thread.worker.postMessage(message));
		thread.lanes.set(lane.id, lane);
		thread.worker.postMessage({type: 'open', lane: lane.id, target} satisfies ToWorker);
		return lane;
	}

	/** What connections show from their next request on, also those that are open. */
	setMembership(text: string | undefined): void {
		this.#membership = text;
		for (const {worker} of this.#threads) worker.postMessage({type: 'membership', text} satisfies ToWorker);
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

	/** Copies a file of ours that should have a content. @returns whether the copy has it; false as well when aborted */
	async copy(copy: FileCopy, signal: AbortSignal): Promise<boolean> {
		try {
			const answer = await this.#task(task => ({type: 'copy', task, ...copy}), signal);
			return answer.type === 'copied' && answer.ok;
		} catch {
			// Whatever is wrong with it, there are other ways to come by the bytes.
			return false;
		}
	}

	/** Which of the files are there with the right bytes: a byte each. */
	async check(files: CheckOrder['files'], signal: AbortSignal): Promise<Uint8Array> {
		if (files.length === 0) return new Uint8Array();
		const answer = await this.#task(task => ({type: 'check', task, files}), signal);
		return answer.type === 'checked' ? answer.good : new Uint8Array(files.length);
	}

	/** Brings files, and then the names in folders, to the disk. @throws P2pError disk-full, not-writable */
	async sync(files: string[], folders: string[], signal: AbortSignal): Promise<void> {
		await this.#task(task => ({type: 'sync', task, files, folders}), signal);
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
		const thread: Thread = {worker: takeTransferWorker(), lanes: new Map(), tasks: new Map()};
		thread.worker.postMessage({
			type: 'start',
			keyPem: this.#identity.keyPem,
			certificatePem: this.#identity.certificatePem,
			limit: this.#limit.shared,
			writes: this.#writes.shared,
			membership: this.#membership,
		} satisfies ToWorker);
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
		if (message.type === 'times') {
			for (let i = 0; i < message.counts.length; i += laneCounts.length + 1)
				thread.lanes.get(message.counts[i]!)?.sampled(timesOf(thread, message.counts, i + 1));
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

function timesOf({worker}: Thread, counts: number[], at: number): LaneTimes {
	const named = Object.fromEntries(laneCounts.map((name, i) => [name, counts[at + i]!]));
	return {...(named as Omit<LaneTimes, 'thread'>), thread: worker.threadId};
}

function taskError({code, message}: {code?: string; message: string}): Error {
	return code ? writeErrorOf(code, 'the partial file') : new Error(message);
}
