import {P2pError} from '../core/errors.ts';

/** How many calls one caller may make: so many a second in the long run, and so many at once. */
export type Rate = {perSecond: number; burst: number};

/** Rates of an index server. */
export type RateLimits = {
	/** Of one peer ID. */
	peer: Rate;
	/** Of one address, whoever calls from there: a whole office may sit behind it. */
	address: Rate;
	/** Connections of one address at a time. */
	connectionsPerAddress: number;
};

/** Callers that are kept apart; past them the fullest buckets are forgotten, which only ever forgives. */
const mostBuckets = 50_000;

/** Token buckets by caller (RFC 2697's single rate, without colours). */
export class RateLimiter {
	readonly #rate: Rate;
	readonly #now: () => number;
	#buckets = new Map<string, {tokens: number; at: number}>();

	/** @param now milliseconds; for tests */
	constructor(rate: Rate, now: () => number = () => performance.now()) {
		this.#rate = rate;
		this.#now = now;
	}

	/** Takes one call of a caller. @throws P2pError busy with `details.retryAfter`, in seconds, when it makes too many */
	take(caller: string): void {
		this.#full(caller).tokens--;
	}

	/** Whether {@link take} would pass. @throws P2pError busy, as take does */
	check(caller: string): void {
		this.#full(caller);
	}

	/** A caller's bucket with at least one token in it. */
	#full(caller: string): {tokens: number} {
		const {perSecond, burst} = this.#rate;
		const now = this.#now();
		let bucket = this.#buckets.get(caller);
		if (!bucket) {
			if (this.#buckets.size >= mostBuckets) this.#forgetFull(now);
			bucket = {tokens: burst, at: now};
			this.#buckets.set(caller, bucket);
		}
		bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
		bucket.at = now;
		if (bucket.tokens < 1) {
			const retryAfter = Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
			throw new P2pError('busy', `Too many calls: at most ${perSecond} a second`, {
				hint: `Try again in ${retryAfter} s`,
				details: {retryAfter},
			});
		}
		return bucket;
	}

	#forgetFull(now: number): void {
		const {perSecond, burst} = this.#rate;
		for (const [caller, {tokens, at}] of this.#buckets)
			if (tokens + ((now - at) / 1000) * perSecond >= burst) this.#buckets.delete(caller);
		if (this.#buckets.size >= mostBuckets) this.#buckets = new Map();
	}
}
