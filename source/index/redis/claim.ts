import {randomUUID} from 'node:crypto';
import type {RedisLink} from './redis-link.ts';
import {releaseClaim, renewClaim, takeClaim} from './scripts.ts';

/** Milliseconds that a claim lasts without being renewed: a failover takes a part of it. */
const usualLife = 30_000;

/**
 * Work that one index server does at a time: a key with a random token that expires (Redis documentation, "Distributed
 * Locks with Redis"). Who stood still for longer than that has lost it and hears so when it renews; it neither prolongs nor
 * ends what another has taken since. A failover may give it to two: what is done under it must be right then, too.
 */
export class Claim {
	readonly #link: RedisLink;
	readonly #key: string;
	readonly #life: string;
	/** Of the last time it was taken. */
	#token = '';

	/** @param life milliseconds */
	constructor(link: RedisLink, key: string, life = usualLife) {
		this.#link = link;
		this.#key = key;
		this.#life = String(life);
	}

	/** @returns whether it was free and is this server's now */
	async take(): Promise<boolean> {
		// Anew each time: what is left of an earlier taking is nobody's.
		this.#token = randomUUID();
		return (await this.#link.run<number>(takeClaim, [this.#key], [this.#token, this.#life])) === 1;
	}

	/** @returns whether it is still this server's; if not, another may be at work */
	async renew(): Promise<boolean> {
		return (await this.#link.run<number>(renewClaim, [this.#key], [this.#token, this.#life])) === 1;
	}

	/** Lets others have it, if it is still this server's. */
	async release(): Promise<void> {
		await this.#link.run<number>(releaseClaim, [this.#key], [this.#token]);
	}
}
