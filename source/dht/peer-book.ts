// Where peers are: their presences, as they signed them.
import {limits} from '../api/limits.ts';
import type {PeerInfo} from '../api/schemas.ts';
import {formatAddress} from '../core/address.ts';
import {usableAddresses} from '../net/address-scope.ts';
import {fromStart, type GetRequest} from './messages.ts';
import type {NetworkKey} from './network-key.ts';
import type {Asker} from './questions.ts';
import {isGenuinePresence, type PresenceRecord, type Signed} from './records.ts';

/** Seconds that a presence lives, and after which a running peer says anew where it is. */
export const presenceLife = 120;
export const presenceEvery = 40;
/** Milliseconds that an answer about a peer is used without asking again. */
const freshMs = 20_000;
/** Milliseconds that a question about one peer, or for all of them, may take. */
const whoMs = 1500;
const listMs = 2500;
/** Nodes whose whole list of peers is read: each should have them all. */
const pagers = 3;

/** A number for people to type where no server gives one: five digits that come from the peer ID. */
export function numberOfPeer(id: string): number {
	return 10_000 + (Number.parseInt(id.slice(0, 12), 16) % 90_000);
}

/** Peers as the table knows them. */
export class PeerBook {
	readonly #asker: Asker;
	readonly #key: NetworkKey;
	readonly #known = new Map<string, {presence: Signed<PresenceRecord>; asked: number}>();
	readonly #asking = new Map<string, Promise<PresenceRecord | undefined>>();
	/** Chooses where to connect to. */
	readonly #address: (addresses: string[]) => string;
	readonly #toldAt: () => string;

	/** @param toldAt this node's own address: on loopback alone others on loopback are believed */
	constructor(asker: Asker, key: NetworkKey, address: (addresses: string[]) => string, toldAt: () => string) {
		this.#toldAt = toldAt;
		this.#asker = asker;
		this.#key = key;
		this.#address = address;
	}

	/** Where a peer is; undefined for one that nobody knows or that has left. */
	async who(peer: string, signal?: AbortSignal): Promise<PresenceRecord | undefined> {
		const known = this.#known.get(peer);
		if (known && Date.now() - known.asked < freshMs && isThere(known.presence)) return known.presence;
		const question = this.#asking.get(peer) ?? this.#ask(peer).finally(() => this.#asking.delete(peer));
		this.#asking.set(peer, question);
		const found = await question;
		signal?.throwIfAborted();
		return found && isThere(found) ? found : undefined;
	}

	/** Takes in what somebody said of a peer, if it is genuine and news. */
	take(presence: Signed<PresenceRecord>, asked: number = Date.now()): void {
		const known = this.#known.get(presence.peer);
		if (known && known.presence.time > presence.time) return;
		if (known?.presence.raw.equals(presence.raw)) {
			known.asked = asked;
			return;
		}
		if (!isGenuinePresence(presence, this.#key.tag)) return;
		if (!known && this.#known.size >= limits.table.peers) return;
		this.#known.set(presence.peer, {presence: {...presence, raw: Buffer.from(presence.raw)}, asked});
	}

	/** Asks for everybody. @returns all who are there */
	async list(signal?: AbortSignal): Promise<PeerInfo[]> {
		const late = AbortSignal.timeout(listMs);
		const question = {topic: this.#key.peers(), request: {kind: 'peers', cursor: fromStart} as GetRequest, pagers};
		const take = ({presences}: {presences: Array<Signed<PresenceRecord>>}) => {
			for (const presence of presences) this.take(presence);
			return this.#known.size < limits.table.peers;
		};
		await this.#asker.ask(question, take, signal ? AbortSignal.any([signal, late]) : late);
		signal?.throwIfAborted();
		for (const [peer, {presence}] of this.#known) if (!isThere(presence)) this.#known.delete(peer);
		return this.all();
	}

	/** Everybody who was there when last heard of. */
	all(): PeerInfo[] {
		return [...this.#known.values()]
			.filter(({presence}) => isThere(presence))
			.map(({presence}) => this.info(presence))
			.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
	}

	/** A peer in the form that index servers give it. */
	info(presence: PresenceRecord): PeerInfo {
		const {peer, name, port, files, bytes, since, addresses} = presence;
		// Records are signed by whoever chose what stands in them.
		const usable = usableAddresses(
			addresses.map(host => formatAddress({host, port})),
			this.#toldAt(),
			limits.addressesPerPeer,
		);
		const host = this.#address(usable.length > 0 ? usable.map(address => address.host) : addresses);
		return {
			...{id: peer, number: numberOfPeer(peer), name, host, port, files, bytes},
			online: isThere(presence) && usable.length > 0,
			since: new Date(since * 1000).toISOString(),
			...(usable.length > 1 && {addresses: usable.map(formatAddress)}),
		};
	}

	async #ask(peer: string): Promise<PresenceRecord | undefined> {
		const question = {topic: this.#key.peer(peer), request: {kind: 'peer', peer} as GetRequest};
		let found = 0;
		const enough = new AbortController();
		const take = ({presences}: {presences: Array<Signed<PresenceRecord>>}) => {
			for (const presence of presences) {
				if (presence.peer !== peer) continue;
				this.take(presence);
				// Of several copies the newest counts; three that answered will have it.
				if (++found === 3) enough.abort();
			}
			return false;
		};
		await this.#asker.ask(question, take, AbortSignal.any([AbortSignal.timeout(whoMs), enough.signal]));
		return this.#known.get(peer)?.presence;
	}
}

function isThere({left, expiry}: PresenceRecord): boolean {
	return !left && expiry * 1000 > Date.now();
}
