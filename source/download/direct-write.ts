import {closeSync, constants, openSync, write, writeSync} from 'node:fs';
import type {WriteLock} from './write-lock.ts';

/** Writing past the page cache needs addresses, offsets and lengths of whole blocks: no disk has larger ones. */
const block = 4096;
/** Written at once: smaller writes cost a disk more than they hold. */
export const writeBytes = 1024 * 1024;
const wasmPage = 64 * 1024;
/** A disk that takes fewer bytes a millisecond, several writes at once, is better served by the system's cache, which sorts what it writes. */
const slowDisk = 32 * 1024;
/** Bytes of this thread on their way to the disk, past which it waits for the next itself: the disk is what is slow. */
const mostUnderWay = 4 * 1024 * 1024;
/** Judged over so many bytes; then not tried for so many milliseconds. */
const judgedBytes = 16 * 1024 * 1024;
const retryMs = 60_000;

/** Missing from Node's types. */
const {WebAssembly} = globalThis as unknown as {
	WebAssembly: {Memory: new (pages: {initial: number; maximum: number}) => {buffer: ArrayBuffer}};
};

/** A buffer that starts on a memory page, as direct writes need it; an ordinary one where there is none to be had. */
export function alignedBuffer(bytes: number): Buffer {
	try {
		// The only memory in Node of which the start is known to lie on a page: ECMAScript promises nothing for the others.
		const pages = Math.ceil(bytes / wasmPage);
		const {buffer} = new WebAssembly.Memory({initial: pages, maximum: pages});
		return Buffer.from(buffer, 0, bytes);
	} catch {
		// It reserves gigabytes of addresses, which a limit on those forbids.
		return Buffer.allocUnsafeSlow(bytes);
	}
}

/**
 * Decides whether writes of this thread go past the page cache. Where they can, a downloaded gigabyte costs no second
 * copy, no memory of the machine and no long sync at the end. Linux only; others have no way to reopen a descriptor.
 */
export class DirectWrites {
	readonly #locks: WriteLock;
	#bytes = 0;
	#milliseconds = 0;
	#notBefore = 0;
	/** Bytes on their way to the disk. */
	underWay = 0;

	/** @param locks for the writes that do go through the cache */
	constructor(locks: WriteLock) {
		this.#locks = locks;
	}

	/** A writer to an open file; to be closed. */
	open(fd: number): FileWriter {
		let direct: number | undefined;
		if (constants.O_DIRECT !== undefined && process.platform === 'linux' && performance.now() >= this.#notBefore) {
			try {
				// The very file that is open, whatever lies at its path by now.
				direct = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_DIRECT);
			} catch {
				// A file system without it, or no /proc.
				this.#notBefore = Number.POSITIVE_INFINITY;
			}
		}
		return new FileWriter(fd, direct, this, this.#locks);
	}

	/** What a direct write took. */
	took(bytes: number, milliseconds: number): void {
		this.#bytes += bytes;
		this.#milliseconds += milliseconds;
		if (this.#bytes < judgedBytes) return;
		if (this.#bytes / this.#milliseconds < slowDisk) this.#notBefore = performance.now() + retryMs;
		this.#bytes = 0;
		this.#milliseconds = 0;
	}

	/** It was opened for direct writes, and refuses them. */
	refused(): void {
		this.#notBefore = Number.POSITIVE_INFINITY;
	}
}

/** Writes to one file, past the page cache where that can be done. */
export class FileWriter {
	readonly #fd: number;
	readonly #writes: DirectWrites;
	readonly #locks: WriteLock;
	#direct: number | undefined;

	/** Made by {@link DirectWrites.open}. */
	constructor(fd: number, direct: number | undefined, writes: DirectWrites, locks: WriteLock) {
		this.#fd = fd;
		this.#direct = direct;
		this.#writes = writes;
		this.#locks = locks;
	}

	/** Writes all of it. @param buffer its whole blocks are written directly when it starts on one. @throws as writeSync */
	write(buffer: Buffer, length: number, position: number): void {
		let done = 0;
		const whole = length - (length % block);
		if (this.#direct !== undefined && position % block === 0 && whole > 0) {
			const start = performance.now();
			done = this.#writeDirect(this.#direct, buffer, whole, position);
			this.#writes.took(done, performance.now() - start);
		}
		if (done === length) return;
		this.#locks.during(this.#fd, () => {
			while (done < length) done += writeSync(this.#fd, buffer, done, length - done, position + done);
		});
	}

	/**
	 * Writes all of it in the background, when that can be done without the page cache and the disk keeps up.
	 *
	 * @param buffer untouched until the promise settles
	 * @returns undefined when {@link write} has to be called instead
	 */
	start(buffer: Buffer, length: number, position: number): Promise<void> | undefined {
		const direct = this.#direct;
		if (direct === undefined || length % block !== 0 || position % block !== 0) return undefined;
		if (this.#writes.underWay + length > mostUnderWay) return undefined;
		this.#writes.underWay += length;
		return new Promise((resolve, reject) => {
			write(direct, buffer, 0, length, position, (error, written) => {
				this.#writes.underWay -= length;
				if (!error && written === length) return resolve();
				try {
					if (error && error.code !== 'EINVAL') throw error;
					// Once more, by whatever way is left.
					this.write(buffer, length, position);
					resolve();
				} catch (failed) {
					reject(failed);
				}
			});
		});
	}

	/** Closes what it opened itself; nothing may be under way. */
	close(): void {
		if (this.#direct !== undefined) closeSync(this.#direct);
		this.#direct = undefined;
	}

	/** @returns how much of it was written; less than all when this file takes no direct writes */
	#writeDirect(fd: number, buffer: Buffer, length: number, position: number): number {
		let done = 0;
		try {
			// What it writes less than asked for may end amid a block.
			while (done < length && done % block === 0) done += writeSync(fd, buffer, done, length - done, position + done);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
			this.#writes.refused();
			this.close();
		}
		return done;
	}
}
