import type {PeerInfo} from '../api/schemas.ts';
import {formatAddress} from '../core/address.ts';
import type {EngineBus, PeerEvent} from '../core/events.ts';
import type {PeerBook} from './peer-book.ts';

/** Who is there, looked at again and again; tells of those who come and go. */
export class PeerWatch {
	readonly #peers: PeerBook;
	readonly #bus: EngineBus;
	readonly #self: string;
	readonly #changed: () => void;
	#present = new Map<string, PeerInfo>();
	#looking: Promise<void> | undefined;

	/** @param self this peer's ID, which joins and leaves without being told */
	constructor(peers: PeerBook, bus: EngineBus, self: string, changed: () => void) {
		this.#peers = peers;
		this.#bus = bus;
		this.#self = self;
		this.#changed = changed;
	}

	all(): PeerInfo[] {
		return [...this.#present.values()];
	}

	/** Looks, unless it is looking already. Resolves when it has, whatever came of it. */
	look(): Promise<void> {
		this.#looking ??= this.#look()
			.catch(() => undefined)
			.finally(() => {
				this.#looking = undefined;
			});
		return this.#looking;
	}

	async #look(): Promise<void> {
		const peers = await this.#peers.list();
		const before = this.#present;
		this.#present = new Map(peers.map(peer => [peer.id, peer]));
		for (const peer of peers)
			if (!before.has(peer.id) && peer.id !== this.#self) this.#bus.emit('peer-joined', eventOf(peer));
		for (const peer of before.values()) if (!this.#present.has(peer.id)) this.#bus.emit('peer-left', eventOf(peer));
		this.#changed();
	}
}

function eventOf(peer: PeerInfo): PeerEvent {
	return {id: peer.id, number: peer.number, name: peer.name, address: formatAddress(peer), files: peer.files};
}
