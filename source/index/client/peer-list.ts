import {limits} from '../../api/limits.ts';
import type {PeerInfo, PeersResponse} from '../../api/schemas.ts';
import {eachPage} from '../../net/each-page.ts';

/** Most peers that are kept for a screen. */
const most = limits.peersKept;

/** Everyone at one server, kept up to date from its events: the whole list once, then what changes. */
export class PeerList {
	readonly #page: (cursor?: string) => Promise<PeersResponse>;
	readonly #changed: () => void;
	readonly #peers = new Map<string, PeerInfo>();
	#refreshing = false;
	/** Who was heard of while the list was being read: newer than what it says. */
	#fresh = new Set<string>();

	constructor(page: (cursor?: string) => Promise<PeersResponse>, changed: () => void) {
		this.#page = page;
		this.#changed = changed;
	}

	/** All of them, by number. */
	all(): PeerInfo[] {
		return [...this.#peers.values()].sort((a, b) => a.number - b.number);
	}

	/** Takes in an event; returns whether it says something new. */
	take(event: 'peer-joined' | 'peer-left' | 'peer-updated', peer: PeerInfo): boolean {
		const before = this.#peers.get(peer.id);
		const online = event === 'peer-left' ? false : peer.online;
		if (this.#peers.size < most || before) this.#peers.set(peer.id, {...peer, online});
		if (this.#refreshing) this.#fresh.add(peer.id);
		this.#changed();
		return event === 'peer-updated' || (before?.online ?? false) !== online || before === undefined;
	}

	/** Reads the whole list again. A failure leaves the old one: the connection's own loss tells of it. */
	async refresh(): Promise<void> {
		if (this.#refreshing) return;
		this.#refreshing = true;
		this.#fresh = new Set();
		try {
			const read = new Map<string, PeerInfo>();
			for await (const page of eachPage(cursor => this.#page(cursor))) {
				for (const peer of page.peers) read.set(peer.id, peer);
				if (read.size >= most) break;
			}
			for (const id of [...this.#peers.keys()]) if (!read.has(id) && !this.#fresh.has(id)) this.#peers.delete(id);
			for (const [id, peer] of read) if (!this.#fresh.has(id)) this.#peers.set(id, peer);
			this.#changed();
		} catch {
			// Tried again at the next connection.
		} finally {
			this.#refreshing = false;
		}
	}
}
