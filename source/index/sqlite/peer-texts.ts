import type {DatabaseSync} from 'node:sqlite';
import {isLoopback} from '../../net/listen.ts';
import {notLoopback} from '../host-view.ts';
import type {SharedPresence} from './shared-presence.ts';

/** A peer's part of a source in JSON, up to its path: as registered, and with a host put in its place. */
type PeerText = {plain: string; before: string; host: string; afterElsewhere: string; isLoopback: boolean};
type PeerRow = {number: number; id: string; name: string; host: string; port: number; addresses: string};

/** What answers say about peers, as JSON that is made once: the same thousand peers are in every answer. */
export class PeerTexts {
	readonly #presence: SharedPresence;
	readonly #row;
	readonly #texts = new Map<number, PeerText | undefined>();
	#clock = -1;

	constructor(database: DatabaseSync, presence: SharedPresence) {
		this.#presence = presence;
		this.#row = database.prepare('SELECT number, id, name, host, port, addresses FROM peer WHERE number=?');
	}

	/** Forgets what may have changed. Called before a transaction begins, so that what is read then is newer. */
	refresh(): void {
		const clock = this.#presence.peersClock;
		if (clock === this.#clock) return;
		this.#texts.clear();
		this.#clock = clock;
	}

	/** The state that texts are of: it grows when some may have changed. */
	get clock(): number {
		return this.#clock;
	}

	/**
	 * The start of a source's JSON.
	 *
	 * @param here what stands for this machine's loopback addresses, for askers elsewhere
	 */
	text(peer: number, here: string | undefined): string {
		let known = this.#texts.get(peer);
		if (!known) {
			known = textOf(this.#row.get(peer) as PeerRow);
			this.#texts.set(peer, known);
		}
		if (here === undefined) return known.plain;
		const {before, host, afterElsewhere, isLoopback} = known;
		return before + (isLoopback ? JSON.stringify(here) : host) + afterElsewhere;
	}
}

function textOf({number, id, name, host, port, addresses}: PeerRow): PeerText {
	const after = (list: string[]) =>
		`,"port":${port},${list.length > 0 ? `"addresses":${JSON.stringify(list)},` : ''}"path":`;
	const all = JSON.parse(addresses) as string[];
	const before = `{"peer":"${id}","number":${number},"name":${JSON.stringify(name)},"host":`;
	return {
		plain: before + JSON.stringify(host) + after(all),
		before,
		host: JSON.stringify(host),
		afterElsewhere: after(notLoopback(all)),
		isLoopback: isLoopback(host),
	};
}
