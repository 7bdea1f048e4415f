// The thread that keeps this process's parts of tables: a commit of some thousand records takes a database longer than the
// loop that answers others may stand still. All nodes of a process share it.
import type {Worker} from 'node:worker_threads';
import {P2pError} from '../core/errors.ts';
import {startWorker} from '../core/worker-url.ts';

/** What it is asked about one part. All bytes are copies of what they hold alone: a view would take along all that it looks at. */
export type KeeperCall =
	/** `tag`: of the network. */
	| {kind: 'open'; file: string; tag: Uint8Array}
	| {kind: 'put'; message: Uint8Array; nodeId: Uint8Array; token: Uint8Array; address: string}
	| {kind: 'list'; publisher: string; body: Uint8Array; address: string}
	| {kind: 'get'; message: Uint8Array}
	| {kind: 'close'};

/** Words of files that were full, by the files' places, as masks. */
export type FullWords = Array<[place: number, mask: number]>;

/** What it says: `records` are those of the part now. */
export type KeeperValue = {value: Uint8Array | FullWords | undefined; records: number};

export type KeeperMessage = {id: number; part: number; call: KeeperCall};
/** Calls end in any order. `wrong`: what is wrong with the bytes of the call; `fault`: with this program or its disk. */
export type KeeperAnswer = {id: number} & (KeeperValue | {wrong: string} | {fault: string});

/** Bytes that the sender got wrong. */
export class WrongBytes extends Error {}

/**
 * Of its JavaScript memory, in MiB: what lives there is small, and with little room garbage goes soon. The databases' own
 * memory is outside of it and bounded by their caches.
 */
const resourceLimits = {maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 128};

/** The running thread. */
export class KeeperThread {
	static #running: KeeperThread | undefined;
	readonly #worker: Worker;
	readonly #waiting = new Map<number, {resolve(value: KeeperValue): void; reject(error: Error): void}>();
	#lastId = 0;
	#lastPart = 0;
	/** Parts that are open or being opened. */
	#users = 0;
	#problem = 'its thread ended';
	/** Calls fail from now on. */
	hasEnded = false;
	/** Resolves with what ended it. */
	readonly ended: Promise<P2pError>;

	private constructor() {
		this.#worker = startWorker('dht/keeper-worker', {name: 'table', resourceLimits});
		this.#worker.on('message', (answer: KeeperAnswer) => this.#answer(answer));
		this.#worker.on('error', error => {
			this.#problem = error instanceof Error ? error.message : String(error);
		});
		this.ended = new Promise(resolve => this.#worker.once('exit', () => resolve(this.#end())));
	}

	/** Takes part in the thread, which is started for the first. @returns it and the number of a new part */
	static join(): {thread: KeeperThread; part: number} {
		KeeperThread.#running ??= new KeeperThread();
		const thread = KeeperThread.#running;
		thread.#users++;
		return {thread, part: ++thread.#lastPart};
	}

	/** Leaves a part that is closed; the thread ends with the last. */
	async leave(): Promise<void> {
		if (--this.#users > 0) return;
		if (KeeperThread.#running === this) KeeperThread.#running = undefined;
		await this.#worker.terminate();
	}

	/** @param given memory that goes to the thread @throws WrongBytes, P2pError bad-database when the thread ended */
	call(part: number, call: KeeperCall, given: ArrayBuffer[] = []): Promise<KeeperValue> {
		if (this.hasEnded) return Promise.reject(databaseError(this.#problem));
		const id = ++this.#lastId;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, {resolve, reject});
			this.#worker.postMessage({id, part, call} satisfies KeeperMessage, given);
		});
	}

	#answer(answer: KeeperAnswer): void {
		const waiting = this.#waiting.get(answer.id);
		this.#waiting.delete(answer.id);
		if ('wrong' in answer) waiting?.reject(new WrongBytes(answer.wrong));
		else if ('fault' in answer) waiting?.reject(databaseError(answer.fault));
		else waiting?.resolve(answer);
	}

	#end(): P2pError {
		this.hasEnded = true;
		if (KeeperThread.#running === this) KeeperThread.#running = undefined;
		const error = databaseError(this.#problem);
		for (const {reject} of this.#waiting.values()) reject(error);
		this.#waiting.clear();
		return error;
	}
}

function databaseError(problem: string): P2pError {
	return new P2pError('bad-database', `Cannot keep a part of the table: ${problem}`, {
		hint: 'See that the disk has room and that the data folder can be written',
	});
}
