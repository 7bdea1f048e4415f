import type {KnownFile} from './catalog.ts';
import type {HashQueue, HashTask} from './hash-queue.ts';
import type {ScannedFile} from './scan.ts';

/** A file of a share whose content is being found out. */
export type PendingFile = HashTask & {
	/** Path inside the share. */
	rel: string;
	/** Its folder's number in the catalog. */
	folder: number;
	found: ScannedFile;
	/** Its row in the catalog, with what it was before. */
	old: KnownFile | undefined;
	/** Since when it is known to have changed, in Unix milliseconds. */
	since: number;
	/** Bytes hashed so far. */
	progress: number;
	/** It was given back by the hash queue, and will be looked at again. */
	spent: boolean;
};

/** The files of one share that wait for their hash, with the totals that progress is told by. */
export class PendingFiles {
	readonly #queue: HashQueue;
	readonly #files = new Map<string, PendingFile>();
	#totals = {newFiles: 0, growth: 0, bytes: 0, progress: 0};

	constructor(queue: HashQueue) {
		this.#queue = queue;
	}

	get size(): number {
		return this.#files.size;
	}

	/** `newFiles` that are in no row yet, bytes by which the catalog will grow, bytes to hash, bytes hashed of those. */
	get totals(): Readonly<{newFiles: number; growth: number; bytes: number; progress: number}> {
		return this.#totals;
	}

	get(rel: string): PendingFile | undefined {
		return this.#files.get(rel);
	}

	has(file: PendingFile): boolean {
		return this.#files.get(file.rel) === file;
	}

	/** Puts a file in, in place of what was known to be pending under its path. */
	add(file: PendingFile): void {
		this.delete(file.rel);
		this.#files.set(file.rel, file);
		this.#count(file, 1);
		this.#queue.add(file);
	}

	delete(rel: string): void {
		const file = this.#files.get(rel);
		if (!file) return;
		this.#queue.remove(file);
		this.#files.delete(rel);
		this.#count(file, -1);
	}

	/** Whether it still waits for its writer to be quiet. */
	isWaiting(file: PendingFile): boolean {
		return this.#queue.isWaiting(file);
	}

	/** Drops everything below a folder of the share. */
	deleteBelow(rel: string): void {
		for (const file of this.#files.values()) if (rel === '' || file.rel.startsWith(`${rel}/`)) this.delete(file.rel);
	}

	progress(file: PendingFile, bytes: number): void {
		this.#totals.progress += bytes - file.progress;
		file.progress = bytes;
	}

	/** Whether any file is on its way that has not been waiting for its writer for long. */
	isBusy(patience: number): boolean {
		const before = Date.now() - patience;
		// In the order they came, so that the first ones tell.
		for (const file of this.#files.values()) {
			if (file.since > before || !this.isWaiting(file)) return true;
		}
		return false;
	}

	#count({found, old, progress}: PendingFile, sign: 1 | -1): void {
		const totals = this.#totals;
		if (!old) totals.newFiles += sign;
		totals.growth += sign * (found.size - (old?.size ?? 0));
		totals.bytes += sign * found.size;
		totals.progress += sign * progress;
	}
}
