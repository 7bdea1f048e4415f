import type {DownloadDetails} from './types.ts';

const historySeconds = 120;
const linesKept = 50;

/** Speed, its history, and the latest events of one download. */
export class TransferStats {
	/** Bytes per second, smoothed over about a second. */
	speed = 0;
	/** A sample a second, oldest first. */
	readonly history: number[] = [];
	readonly log: DownloadDetails['log'] = [];
	#last = {bytes: 0, at: 0};
	#second = 0;

	/** @param bytes received so far. @returns whether anything changed since the last sample */
	sample(bytes: number, now: number): boolean {
		const seconds = (now - this.#last.at) / 1000;
		if (this.#last.at !== 0 && seconds > 0) {
			const speed = Math.max(0, bytes - this.#last.bytes) / seconds;
			this.speed = this.speed === 0 ? speed : this.speed + (speed - this.speed) * (1 - Math.exp(-seconds));
			if (this.speed < 1) this.speed = 0;
		}
		const changed = bytes !== this.#last.bytes || this.speed > 0;
		this.#last = {bytes, at: now};
		if (now - this.#second >= 1000) {
			this.#second = now;
			this.history.push(Math.round(this.speed));
			if (this.history.length > historySeconds) this.history.shift();
		}
		return changed;
	}

	/** Writes an event down; the same one again is not news. */
	note(text: string): void {
		if (this.log.at(-1)?.text === text) return;
		this.log.push({time: Date.now(), text});
		if (this.log.length > linesKept) this.log.shift();
	}
}
