import type {QueueEntry} from './queue-entry.ts';
import type {DownloadCounts, DownloadState} from './types.ts';

/** Smallest difference between two places in the queue before those around are numbered anew. */
const leastGap = 1e-8;

/** States in the order in which a screen lists them: what moves, what needs a person, what waits, what is over. */
const shownOrder: DownloadState[] = ['running', 'verifying', 'failed', 'waiting', 'queued', 'paused', 'done'];

/** All downloads in the order of the queue; and in that of the screen, made anew only when something moved. */
export class QueueOrder {
	/** In the order of the queue. */
	readonly all: QueueEntry[] = [];
	readonly #active: () => Iterable<QueueEntry>;
	#shown: Record<DownloadState, QueueEntry[]> | undefined;
	/** No entry before this one waits for its turn. */
	#next = 0;

	/** @param active those whose state may change without {@link moved}: that have a turn now */
	constructor(active: () => Iterable<QueueEntry>) {
		this.#active = active;
	}

	/** Something was added, or changed its state. */
	moved(): void {
		this.#shown = undefined;
		this.#next = 0;
	}

	/** Puts an entry at the end. */
	push(entry: QueueEntry): void {
		this.all.push(entry);
		this.#shown = undefined;
	}

	/** Takes one out. */
	remove(entry: QueueEntry): void {
		const at = this.all.indexOf(entry);
		if (at !== -1) this.all.splice(at, 1);
		this.moved();
	}

	/** The first that waits for its turn. */
	next(): QueueEntry | undefined {
		for (; this.#next < this.all.length; this.#next++) {
			const entry = this.all[this.#next]!;
			if (!entry.running && entry.state === 'queued') return entry;
		}
		return undefined;
	}

	/**
	 * Moves one up (negative) or down among those that are not done.
	 *
	 * @param store told of each entry with a new place
	 */
	move(entry: QueueEntry, by: number, store: (entry: QueueEntry) => void): void {
		const step = Math.sign(by);
		const from = this.all.indexOf(entry);
		let to = from;
		for (let at = from + step, left = Math.abs(by); left > 0 && this.all[at]; at += step) {
			if (this.all[at]!.state === 'done') continue;
			to = at;
			left--;
		}
		if (from === -1 || to === from) return;
		this.all.splice(from, 1);
		this.all.splice(to, 0, entry);
		const [before, after] = [this.all[to - 1]?.stored.place, this.all[to + 1]?.stored.place];
		const low = before ?? (after ?? 0) - 2;
		const high = after ?? low + 2;
		entry.stored.place = (low + high) / 2;
		store(entry);
		if (high - low < leastGap) this.#spread(to, store);
		this.moved();
	}

	/** Gives the neighbours of a place room again: as few of them as it takes. */
	#spread(at: number, store: (entry: QueueEntry) => void): void {
		for (let reach = 32; ; reach *= 2) {
			const first = Math.max(0, at - reach);
			const last = Math.min(this.all.length, at + reach);
			const low = this.all[first - 1]?.stored.place ?? this.all[first]!.stored.place - 1;
			const high = this.all[last]?.stored.place ?? low + 2 * (last - first);
			const step = (high - low) / (last - first + 1);
			if (step < 1000 * leastGap && last - first < this.all.length) continue;
			for (let i = first; i < last; i++) {
				this.all[i]!.stored.place = low + step * (i - first + 1);
				store(this.all[i]!);
			}
			return;
		}
	}

	/** How many are in which state. */
	counts(): DownloadCounts {
		const shown = this.#display();
		return Object.fromEntries(shownOrder.map(state => [state, shown[state].length])) as DownloadCounts;
	}

	/** Some of those in a state, in the order of the queue. */
	inState(state: DownloadState, offset: number, limit: number): QueueEntry[] {
		return this.#display()[state].slice(offset, offset + limit);
	}

	#display(): Record<DownloadState, QueueEntry[]> {
		if (this.#shown) {
			for (const entry of this.#active()) {
				if (entry.state === entry.shown) continue;
				this.#shown = undefined;
				break;
			}
		}
		if (this.#shown) return this.#shown;
		const shown = Object.fromEntries(shownOrder.map(state => [state, [] as QueueEntry[]]));
		for (const entry of this.all) {
			entry.shown = entry.state;
			shown[entry.shown]!.push(entry);
		}
		this.#shown = shown as Record<DownloadState, QueueEntry[]>;
		return this.#shown;
	}
}
