import type {Socket} from 'node:net';
import * as z from 'zod';
import {limits} from '../api/limits.ts';
import {parseQuery} from '../api/query.ts';
import {plainHost} from '../net/listen.ts';
import {remotePeerId} from '../net/remote-id.ts';
import type {Story} from './context.ts';
import {hereFor} from './host-view.ts';
import type {IndexStore} from './store.ts';

/** The parameters of `GET /v1/search`. */
export const searchSchema = z.object({
	q: z.string(),
	limit: z.coerce.number().int().min(1).max(limits.searchPage).optional(),
	cursor: z.string().max(limits.searchCursorLength).optional(),
	sources: z.coerce.number().int().min(1).max(limits.sourcesPerHit).optional(),
	typing: z.string().min(1).max(limits.typingLength).optional(),
});

/** What is asked. `typing`: searches of one caller with the same value overtake each other. */
export type SearchQuestion = z.infer<typeof searchSchema>;

type Turn = {isOvertaken: boolean};

/** Searches on their way to the store. One that nobody waits for any more is dropped while it has not begun. */
export class Searches {
	readonly #store: IndexStore;
	/** The latest search of each box that somebody types into. */
	readonly #typed = new Map<string, Turn>();

	constructor(store: IndexStore) {
		this.#store = store;
	}

	/**
	 * The answer as JSON in UTF-8.
	 *
	 * @param socket the asker's connection
	 * @throws P2pError bad-query, busy, what the store throws; cancelled for one that was dropped
	 */
	async answer({q, typing, ...page}: SearchQuestion, socket: Socket, story: Story): Promise<Buffer> {
		story.verb = 'SEARCH';
		story.argument = q.slice(0, limits.queryLength);
		const turn = {isOvertaken: false};
		const box = typing === undefined ? undefined : `${typing} ${remotePeerId(socket) ?? callerOf(socket)}`;
		if (box !== undefined) this.#take(box, turn);
		try {
			const {json, total, more} = await this.#store.searchText(parseQuery(q), {
				...page,
				here: hereFor(socket),
				isWanted: () => !turn.isOvertaken && socket.writable,
			});
			story.result = `${total}${more ? '+' : ''} hits`;
			return Buffer.from(json.buffer, json.byteOffset, json.byteLength);
		} finally {
			if (box !== undefined && this.#typed.get(box) === turn) this.#typed.delete(box);
		}
	}

	#take(box: string, turn: Turn): void {
		const before = this.#typed.get(box);
		if (before) before.isOvertaken = true;
		this.#typed.set(box, turn);
	}
}

/** A guest without a key, by its connection's address: a guest's box is as hard to guess as it made it. */
function callerOf({remoteAddress}: Socket): string {
	return plainHost(remoteAddress ?? '');
}
