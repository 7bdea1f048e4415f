import fs from 'node:fs/promises';
import os from 'node:os';
import {contentOfPieceLayer, type HashedContent} from '../content/content-hasher.ts';
import {diskError, P2pError} from '../core/errors.ts';
import type {FileState, HashJob, HashResult} from './hash-messages.ts';
import {type Batch, HashThread} from './hash-thread.ts';

/** Content ID and piece layer of a file, and the state it was in. */
export type HashedFile = HashedContent & FileState;

/** How to hash one file. */
export type HashOptions = {
	/** Its size when that is known already: spares asking, and another size is `changed`. */
	size?: number;
	signal?: AbortSignal;
	/** Told how many bytes of the file are hashed, at most ten times a second; small files tell nothing. */
	onProgress?: (bytes: number) => void;
	/** Whether a symbolic link is followed; default yes. */
	followLinks?: boolean;
};

/** Hashes files in worker threads: one per core, started when there is work, ended after ten idle seconds. */
export interface HashPool {
	/** How many files are best given to it at once, to keep every thread busy. */
	readonly concurrency: number;
	/**
	 * The content ID of a file.
	 *
	 * @throws P2pError changed (it was written while it was read), cancelled, not-found, not-readable…
	 */
	hash(file: string, options?: HashOptions): Promise<HashedFile>;
	/** Cancels what is under way and ends the threads. */
	close(): Promise<void>;
}

/** Larger files are cut into parts of this size, which all threads share: a multiple of every piece size. */
const partBytes = 64 * 1024 * 1024;
/** A sparse file may pretend to any size: its parts get larger instead of more. */
const maxParts = 1024;
/** Small files travel to a thread together, up to this many and this many bytes: a message costs as much as 20 KB. */
const batchFiles = 64;
const batchBytes = 1024 * 1024;

type Part = {task: Task; job: HashJob; bytes: number; layer?: Uint8Array};

type Task = {
	file: string;
	size: number;
	parts: Part[];
	left: number;
	state?: FileState;
	settled: boolean;
	resolve: (hashed: HashedFile) => void;
	reject: (error: unknown) => void;
	onProgress: ((bytes: number) => void) | undefined;
};

/** @param options threads: default one per core */
export function createHashPool(options: {threads?: number} = {}): HashPool {
	return new Pool(Math.max(1, options.threads ?? os.availableParallelism()));
}

class Pool implements HashPool {
	readonly #limit: number;
	readonly #threads = new Set<HashThread<Part>>();
	readonly #queue = new Set<Part>();
	#scheduled = false;
	#closed = false;

	constructor(threads: number) {
		this.#limit = threads;
	}

	get concurrency(): number {
		return this.#limit * 2 * batchFiles;
	}

	async hash(file: string, options: HashOptions = {}): Promise<HashedFile> {
		const size = options.size ?? (await regularSize(file));
		if (this.#closed || options.signal?.aborted) throw cancelled();
		return new Promise((resolve, reject) => {
			const task: Task = {
				file,
				size,
				parts: [],
				left: 0,
				settled: false,
				resolve,
				reject,
				onProgress: options.onProgress,
			};
			const length = partBytes * Math.max(1, Math.ceil(size / partBytes / maxParts));
			for (let from = 0; from < size || from === 0; from += length) {
				const job = {file, size, from, to: Math.min(size, from + length), followLinks: options.followLinks ?? true};
				task.parts.push({task, job, bytes: 0});
			}
			task.left = task.parts.length;
			const abort = () => this.#settle(task, () => reject(cancelled()));
			options.signal?.addEventListener('abort', abort, {once: true});
			task.resolve = hashed => {
				options.signal?.removeEventListener('abort', abort);
				resolve(hashed);
			};
			for (const part of task.parts) this.#queue.add(part);
			this.#schedule();
		});
	}

	async close(): Promise<void> {
		this.#closed = true;
		for (const part of [...this.#queue]) this.#settle(part.task, () => part.task.reject(cancelled()));
		const threads = [...this.#threads];
		for (const part of threads.flatMap(thread => thread.work())) {
			this.#settle(part.task, () => part.task.reject(cancelled()));
		}
		await Promise.all(threads.map(thread => thread.end()));
	}

	/** Files given in one turn of the loop go out together. */
	#schedule(): void {
		if (this.#scheduled) return;
		this.#scheduled = true;
		setImmediate(() => {
			this.#scheduled = false;
			this.#dispatch();
		});
	}

	#dispatch(): void {
		if (this.#closed) return;
		// The least busy first, and a new thread before a second batch for one that has work.
		for (const waiting of [0, 1]) {
			for (const thread of this.#threads) if (thread.waiting === waiting) this.#give(thread);
			while (waiting === 0 && this.#queue.size > 0 && this.#threads.size < this.#limit) this.#give(this.#startThread());
		}
	}

	#give(thread: HashThread<Part>): void {
		const parts: Part[] = [];
		let bytes = 0;
		for (const part of this.#queue) {
			const length = part.job.to - part.job.from;
			if (parts.length > 0 && bytes + length > batchBytes) break;
			parts.push(part);
			this.#queue.delete(part);
			bytes += length;
			if (parts.length >= batchFiles || bytes >= batchBytes) break;
		}
		if (parts.length > 0) thread.send(parts);
	}

	#startThread(): HashThread<Part> {
		const thread = new HashThread<Part>({
			jobOf: part => part.job,
			onProgress: (batch, bytes) => this.#progress(batch, bytes),
			onResults: (batch, results) => {
				batch.items.forEach((part, i) => {
					this.#finishPart(part, results[i]!);
				});
				this.#schedule();
			},
			onEnd: (lost, error) => {
				this.#threads.delete(thread);
				for (const part of lost) this.#settle(part.task, () => part.task.reject(error));
				if (this.#queue.size > 0) this.#schedule();
			},
		});
		this.#threads.add(thread);
		return thread;
	}

	#progress(batch: Batch<Part>, bytes: number): void {
		const part = batch.items[0];
		if (batch.items.length !== 1 || !part || part.task.settled) return;
		part.bytes = bytes;
		part.task.onProgress?.(part.task.parts.reduce((sum, each) => sum + each.bytes, 0));
	}

	#finishPart(part: Part, result: HashResult): void {
		const {task} = part;
		if (task.settled) return;
		if ('code' in result) {
			this.#settle(task, () => task.reject(readError(task.file, result)));
			return;
		}
		const {state} = result;
		// Parts are read one after the other or by several threads: all must have seen the same file.
		if (task.state && (task.state.mtimeNs !== state.mtimeNs || task.state.ino !== state.ino)) {
			this.#settle(task, () => task.reject(changed(task.file)));
			return;
		}
		task.state = state;
		part.layer = result.layer;
		part.bytes = part.job.to - part.job.from;
		if (--task.left > 0) return;
		const layer = Buffer.concat(task.parts.map(each => each.layer!));
		this.#settle(task, () => task.resolve({...contentOfPieceLayer(layer, task.size), ...state}));
	}

	/** Ends a task once, and what is left of it in the queue and the threads. */
	#settle(task: Task, how: () => void): void {
		if (task.settled) return;
		task.settled = true;
		for (const part of task.parts) this.#queue.delete(part);
		if (task.left > 0) {
			for (const thread of this.#threads) thread.cancel(batch => batch.items.every(part => part.task.settled));
		}
		how();
	}
}

async function regularSize(file: string): Promise<number> {
	const stats = await fs.stat(file).catch(error => {
		throw diskError(error, `Cannot read ${file}`);
	});
	if (stats.isDirectory()) throw new P2pError('usage', `Cannot read ${file}: it is a folder`);
	if (!stats.isFile()) throw new P2pError('usage', `Cannot read ${file}: it is no regular file`);
	return stats.size;
}

function cancelled(): P2pError {
	return new P2pError('cancelled', 'Hashing was cancelled');
}

function changed(file: string): P2pError {
	return new P2pError('changed', `${file} was changed while it was read`, {hint: 'Try again when it is complete'});
}

function readError(file: string, {code, message}: {code: string; message: string}): unknown {
	if (code === 'changed') return changed(file);
	const error = diskError(Object.assign(new Error(message), {code}), `Cannot read ${file}`);
	return error instanceof P2pError ? error : new P2pError('not-readable', `Cannot read ${file}: ${message}`);
}
