import {setTimeout as sleep} from 'node:timers/promises';

const leastMs = 50;

/** A wait that ends early when there is a reason to go on. */
export class Pause {
	#wake: (() => void) | undefined;

	/** Ends the wait that is under way. */
	end(): void {
		this.#wake?.();
	}

	/** Waits so many milliseconds, or until {@link end}. @throws the signal's reason */
	async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
		const early = new AbortController();
		this.#wake = () => early.abort();
		try {
			await sleep(Math.max(milliseconds, leastMs), undefined, {signal: AbortSignal.any([signal, early.signal])});
		} catch {
			signal.throwIfAborted();
		} finally {
			this.#wake = undefined;
		}
	}
}
