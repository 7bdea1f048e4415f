import type {Bottleneck} from '../core/events.ts';
import {findBottleneck, type StageTimes} from './bottleneck.ts';
import type {LaneTimes} from './lane.ts';
import type {SourceBook} from './source-book.ts';

const everyMs = 1000;
/** So long it is waited for a sender to tell what holds it up, before the link is taken for it. */
const patienceMs = 10_000;

/** Adds up where the connections of one transfer spend their time, a second at a time. */
export class StageMeter {
	#at = 0;
	#since = 0;
	/** How often each connection was seen to have finished answers: what a sender says comes one answer later. */
	readonly #finished = new Map<number, number>();
	/** What was said in the last second in which anything was. */
	#said: StageTimes['theirs'];
	readonly #seen = new Map<number, LaneTimes>();
	#busy = 0;
	#looks = 0;

	/**
	 * To be called a few times a second.
	 *
	 * @param lanes the running total of each connection, by its number, and whether it has a request under way
	 * @returns the last second's times, once a second
	 */
	sample(now: number, lanes: Iterable<{id: number; times: LaneTimes; busy: boolean}>): StageTimes | undefined {
		const all = [...lanes];
		this.#busy += all.filter(lane => lane.busy).length;
		this.#looks++;
		if (this.#at === 0) this.#at = this.#since = now;
		if (now - this.#at < everyMs) return undefined;
		const sum: StageTimes = {
			...{wall: now - this.#at, lanes: this.#busy / this.#looks, limit: 0, hash: 0, write: 0, bytes: 0},
			...{threads: new Set(all.map(lane => lane.times.thread)).size, theirs: undefined},
		};
		const said = {disk: 0, limit: 0, total: 0};
		for (const {id, times} of all) {
			const before = this.#seen.get(id);
			sum.limit += times.limit - (before?.limit ?? 0);
			sum.hash += times.hash - (before?.hash ?? 0);
			sum.write += times.write - (before?.write ?? 0);
			sum.bytes += times.bytes - (before?.bytes ?? 0);
			const answers = times.answers - (before?.answers ?? 0);
			if (answers === 0) continue;
			const finished = (this.#finished.get(id) ?? 0) + 1;
			this.#finished.set(id, finished);
			// Its first answers took time of which nothing is known yet.
			if (finished === 1) continue;
			said.disk += times.theirDisk - (before?.theirDisk ?? 0);
			said.limit += times.theirLimit - (before?.theirLimit ?? 0);
			said.total += answers;
		}
		if (said.total > 0) this.#said = said;
		sum.theirs = this.#said ?? (now - this.#since > patienceMs ? said : undefined);
		this.#seen.clear();
		for (const {id, times} of all) this.#seen.set(id, times);
		this.#at = now;
		this.#busy = 0;
		this.#looks = 0;
		return sum;
	}
}

const nothing: StageTimes = {
	...{wall: 0, lanes: 0, limit: 0, hash: 0, write: 0, bytes: 0, threads: 0},
	theirs: {disk: 0, limit: 0, total: 0},
};

/** The bottleneck of a transfer with these sources; `times`: absent while nothing is under way. */
export function bottleneckOf(times: StageTimes | undefined, book: SourceBook): Bottleneck | undefined {
	const text = book.waitingFor();
	return findBottleneck(times ?? nothing, book.isQueued ? {queued: text} : {nobody: text});
}
