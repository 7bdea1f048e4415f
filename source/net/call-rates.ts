import {limits} from '../api/limits.ts';
import {P2pError} from '../core/errors.ts';

/** How many calls one caller may make: so many a second in the long run, and so many at once. */
export type Rate = {perSecond: number; burst: number};

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
		this.check(caller);
		this.#bucket(caller).tokens--;
	}

	/** Whether {@link take} would pass. @throws P2pError busy, as take does */
	check(caller: string): void {
		const {perSecond, burst} = this.#rate;
		const {tokens} = this.#bucket(caller);
		if (tokens >= 1) return;
		const retryAfter = Math.max(1, Math.ceil((1 - tokens) / perSecond));
		const rate = perSecond < 1 ? `${burst}, then one in ${Math.ceil(1 / perSecond)} s` : `${perSecond} a second`;
		throw new P2pError('busy', `Too many calls: at most ${rate}`, {
			hint: `Try again in ${retryAfter} s`,
			details: {retryAfter},
		});
	}

	/** Takes one call of a caller. @returns false when it makes too many */
	has(caller: string): boolean {
		const bucket = this.#bucket(caller);
		if (bucket.tokens < 1) return false;
		bucket.tokens--;
		return true;
	}

	#bucket(caller: string): {tokens: number} {
		const {perSecond, burst} = this.#rate;
		const now = this.#now();
		let bucket = this.#buckets.get(caller);
		if (!bucket) {
			if (this.#buckets.size >= limits.rateBuckets) this.#forgetFull(now);
			bucket = {tokens: burst, at: now};
			this.#buckets.set(caller, bucket);
		}
		bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
		bucket.at = now;
		return bucket;
	}

	#forgetFull(now: number): void {
		const {perSecond, burst} = this.#rate;
		for (const [caller, {tokens, at}] of this.#buckets)
			if (tokens + ((now - at) / 1000) * perSecond >= burst) this.#buckets.delete(caller);
		if (this.#buckets.size >= limits.rateBuckets) this.#buckets = new Map();
	}
}
