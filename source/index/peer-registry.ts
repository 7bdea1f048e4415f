import {limits} from '../api/limits.ts';
import type {CatalogPoint, Counts, PeerInfo, PeersResponse} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {readCursor, writeCursor} from './cursor.ts';
import type {PageOptions, Registration} from './store.ts';

/** A peer as a store keeps it. Times are Unix milliseconds. */
export type PeerRecord = {
	id: string;
	number: number;
	name: string;
	host: string;
	port: number;
	addresses: string[];
	have: CatalogPoint | null;
	files: number;
	bytes: number;
	online: boolean;
	/** When it came online, or was last seen. */
	since: number;
	/** It left: only its number is kept for it. */
	left: boolean;
};

/** Every peer, in memory: thousands of them are small, and who is online lives nowhere else. */
export class PeerRegistry {
	readonly #byId = new Map<string, PeerRecord>();
	readonly #byNumber = new Map<number, PeerRecord>();
	#last = 0;

	/** Puts in a peer that was stored. */
	load(record: PeerRecord): void {
		this.#byId.set(record.id, record);
		this.#byNumber.set(record.number, record);
		this.#last = Math.max(this.#last, record.number);
	}

	/** Takes in a registration. `changed` says whether there is something new to write down. */
	register(peer: Registration): {record: PeerRecord; changed: boolean} {
		const addresses = peer.addresses ?? [];
		let record = this.#byId.get(peer.id);
		if (!record) {
			const {id, name, host, port} = peer;
			const number = peer.number ?? this.#last + 1;
			const state = {have: null, files: 0, bytes: 0, online: false, since: Date.now(), left: false};
			record = {id, number, name, host, port, addresses, ...state};
			this.load(record);
			return {record, changed: true};
		}
		const changed =
			record.left ||
			record.name !== peer.name ||
			record.host !== peer.host ||
			record.port !== peer.port ||
			record.addresses.join() !== addresses.join();
		Object.assign(record, {name: peer.name, host: peer.host, port: peer.port, addresses, left: false});
		if (!record.online) record.since = Date.now();
		return {record, changed};
	}

	/** Every peer that ever registered. */
	all(): PeerRecord[] {
		return [...this.#byId.values()];
	}

	/** A registered peer by its whole ID. */
	get(id: string): PeerRecord | undefined {
		const record = this.#byId.get(id);
		return record?.left ? undefined : record;
	}

	/** The same. @throws P2pError not-found */
	need(id: string): PeerRecord {
		const record = this.get(id);
		if (!record) throw new P2pError('not-found', `No peer ${id.slice(0, 8)} is registered here`);
		return record;
	}

	/** A registered peer by its number. */
	numbered(number: number): PeerRecord | undefined {
		const record = this.#byNumber.get(number);
		return record?.left ? undefined : record;
	}

	/** @returns whether that was new */
	setOnline(id: string, online: boolean): boolean {
		const record = this.need(id);
		if (record.online === online) return false;
		record.online = online;
		record.since = Date.now();
		return true;
	}

	/** A peer as a person names it; see IndexStore.getPeer. */
	find(reference: string): PeerRecord {
		const wanted = reference.trim().replace(/^#/, '').toLowerCase();
		const exact = (/^\d{1,9}$/.test(wanted) && this.numbered(Number(wanted))) || this.get(wanted);
		if (exact) return exact;
		const prefix = /^[0-9a-f]{4,63}$/.test(wanted);
		const found: PeerRecord[] = [];
		// Every new peer is looked for by its whole ID: that names nobody else, and the rest need not be gone through.
		const isWhole = /^[0-9a-f]{64}$/.test(wanted);
		for (const record of isWhole ? [] : this.#byId.values()) {
			if (!record.left && (record.name.toLowerCase() === wanted || (prefix && record.id.startsWith(wanted))))
				found.push(record);
		}
		if (found.length === 1 && found[0]) return found[0];
		if (found.length === 0)
			throw new P2pError('not-found', `No peer "${reference}" is registered here`, {
				hint: 'p2p-tui peers lists them',
			});
		throw new P2pError('ambiguous', `"${reference}" names ${found.length} peers`, {
			hint: 'Name one by its number or a longer start of its ID',
			details: {candidates: found.slice(0, 50).map(({id, number, name}) => ({id, number, name}))},
		});
	}

	/** A page of {@link IndexStore.listPeers}. */
	list({cursor, limit = limits.peersPage}: PageOptions = {}): PeersResponse {
		const after = readCursor(cursor, 'number')?.[0] ?? 0;
		const size = Math.min(limit, limits.peersPage);
		const peers: PeerInfo[] = [];
		let next: number | undefined;
		for (let number = after + 1; number <= this.#last; number++) {
			const record = this.numbered(number);
			if (!record) continue;
			if (peers.length === size) {
				next = peers.at(-1)?.number;
				break;
			}
			peers.push(peerInfo(record));
		}
		const {peers: total, online} = this.counts();
		return {peers, total, online, ...(next !== undefined && {cursor: writeCursor([next])})};
	}

	/** See IndexStore.counts. */
	counts(): Counts {
		const counts: Counts = {peers: 0, online: 0, files: 0, bytes: 0};
		for (const record of this.#byId.values()) {
			if (record.left) continue;
			counts.peers++;
			if (!record.online) continue;
			counts.online++;
			counts.files += record.files;
			counts.bytes += record.bytes;
		}
		return counts;
	}

	/** Marks a peer as gone; returns it when it was there. */
	leave(id: string): PeerRecord | undefined {
		const record = this.get(id);
		if (record) Object.assign(record, {left: true, online: false, have: null, since: Date.now()});
		return record;
	}

	/** Offline peers last seen before a time; each is looked at when its turn comes, as it may have come back by then. */
	*unseenSince(before: number): Generator<PeerRecord> {
		for (const record of this.all()) if (!record.left && !record.online && record.since < before) yield record;
	}
}

/** A peer as it is told to others. */
export function peerInfo({addresses, since, ...record}: PeerRecord): PeerInfo {
	const {id, number, name, host, port, files, bytes, online} = record;
	const more = addresses.length > 0 && {addresses};
	return {id, number, name, host, port, files, bytes, online, since: new Date(since).toISOString(), ...more};
}
