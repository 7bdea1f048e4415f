import {limits} from '../api/limits.ts';

/** An answer whose bytes are on their way to a reader. */
export type Reading = {
	/** Bytes handed to the connection that it has not taken yet, and when (performance.now()); undefined: none. */
	pending(): {bytes: number; since: number} | undefined;
	/** Ends the answer with its connection. */
	cut(): void;
};

/** What one reader may take for a piece of an answer while others wait. */
export type ReadFloor = {perSecond: number; patience: number};

/**
 * Cuts off who reads next to nothing while others wait for a slot or a buffer. A connection counts as alive with every
 * byte that it takes, so without this a handful of readers who take a few bytes now and then keep everything for as long
 * as they like.
 */
export class SlowReaders {
	readonly #othersWait: () => boolean;
	readonly #floor: ReadFloor;
	readonly #readings = new Set<Reading>();
	#looking: NodeJS.Timeout | undefined;

	constructor(
		othersWait: () => boolean,
		floor: ReadFloor = {perSecond: limits.readRate, patience: limits.readPatience},
	) {
		this.#othersWait = othersWait;
		this.#floor = floor;
	}

	/** Looks after an answer; returns the end of that. */
	watch(reading: Reading): () => void {
		this.#readings.add(reading);
		this.#looking ??= setInterval(() => this.#look(), Math.min(1000, this.#floor.patience / 2)).unref();
		return () => {
			this.#readings.delete(reading);
			if (this.#readings.size > 0) return;
			clearInterval(this.#looking);
			this.#looking = undefined;
		};
	}

	#look(): void {
		if (!this.#othersWait()) return;
		const now = performance.now();
		for (const reading of [...this.#readings]) {
			const pending = reading.pending();
			if (!pending) continue;
			const due = this.#floor.patience + (pending.bytes / this.#floor.perSecond) * 1000;
			if (now - pending.since > due) reading.cut();
		}
	}
}
