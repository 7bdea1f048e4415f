/** What limits a {@link BufferPool}. */
export type BufferPoolOptions = {
	/** Bytes per buffer. */
	bytes: number;
	/** Buffers in use at once, by all. */
	max: number;
	/** Buffers that one owner (a peer) may use at once, so that slow readers cannot hold all of them. */
	perOwner: number;
	/** An owner with none gets one even past `max`. Only where something else bounds the number of owners. */
	oneEach: boolean;
	/** Memory that another thread can write to. */
	shared?: boolean;
};

type Waiter = {owner: string; give(buffer: Buffer): void};

const idleMs = 10_000;

/**
 * Buffers that are used again and again: fresh ones cost as much as the encryption of what they hold. Whoever finds
 * none waits in line; the memory goes back to the system when nothing has been in use for a while.
 */
export class BufferPool {
	readonly #options: BufferPoolOptions;
	readonly #free: Buffer[] = [];
	readonly #held = new Map<string, number>();
	readonly #waiting: Waiter[] = [];
	#inUse = 0;
	#forget: NodeJS.Timeout | undefined;

	constructor(options: BufferPoolOptions) {
		this.#options = options;
	}

	/** Bytes per buffer. */
	get bytes(): number {
		return this.#options.bytes;
	}

	/** Buffers in use now. */
	get inUse(): number {
		return this.#inUse;
	}

	/** Who waits for one. */
	get waiting(): number {
		return this.#waiting.length;
	}

	/** A buffer if there is one at once. */
	tryAcquire(owner: string): Buffer | undefined {
		return this.#waiting.length === 0 && this.#allowed(owner) ? this.#take(owner) : undefined;
	}

	/** A buffer, when it is this owner's turn. @throws the signal's reason */
	async acquire(owner: string, signal: AbortSignal): Promise<Buffer> {
		signal.throwIfAborted();
		if (this.#allowed(owner)) return this.#take(owner);
		return new Promise((resolve, reject) => {
			const abort = () => {
				const at = this.#waiting.indexOf(waiter);
				if (at >= 0) this.#waiting.splice(at, 1);
				reject(signal.reason);
			};
			const waiter: Waiter = {
				owner,
				give(buffer) {
					signal.removeEventListener('abort', abort);
					resolve(buffer);
				},
			};
			signal.addEventListener('abort', abort, {once: true});
			this.#waiting.push(waiter);
		});
	}

	/** Gives a buffer back. `reuse` false: something may still read or write it, so it is left to the collector. */
	release(owner: string, buffer: Buffer, reuse = true): void {
		this.#inUse--;
		const held = (this.#held.get(owner) ?? 1) - 1;
		if (held > 0) this.#held.set(owner, held);
		else this.#held.delete(owner);
		if (reuse) this.#free.push(buffer);
		for (let at = 0; at < this.#waiting.length; at++) {
			const waiter = this.#waiting[at]!;
			if (!this.#allowed(waiter.owner)) continue;
			this.#waiting.splice(at, 1);
			waiter.give(this.#take(waiter.owner));
			break;
		}
		if (this.#inUse > 0) return;
		this.#forget ??= setTimeout(() => {
			this.#forget = undefined;
			if (this.#inUse === 0) this.#free.length = 0;
		}, idleMs).unref();
	}

	#allowed(owner: string): boolean {
		const held = this.#held.get(owner) ?? 0;
		if (held === 0 && this.#options.oneEach) return true;
		return held < this.#options.perOwner && this.#inUse < this.#options.max;
	}

	#take(owner: string): Buffer {
		this.#inUse++;
		this.#held.set(owner, (this.#held.get(owner) ?? 0) + 1);
		return this.#free.pop() ?? this.make();
	}

	/** A buffer of the same kind that does not count, and is not to be released. */
	make(): Buffer {
		const {bytes, shared} = this.#options;
		return shared ? Buffer.from(new SharedArrayBuffer(bytes)) : Buffer.allocUnsafeSlow(bytes);
	}
}
