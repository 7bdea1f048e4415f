// How a peer is reached: at one of its addresses where that answers with the peer's key, else through its NAT.
import {limits} from '../api/limits.ts';
import type {PeerInfo, Source} from '../api/schemas.ts';
import {parseAddress} from '../core/address.ts';
import type {NodeAddress} from './node.ts';
import type {Tunnels} from './tunnels.ts';

/** The ID that whoever listens at an address proves to have. Rejects when nobody does. */
export type Probe = (address: NodeAddress, signal: AbortSignal) => Promise<string>;

/** Milliseconds in which a direct connection must answer. */
const directMs = 1500;
/** Milliseconds that an outcome is used again. */
const usedAgain = 60_000;

/** Where to connect to; `via` where that is not the peer itself. */
export type Way = NodeAddress & Pick<Source, 'via'>;

/** Finds ways to peers and remembers them for a while. */
export class Reach {
	readonly #probe: Probe;
	readonly #tunnels: Tunnels;
	readonly #log: (message: string) => void;
	readonly #ways = new Map<string, {way: Promise<Way>; until: number}>();

	constructor(probe: Probe, tunnels: Tunnels, log: (message: string) => void) {
		this.#probe = probe;
		this.#tunnels = tunnels;
		this.#log = log;
	}

	/** A way to the peer: direct where one of the addresses that are believed answers. */
	to(peer: PeerInfo): Promise<Way> {
		const name = `${peer.id} ${peer.host} ${peer.port} ${peer.addresses?.join() ?? ''} ${peer.since}`;
		const known = this.#ways.get(name);
		if (known && known.until > Date.now()) return known.way;
		const way = this.#find(peer);
		this.#ways.set(name, {way, until: Date.now() + usedAgain});
		if (this.#ways.size > limits.table.ways) this.#ways.delete(this.#ways.keys().next().value!);
		return way;
	}

	async #find({id, name, host, port, addresses = []}: PeerInfo): Promise<Way> {
		const signal = AbortSignal.timeout(directMs);
		const places = [{host, port}, ...addresses.map(text => parseAddress(text, port))];
		const tries = places.map(async place => {
			if ((await this.#probe(place, signal)) !== id) throw new Error('somebody else');
			return place;
		});
		const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
		try {
			return await Promise.race([Promise.any(tries), late]);
		} catch {
			const way = await this.#tunnels.open(id);
			this.#log(`${name} cannot be reached directly: trying an encrypted stream through its NAT`);
			return {...way, via: 'stream'};
		}
	}
}
