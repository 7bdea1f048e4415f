const tickMs = 25;
/** Seconds of the limit that may come in one burst after a pause. */
const burstSeconds = 0.25;

/**
 * A token bucket over shared memory: the manager fills it, every transfer worker takes from it. Two words: whether
 * there is a limit, and the bytes that may still come in (below zero: wait).
 */
export class RateLimit {
	readonly #words: Int32Array;
	#timer: NodeJS.Timeout | undefined;
	#last = 0;
	#limit = 0;

	constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(8)) {
		this.#words = new Int32Array(shared);
	}

	/** What another thread makes its own view of the bucket from. */
	get shared(): SharedArrayBuffer {
		return this.#words.buffer as SharedArrayBuffer;
	}

	/** Sets the limit in bytes/s; 0 or undefined: none. Counts from now on. */
	set(bytesPerSecond: number | undefined): void {
		this.#limit = bytesPerSecond && bytesPerSecond > 0 ? Math.min(bytesPerSecond, 2 ** 31) : 0;
		clearInterval(this.#timer);
		Atomics.store(this.#words, 1, 0);
		Atomics.store(this.#words, 0, this.#limit ? 1 : 0);
		if (!this.#limit) return;
		this.#last = performance.now();
		this.#timer = setInterval(() => this.#fill(), tickMs);
		this.#timer.unref();
	}

	/** Ends the filling. */
	stop(): void {
		this.set(undefined);
	}

	/** Takes bytes that have come in. @returns whether the reader must pause until {@link open} */
	take(bytes: number): boolean {
		return Atomics.load(this.#words, 0) === 1 && Atomics.sub(this.#words, 1, bytes) - bytes < 0;
	}

	/** Whether bytes may come in. */
	get open(): boolean {
		return Atomics.load(this.#words, 0) === 0 || Atomics.load(this.#words, 1) > 0;
	}

	#fill(): void {
		const now = performance.now();
		const most = Math.min(Math.max(this.#limit * burstSeconds, 16_384), 2 ** 30);
		const add = Math.floor(Math.min((this.#limit * (now - this.#last)) / 1000, most));
		if (add < 1) return;
		this.#last = now;
		const after = Atomics.add(this.#words, 1, add) + add;
		if (after > most) Atomics.sub(this.#words, 1, Math.floor(after - most));
	}
}
