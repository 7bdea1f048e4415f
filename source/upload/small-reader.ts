import type {Worker} from 'node:worker_threads';
import {type ErrorCode, P2pError} from '../core/errors.ts';
import {startWorker} from '../core/worker-url.ts';
import type {ServedFile} from './served-catalog.ts';

/** A part of a file to read into shared memory. */
export type SmallRead = {id: number; file: ServedFile; start: number; length: number; memory: SharedArrayBuffer};

/** What became of it. `reason`: of the system, for our own log. */
export type SmallReadResult = {id: number; error?: {code: ErrorCode; message: string; hint?: string; reason?: string}};

/** What one thread keeps for objects that live for one message. */
const maxYoungGenerationSizeMb = 4;

/**
 * Reads small files in a thread of its own, all that are asked for in one turn of the event loop together. The thread
 * starts with the first of them.
 */
export class SmallReader {
	readonly #waiting = new Map<number, {resolve(): void; reject(error: unknown): void}>();
	#worker: Worker | undefined;
	#batch: SmallRead[] = [];
	#nextId = 1;

	/**
	 * Reads into the buffer from its start, after and before the checks of `readSmall`.
	 *
	 * @param buffer all of a SharedArrayBuffer
	 * @throws P2pError changed, not-found, not-readable, cancelled
	 */
	read(file: ServedFile, start: number, length: number, buffer: Buffer): Promise<void> {
		return new Promise((resolve, reject) => {
			const id = this.#nextId++;
			this.#waiting.set(id, {resolve, reject});
			if (this.#batch.length === 0) setImmediate(() => this.#send());
			this.#batch.push({id, file, start, length, memory: buffer.buffer as SharedArrayBuffer});
		});
	}

	/** Ends the thread. */
	async stop(): Promise<void> {
		const worker = this.#worker;
		this.#worker = undefined;
		this.#fail(new P2pError('cancelled', 'The file server has stopped'));
		await worker?.terminate();
	}

	#send(): void {
		const batch = this.#batch;
		this.#batch = [];
		if (batch.length === 0) return;
		this.#worker ??= this.#start();
		this.#worker.postMessage(batch);
	}

	#start(): Worker {
		const worker = startWorker('upload/small-file-worker', {resourceLimits: {maxYoungGenerationSizeMb}});
		worker.unref();
		worker.on('message', (results: SmallReadResult[]) => {
			for (const {id, error} of results) {
				const waiting = this.#waiting.get(id);
				this.#waiting.delete(id);
				if (error) waiting?.reject(asError(error));
				else waiting?.resolve();
			}
		});
		worker.on('error', error => {
			if (this.#worker === worker) this.#worker = undefined;
			this.#fail(error);
		});
		return worker;
	}

	#fail(error: unknown): void {
		const all = [...this.#waiting.values()];
		this.#waiting.clear();
		this.#batch = [];
		for (const {reject} of all) reject(error);
	}
}

function asError({code, message, hint, reason}: NonNullable<SmallReadResult['error']>): P2pError {
	return new P2pError(code, message, {...(hint && {hint}), ...(reason && {cause: new Error(reason)})});
}
