import {close} from 'node:fs';
import {openChecked} from './open-checked.ts';
import type {ServedFile} from './served-catalog.ts';

/** The use of an open file: its descriptor is valid until released. */
export type OpenLease = {
	fd: number;
	/** Ends the use; call once. `discard`: the file is not what it was, so nobody else shall get this descriptor. */
	release(discard?: boolean): void;
};

type Entry = {opening: Promise<number>; users: number; idleSince: number; discarded: boolean};

/**
 * Files that were just served stay open for a moment, since a downloader asks for one small range after the other. A
 * descriptor is closed only when nobody uses it: its number may be another file's the next instant.
 */
export class OpenFiles {
	/** By what was hashed; least recently used first. */
	readonly #entries = new Map<string, Entry>();
	readonly #maxIdle: number;
	readonly #idleMs: number;
	#sweep: NodeJS.Timeout | undefined;

	/** @param options.maxIdle open files that nobody uses @param options.idleMs how long those stay open */
	constructor(options: {maxIdle?: number; idleMs?: number} = {}) {
		this.#maxIdle = options.maxIdle ?? 64;
		this.#idleMs = options.idleMs ?? 2000;
	}

	/** How many are open or being opened. */
	get size(): number {
		return this.#entries.size;
	}

	/** @throws P2pError what {@link openChecked} throws */
	async acquire(file: ServedFile): Promise<OpenLease> {
		// What still grows may be given up, and another file begun under its name.
		if (file.mtimeNs === undefined) {
			const fd = await openChecked(file);
			return {fd, release: () => closeQuietly(fd)};
		}
		const key = `${file.file}\0${file.folder}\0${file.size}\0${file.mtimeNs}`;
		let entry = this.#entries.get(key);
		if (!entry) {
			entry = {opening: openChecked(file), users: 0, idleSince: 0, discarded: false};
			this.#entries.set(key, entry);
		}
		const used = entry;
		used.users++;
		try {
			const fd = await used.opening;
			return {
				fd,
				release: discard => this.#release(key, used, fd, discard ?? false),
			};
		} catch (error) {
			used.users--;
			if (this.#entries.get(key) === used) this.#entries.delete(key);
			throw error;
		}
	}

	/** Closes what nobody uses; the rest closes with its last user. */
	close(): void {
		clearInterval(this.#sweep);
		this.#sweep = undefined;
		for (const [key, entry] of this.#entries) this.#drop(key, entry);
	}

	#release(key: string, entry: Entry, fd: number, discard: boolean): void {
		entry.users--;
		if (discard && !entry.discarded) {
			this.#drop(key, entry);
			return;
		}
		if (entry.users > 0) return;
		if (entry.discarded) {
			closeQuietly(fd);
			return;
		}
		entry.idleSince = performance.now();
		this.#entries.delete(key);
		this.#entries.set(key, entry);
		this.#sweep ??= setInterval(() => this.#closeIdle(), this.#idleMs).unref();
		if (this.#entries.size > this.#maxIdle) this.#closeIdle();
	}

	/** Closes the idle ones that are old, or that are too many. */
	#closeIdle(): void {
		const old = performance.now() - this.#idleMs;
		let tooMany = this.#entries.size - this.#maxIdle;
		for (const [key, entry] of this.#entries) {
			if (entry.users > 0) continue;
			if (entry.idleSince > old && tooMany <= 0) break;
			this.#drop(key, entry);
			tooMany--;
		}
		if (this.#entries.size > 0) return;
		clearInterval(this.#sweep);
		this.#sweep = undefined;
	}

	#drop(key: string, entry: Entry): void {
		if (this.#entries.get(key) === entry) this.#entries.delete(key);
		entry.discarded = true;
		if (entry.users === 0) entry.opening.then(closeQuietly, () => undefined);
	}
}

function closeQuietly(fd: number): void {
	close(fd, () => undefined);
}
