/** Where time comes from: the machine's clock, or a test's. Milliseconds. */
export type Clock = {
	now(): number;
	/** Calls back once after that many milliseconds; returns what cancels it. */
	after(milliseconds: number, call: () => void): () => void;
};

/** The machine's own, monotonic. */
export const systemClock: Clock = {
	now: () => performance.now(),
	after(milliseconds, call) {
		const timer = setTimeout(call, milliseconds);
		return () => clearTimeout(timer);
	},
};

type Waiter = {bytes: number; give(): void};

const smallestSlice = 4 * 1024;
const largestSlice = 256 * 1024;
/** A slice is what flows in this part of a second: small enough to look steady, large enough to be cheap. */
const slicesPerSecond = 16;
/** The bucket holds what flows in this many seconds. */
const burstSeconds = 0.25;

/**
 * A token bucket over all uploads: so many bytes per second in total, shared evenly between the peers that want some
 * (each in turn gets one slice), whatever number of connections each has.
 */
export class RateLimit {
	readonly #clock: Clock;
	/** Those who wait, by peer, in the order in which they are served. */
	readonly #waiting = new Map<string, Waiter[]>();
	#bytesPerSecond: number | undefined;
	#tokens = 0;
	#filledAt = 0;
	#cancelTimer: (() => void) | undefined;

	constructor(bytesPerSecond: number | undefined, clock: Clock = systemClock) {
		this.#clock = clock;
		this.set(bytesPerSecond);
	}

	/** Bytes per second; undefined: no limit. Those who wait feel it at once. */
	set(bytesPerSecond: number | undefined): void {
		this.#refill();
		this.#bytesPerSecond = bytesPerSecond;
		this.#tokens = Math.min(this.#tokens, this.#capacity);
		this.#serve();
	}

	/** How many bytes to {@link take} at once, of `wanted`. */
	slice(wanted: number): number {
		return Math.min(wanted, this.#slice);
	}

	/**
	 * Waits until these bytes may be sent.
	 *
	 * @param bytes at most {@link slice}
	 * @returns undefined when they may be sent at once: the common case costs no promise
	 * @throws the signal's reason
	 */
	take(bytes: number, peer: string, signal: AbortSignal): Promise<void> | undefined {
		if (this.#bytesPerSecond === undefined) return undefined;
		this.#refill();
		if (this.#waiting.size === 0 && this.#covers(bytes)) {
			this.#tokens -= bytes;
			return undefined;
		}
		return new Promise((resolve, reject) => {
			const abort = () => {
				this.#leave(peer, waiter);
				reject(signal.reason);
			};
			const waiter: Waiter = {
				bytes,
				give() {
					signal.removeEventListener('abort', abort);
					resolve();
				},
			};
			if (signal.aborted) return reject(signal.reason);
			signal.addEventListener('abort', abort, {once: true});
			const line = this.#waiting.get(peer);
			if (line) line.push(waiter);
			else this.#waiting.set(peer, [waiter]);
			this.#serve();
		});
	}

	get #slice(): number {
		if (this.#bytesPerSecond === undefined) return Number.POSITIVE_INFINITY;
		return Math.min(largestSlice, Math.max(smallestSlice, Math.floor(this.#bytesPerSecond / slicesPerSecond)));
	}

	get #capacity(): number {
		return this.#bytesPerSecond === undefined ? 0 : Math.max(this.#slice, this.#bytesPerSecond * burstSeconds);
	}

	/** A slice that was cut under a higher limit may be more than the bucket holds now: a full bucket will do. */
	#covers(bytes: number): boolean {
		return this.#tokens >= Math.min(bytes, this.#capacity);
	}

	#refill(): void {
		const now = this.#clock.now();
		if (this.#bytesPerSecond !== undefined) {
			const fresh = ((now - this.#filledAt) / 1000) * this.#bytesPerSecond;
			this.#tokens = Math.min(this.#capacity, this.#tokens + fresh);
		}
		this.#filledAt = now;
	}

	/** Gives slices to those who wait, one peer after the other, and sets the timer for the next one. */
	#serve(): void {
		this.#cancelTimer?.();
		this.#cancelTimer = undefined;
		this.#refill();
		for (const [peer, line] of this.#waiting) {
			const next = line[0]!;
			if (this.#bytesPerSecond !== undefined) {
				if (!this.#covers(next.bytes)) {
					this.#wakeFor(next.bytes);
					return;
				}
				this.#tokens -= next.bytes;
			}
			line.shift();
			// To the end of the line: a Map iterates over what is put in again, so the round goes on.
			this.#waiting.delete(peer);
			if (line.length > 0) this.#waiting.set(peer, line);
			next.give();
		}
	}

	#wakeFor(bytes: number): void {
		const missing = Math.min(bytes, this.#capacity) - this.#tokens;
		const milliseconds = Math.max(1, Math.ceil((missing / (this.#bytesPerSecond ?? 1)) * 1000));
		this.#cancelTimer = this.#clock.after(milliseconds, () => this.#serve());
	}

	#leave(peer: string, waiter: Waiter): void {
		const line = this.#waiting.get(peer);
		const at = line?.indexOf(waiter) ?? -1;
		if (!line || at < 0) return;
		line.splice(at, 1);
		if (line.length === 0) this.#waiting.delete(peer);
		this.#serve();
	}
}
