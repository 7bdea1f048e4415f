import {randomBytes} from 'node:crypto';
import type {SearchResponse} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import type {Router} from './directory.ts';

/** Searches as somebody types: each one overtakes the one before, here and at the servers. */
export class TypedSearches {
	/** What servers know this box by: random, so that nobody else's searches are dropped for it. */
	readonly #box = randomBytes(12).toString('base64url');
	#running: AbortController | undefined;

	/** @throws P2pError cancelled when the next one comes first; whatever the router throws */
	async search(router: Router, query: string, page: {limit?: number; cursor?: string}): Promise<SearchResponse> {
		this.#running?.abort(new P2pError('cancelled', 'A newer search overtook this one'));
		const own = new AbortController();
		this.#running = own;
		try {
			return await router.search(query, {...page, typing: this.#box, signal: own.signal});
		} finally {
			if (this.#running === own) this.#running = undefined;
		}
	}
}
