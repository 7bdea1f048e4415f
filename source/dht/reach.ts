// How a peer is reached: at one of its addresses where that answers with the peer's key, else through its NAT.
import type {Source} from '../api/schemas.ts';
import type {NodeAddress} from './node.ts';
import type {PresenceRecord} from './records.ts';
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
	readonly #ways = new Map<string, {way: Promise<Way>; until: number; presence: number}>();

	constructor(probe: Probe, tunnels: Tunnels, log: (message: string) => void) {
		this.#probe = probe;
		this.#tunnels = tunnels;
		this.#log = log;
	}

	/** A way to the peer: direct where one of its addresses answers. */
	to(presence: PresenceRecord): Promise<Way> {
		const {peer, port, addresses, since} = presence;
		const name = `${peer} ${port} ${addresses.join()}`;
		const known = this.#ways.get(name);
		if (known && known.until > Date.now() && known.presence === since) return known.way;
		const way = this.#find(presence);
		this.#ways.set(name, {way, until: Date.now() + usedAgain, presence: since});
		if (this.#ways.size > 1000) this.#ways.delete(this.#ways.keys().next().value!);
		return way;
	}

	async #find({peer, name, port, addresses}: PresenceRecord): Promise<Way> {
		const signal = AbortSignal.timeout(directMs);
		const tries = addresses.map(async host => {
			const shown = await this.#probe({host, port}, signal);
			if (shown !== peer) throw new Error('somebody else');
			return {host, port};
		});
		const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
		try {
			return await Promise.race([Promise.any(tries), late]);
		} catch {
			const way = await this.#tunnels.open(peer);
			this.#log(`${name} cannot be reached directly: trying an encrypted stream through its NAT`);
			return {...way, via: 'stream'};
		}
	}
}
