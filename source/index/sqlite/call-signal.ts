/** Milliseconds for which a thread looks for its next call before it goes to sleep: twice what waking it up takes. */
const lookFor = 0.2;

/** Waits without looking after several calls came together: then others need the core. */
const crowdedFor = 64;

/**
 * Tells a thread that a call waits for it, through shared memory: one side counts calls, the other sleeps until the count
 * changes. A core that has gone to rest takes 50 µs to come back, so a thread whose last calls followed each other closely
 * does not let it go at once.
 */
export class CallSignal {
	readonly #count: Int32Array;
	/** The last call came soon enough to have been waited for. */
	#isSoon = false;
	/** The count at the last wait, and waits until the thread may look again. */
	#before = 0;
	#crowded = 0;

	/** @param memory four bytes; see {@link createCallSignal} */
	constructor(memory: SharedArrayBuffer) {
		this.#count = new Int32Array(memory);
	}

	/** Calls that were told of; it wraps around. */
	get count(): number {
		return Atomics.load(this.#count, 0);
	}

	/** Tells of a call, after it was sent. */
	tell(): void {
		Atomics.add(this.#count, 0, 1);
		Atomics.notify(this.#count, 0);
	}

	/** Returns once the count is another than it was. */
	wait(seen: number): void {
		const from = performance.now();
		if (seen - this.#before > 1) this.#crowded = crowdedFor;
		else if (this.#crowded > 0) this.#crowded--;
		this.#before = seen;
		if (this.#isSoon && this.#crowded === 0) while (this.count === seen && performance.now() - from < lookFor);
		Atomics.wait(this.#count, 0, seen);
		this.#isSoon = performance.now() - from < lookFor;
	}
}

/** The memory of a {@link CallSignal}. */
export function createCallSignal(): SharedArrayBuffer {
	return new SharedArrayBuffer(4);
}
