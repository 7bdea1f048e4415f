import type {Worker} from 'node:worker_threads';
import {type ErrorCode, P2pError} from '../core/errors.ts';
import {startWorker} from '../core/worker-url.ts';
import type {ServedFile} from './served-catalog.ts';

/** A part of a file to read into shared memory. */
export type SmallRead = {id: number; file: ServedFile; start: number; length: number; memory: SharedArrayBuffer};

/** Whole files to read into shared memory as frames (api/file-frames.ts). */
export type FramesRead = {id: number; wanted: WantedFile[]; memory: SharedArrayBuffer};

/** Where a content lies, the likeliest first; or why it is not read. */
export type WantedFile = readonly ServedFile[] | {code: ErrorCode};

/** What became of it. `reason`: of the system, for our own log. */
export type SmallReadResult = {
	id: number;
	error?: {code: ErrorCode; message: string; hint?: string; reason?: string};
	frames?: FramesResult;
};

/** What was read as frames. */
export type FramesResult = {
	/** Of all frames. */
	bytes: number;
	/** What was read, and where its bytes begin: places in the list, of the content and of its file. */
	read: {content: number; file: number; start: number}[];
	/** What is no longer as it was hashed. */
	stale: {content: number; file: number}[];
};

/** What one thread keeps for objects that live for one message. */
const maxYoungGenerationSizeMb = 4;

/**
 * Reads small files in a thread of its own, all that are asked for in one turn of the event loop together. The thread
 * starts with the first of them.
 */
export class SmallReader {
	readonly #waiting = new Map<number, {resolve(result: SmallReadResult): void; reject(error: unknown): void}>();
	#worker: Worker | undefined;
	#batch: (SmallRead | FramesRead)[] = [];
	#nextId = 1;

	/**
	 * Reads into the buffer from its start, after and before the checks of `readSmall`.
	 *
	 * @param buffer all of a SharedArrayBuffer
	 * @throws P2pError changed, not-found, not-readable, cancelled
	 */
	async read(file: ServedFile, start: number, length: number, buffer: Buffer): Promise<void> {
		const memory = buffer.buffer as SharedArrayBuffer;
		await this.#ask(id => ({id, file, start, length, memory}));
	}

	/**
	 * Reads whole files, one frame for each that is wanted, with the same checks.
	 *
	 * @param buffer all of a SharedArrayBuffer; holds all of them
	 * @throws P2pError cancelled
	 */
	async readFrames(wanted: WantedFile[], buffer: Buffer): Promise<FramesResult> {
		const memory = buffer.buffer as SharedArrayBuffer;
		const {frames} = await this.#ask(id => ({id, wanted, memory}));
		return frames!;
	}

	/** Ends the thread. */
	async stop(): Promise<void> {
		const worker = this.#worker;
		this.#worker = undefined;
		this.#fail(new P2pError('cancelled', 'The file server has stopped'));
		await worker?.terminate();
	}

	#ask(order: (id: number) => SmallRead | FramesRead): Promise<SmallReadResult> {
		return new Promise((resolve, reject) => {
			const id = this.#nextId++;
			this.#waiting.set(id, {resolve, reject});
			if (this.#batch.length === 0) setImmediate(() => this.#send());
			this.#batch.push(order(id));
		});
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
			for (const result of results) {
				const waiting = this.#waiting.get(result.id);
				this.#waiting.delete(result.id);
				if (result.error) waiting?.reject(asError(result.error));
				else waiting?.resolve(result);
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
