import type {Rate} from './messages.ts';

const historyLength = 60;

/** Turns a growing total, read now and then, into a speed and its history of one sample a second. */
export class RateMeter {
	readonly #length: number;
	#history: number[];
	#last: {total: number; time: number} | undefined;
	#second: {total: number; time: number} | undefined;
	#now = 0;

	/** @param length samples to keep, one a second */
	constructor(length: number = historyLength) {
		this.#length = length;
		this.#history = [];
	}

	/** @param total all that was counted so far @param time milliseconds on any steady clock */
	sample(total: number, time: number): void {
		if (!this.#last || !this.#second) {
			this.#last = {total, time};
			this.#second = {total, time};
			return;
		}
		const elapsed = (time - this.#last.time) / 1000;
		if (elapsed > 0) {
			const speed = Math.max(0, total - this.#last.total) / elapsed;
			// Half of what is shown is at most a second old: quick to follow, calm enough to read.
			const weight = 1 - 0.5 ** (elapsed / 0.7);
			this.#now += (speed - this.#now) * weight;
			if (speed === 0 && this.#now < 1) this.#now = 0;
			this.#last = {total, time};
		}
		while (time - this.#second.time >= 1000) {
			const seconds: number = (time - this.#second.time) / 1000;
			const mean: number = Math.max(0, total - this.#second.total) / seconds;
			this.#history = [...this.#history, mean].slice(-this.#length);
			this.#second = {total: this.#second.total + mean, time: this.#second.time + 1000};
		}
	}

	/** The speed a second and its history, as a screen shows them. */
	rate(): Rate {
		return {now: this.#now, history: this.#history};
	}
}
