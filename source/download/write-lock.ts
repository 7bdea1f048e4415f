const locks = 16;
const free = 0;
const taken = 1;
const awaited = 2;

/**
 * One writer at a time per file, over shared memory. The kernel lets only one thread write to a file anyway, but has the
 * others spin meanwhile: asleep they leave their core to whoever sends or receives. Futex mutex after Drepper,
 * "Futexes Are Tricky" (2011), second version.
 */
export class WriteLock {
	readonly #words: Int32Array;

	constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(4 * locks)) {
		this.#words = new Int32Array(shared);
	}

	/** What another thread makes its own view of the locks from. */
	get shared(): SharedArrayBuffer {
		return this.#words.buffer as SharedArrayBuffer;
	}

	/** Runs `write` while no other thread writes to the same file. */
	during<T>(fd: number, write: () => T): T {
		const at = fd % locks;
		const words = this.#words;
		if (Atomics.compareExchange(words, at, free, taken) !== free) {
			// A worker that died with the lock must not stop the others for ever: the lock is for speed alone.
			while (Atomics.exchange(words, at, awaited) !== free)
				if (Atomics.wait(words, at, awaited, 1000) === 'timed-out') break;
		}
		try {
			return write();
		} finally {
			if (Atomics.exchange(words, at, free) === awaited) Atomics.notify(words, at, 1);
		}
	}
}
