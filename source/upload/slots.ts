import {limits} from '../api/limits.ts';

/** What decides over slots and places. Milliseconds. */
export type SlotTimes = {
	/** A slot stays its peer's for so long after the last request: the next one of the same download is on its way. */
	idle: number;
	/** A place in the queue is kept for so long after it was last asked for. */
	placeKept: number;
	/** When others wait, a peer that has had a slot for so long goes to the end of the queue at its next request. */
	turn: number;
	/** When others wait, a peer whose requests keep a slot busy for so long is cut off: a request may be endless. */
	longest: number;
};

export const slotTimes: SlotTimes = {idle: 1000, placeKept: 15_000, turn: 60_000, longest: 120_000};

/**
 * The use of a slot by one request; `release` once. `forfeit`: its peer's turn is over as soon as others wait. `revoked` is
 * called when the slot is taken away meanwhile.
 */
export type SlotGrant = {release(): void; forfeit(): void; revoked?: () => void};

/** No slot: which place in the queue (from 1), how many wait in all, seconds until asking again makes sense. */
export type SlotRefusal = {position: number; queued: number; retryAfter: number};

type Holder = {running: Set<SlotGrant>; since: number; idleSince: number};
type Place = {asked: number; retryAfter: number};

/** What a waiting peer may be late with its next try before those behind it go first. */
const lateMs = 1500;

/**
 * Upload slots, and a fair queue for them, both by peer: a peer's further connections share its slot. The first in the
 * queue gets the next free slot when it asks again; one that does not come loses its turn, but not its place.
 */
export class UploadSlots {
	readonly #times: SlotTimes;
	readonly #now: () => number;
	readonly #holders = new Map<string, Holder>();
	readonly #queue = new Map<string, Place>();
	#count: number;

	constructor(count: number, times: SlotTimes = slotTimes, now: () => number = () => performance.now()) {
		this.#count = count;
		this.#times = times;
		this.#now = now;
	}

	/** How many there are. */
	get count(): number {
		return this.#count;
	}

	/** More, or fewer: running requests go on, and slots above the new number are not given again. */
	setCount(count: number): void {
		this.#count = count;
	}

	/** Peers with a slot now, and peers in the queue. */
	usage(): {used: number; queued: number} {
		this.#forget();
		return {used: this.#holders.size, queued: this.#queue.size};
	}

	/** Asks for the use of a slot, for one request of a peer. */
	enter(peer: string): SlotGrant | SlotRefusal {
		this.#forget();
		const holder = this.#holders.get(peer);
		if (holder && !this.#turnIsOver(holder)) return this.#grant(peer, holder);
		if (!holder && this.#isNext(peer)) {
			this.#queue.delete(peer);
			return this.#grant(peer, this.#hold(peer));
		}
		if (holder && holder.running.size === 0) this.#holders.delete(peer);
		const refusal = this.#refuse(peer);
		this.#revokeLongest();
		return refusal;
	}

	#hold(peer: string): Holder {
		const holder = {running: new Set<SlotGrant>(), since: this.#now(), idleSince: 0};
		this.#holders.set(peer, holder);
		return holder;
	}

	#grant(peer: string, holder: Holder): SlotGrant {
		const grant: SlotGrant = {
			release: () => {
				holder.running.delete(grant);
				if (holder.running.size > 0) return;
				holder.idleSince = this.#now();
				if (this.#turnIsOver(holder) && this.#holders.get(peer) === holder) this.#holders.delete(peer);
			},
			forfeit: () => {
				holder.since = Number.NEGATIVE_INFINITY;
			},
		};
		holder.running.add(grant);
		return grant;
	}

	/** One slot at a time, the longest held first: whoever waits asks again and again. */
	#revokeLongest(): void {
		const [longest] = [...this.#holders.values()].toSorted((a, b) => a.since - b.since);
		if (!longest || this.#holders.size < this.#count || this.#now() - longest.since < this.#times.longest) return;
		for (const grant of [...longest.running]) grant.revoked?.();
	}

	#turnIsOver(holder: Holder): boolean {
		return this.#queue.size > 0 && this.#now() - holder.since >= this.#times.turn;
	}

	/** Whether a slot is free for this peer: those before it in the queue go first, unless they are late. */
	#isNext(peer: string): boolean {
		let free = this.#count - this.#holders.size;
		if (free <= 0) return false;
		const now = this.#now();
		for (const [waiting, place] of this.#queue) {
			if (waiting === peer) return true;
			if (now - place.asked > place.retryAfter * 1000 + lateMs) continue;
			free--;
			if (free <= 0) return false;
		}
		return true;
	}

	#refuse(peer: string): SlotRefusal {
		const known = this.#queue.get(peer);
		const position = known ? this.#positionOf(peer) : this.#queue.size + 1;
		const retryAfter = Math.min(5, Math.ceil(position / Math.max(1, this.#count)));
		if (known) {
			known.asked = this.#now();
			known.retryAfter = retryAfter;
		} else if (this.#queue.size < limits.uploadQueue) {
			this.#queue.set(peer, {asked: this.#now(), retryAfter});
		}
		return {position, queued: this.#queue.size, retryAfter};
	}

	#positionOf(peer: string): number {
		let position = 1;
		for (const waiting of this.#queue.keys()) {
			if (waiting === peer) break;
			position++;
		}
		return position;
	}

	/** Drops slots that stand idle and places that nobody came back for. */
	#forget(): void {
		const now = this.#now();
		for (const [peer, holder] of this.#holders) {
			if (holder.running.size === 0 && now - holder.idleSince >= this.#times.idle) this.#holders.delete(peer);
		}
		for (const [peer, place] of this.#queue) {
			if (now - place.asked >= this.#times.placeKept) this.#queue.delete(peer);
		}
	}
}
