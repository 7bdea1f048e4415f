import {limits} from '../api/limits.ts';

/** Which bytes of a file have been sent, as ordered ranges that neither touch nor overlap. */
export class SentRanges {
	/** start, end, start, end … */
	#borders: number[] = [];
	#covered = 0;

	/** Bytes that were sent at least once. */
	get covered(): number {
		return this.#covered;
	}

	/** Adds the bytes from `start` up to, not including, `end`. */
	add(start: number, end: number): void {
		if (end <= start) return;
		const borders = this.#borders;
		// The ranges from `first` up to, not including, `last` touch the new one and become one with it.
		const first = this.#firstEndingAtOrAfter(start);
		let last = first;
		let [from, to] = [start, end];
		for (; last * 2 < borders.length && borders[last * 2]! <= end; last++) {
			from = Math.min(from, borders[last * 2]!);
			to = Math.max(to, borders[last * 2 + 1]!);
			this.#covered -= borders[last * 2 + 1]! - borders[last * 2]!;
		}
		if (first === last && borders.length >= limits.sentRanges * 2) return;
		borders.splice(first * 2, (last - first) * 2, from, to);
		this.#covered += to - from;
	}

	#firstEndingAtOrAfter(position: number): number {
		let low = 0;
		let high = this.#borders.length / 2;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (this.#borders[middle * 2 + 1]! < position) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
