// A peer's place in private networks: joining, renewing, showing what proves it, and checking what others show.
import type {Duplex} from 'node:stream';
import {limits} from '../api/limits.ts';
import {type MembershipResponse, membershipResponseSchema} from '../api/schemas.ts';
import {formatAddress} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import {fingerprintOf, type InviteLink} from '../core/invite-link.ts';
import {type KnownNetwork, keepNetwork, knownNetworks} from '../identity/known-networks.ts';
import {isSigned, type Membership, readMembership} from '../identity/membership.ts';
import {remotePeerId} from './remote-id.ts';
import type {SecureClient, Target} from './secure-client.ts';

/** What {@link Memberships} is made of. */
export type MembershipsOptions = {
	/** The data folder, where memberships are kept. */
	folder: string;
	/** Our own peer ID, and what we are called. */
	id: string;
	name: string | undefined;
	/** HOST:PORT of the servers of this run; memberships of other networks are not shown to anybody. */
	servers: string[];
	invites: InviteLink[];
};

type Active = KnownNetwork & Pick<Membership, 'issued' | 'expires'>;
/** What a connection has shown: good until then, by our clock. */
type Shown = {text: string; peer: string; issued: number; until: number};

/** The memberships of one process. */
export class Memberships {
	readonly #options: MembershipsOptions;
	readonly #invites: Map<string, InviteLink>;
	/** By server ID. */
	readonly #active = new Map<string, Active>();
	readonly #open = new Set<string>();
	/** Addresses where one of the networks that were joined may be met, until it is known what is there. */
	readonly #unknown = new Set<string>();
	/** Peers that were shut out, and when (by the server's clock): what was signed before that counts no more. */
	readonly #removed = new Map<string, number>();
	readonly #shown = new WeakMap<Duplex, Shown>();
	readonly #listeners = new Set<() => void>();
	#header: string | undefined;

	/** @throws P2pError bad-database */
	constructor(options: MembershipsOptions) {
		this.#options = options;
		this.#invites = new Map(options.invites.map(invite => [formatAddress(invite), invite]));
		const known = knownNetworks(options.folder);
		for (const network of known) if (options.servers.includes(network.address)) this.#activate(network);
		// A server that has moved is no reason to be open to everybody until it is found.
		if (known.length > 0)
			for (const address of options.servers)
				if (!known.some(network => network.address === address)) this.#unknown.add(address);
	}

	/** Whether only members may be answered. */
	get isPrivate(): boolean {
		return this.#active.size > 0 || this.#invites.size > 0 || this.#unknown.size > 0;
	}

	/** The private networks of this run, with the key that their members share. */
	get networks(): KnownNetwork[] {
		return [...this.#active.values()];
	}

	/** What the header `P2P-Membership` shows to other members; undefined outside of private networks. */
	current(): string | undefined {
		return this.#header;
	}

	/** Called when {@link current} changes; returns the stop. */
	onChange(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/**
	 * Whether a server that was met is the one that the invite names.
	 *
	 * @throws P2pError identity-changed with both fingerprints
	 */
	checkServer(address: string, id: string): void {
		const invite = this.#invites.get(address);
		if (!invite || invite.fingerprint === fingerprintOf(id)) return;
		throw new P2pError(
			'identity-changed',
			`The server at ${address} has not the key that the invite names: wanted ${invite.fingerprint}, got ${fingerprintOf(id)}`,
			{
				hint: 'Ask for a new invite if the server was set up anew; if not, somebody may be in between',
				details: {address, wanted: invite.fingerprint, now: fingerprintOf(id)},
			},
		);
	}

	/**
	 * Sees to it that there is a fresh membership of the network of a server, where that is private: joins by the invite,
	 * renews at half-life.
	 *
	 * @throws P2pError not-a-member, bad-invite; refused when it is open and another network is private
	 */
	async ensure(target: Target, client: SecureClient, signal?: AbortSignal): Promise<void> {
		const address = formatAddress(target);
		const invite = this.#invites.get(address);
		const active = this.#active.get(target.id);
		if (!invite && active && !isHalfOver(active)) return;
		let grant: MembershipResponse;
		try {
			grant = await client.json(target, {
				method: 'PUT',
				path: '/v1/membership',
				body: {invite: invite?.code, name: this.#options.name},
				schema: membershipResponseSchema,
				signal,
			});
		} catch (error) {
			if (error instanceof P2pError && error.code === 'not-found') return this.#isOpen(target, address);
			throw error;
		}
		await this.#granted(target, address, grant);
		this.#invites.delete(address);
		this.#unknown.delete(address);
		if (this.#open.size > 0) throw this.#mixed(address, [...this.#open][0]!);
	}

	/** Whether a call on a connection comes from a member. `header`: what it shows; once on a connection is enough. */
	admits(socket: Duplex, header: string | undefined): boolean {
		const peer = remotePeerId(socket);
		if (!peer) return false;
		let shown = this.#shown.get(socket);
		if (header !== undefined && header !== shown?.text) {
			shown = this.#check(peer, header);
			if (!shown) return false;
			this.#shown.set(socket, shown);
		}
		return shown !== undefined && Date.now() < shown.until && !this.#isRemoved(shown);
	}

	/** A peer was shut out, at that time by the server's clock (Unix milliseconds). */
	remove(peer: string, at: number): void {
		this.#removed.set(peer, Math.max(at, this.#removed.get(peer) ?? 0));
	}

	/** Whether a peer was shut out while this process ran. A source that was is asked no more. */
	wasRemoved(peer: string): boolean {
		return this.#removed.has(peer);
	}

	#check(peer: string, header: string): Shown | undefined {
		const texts = header.split(',', limits.membershipsShown + 1);
		if (texts.length > limits.membershipsShown) return undefined;
		for (const part of texts) {
			const text = part.trim();
			const claim = readMembership(text);
			const network = claim && this.#active.get(claim.server);
			if (!claim || !network || claim.peer !== peer) continue;
			const skew = limits.membershipSkew * 1000;
			const now = Date.now() + network.clock;
			if (claim.issued > now + skew || claim.expires + skew <= now || !isSigned(text)) continue;
			return {text: header, peer, issued: claim.issued, until: claim.expires + skew - network.clock};
		}
		return undefined;
	}

	#isRemoved({peer, issued}: Shown): boolean {
		return issued <= (this.#removed.get(peer) ?? -1);
	}

	#isOpen({id}: Target, address: string): void {
		if (this.#active.has(id) || this.#invites.has(address)) {
			throw new P2pError(
				'refused',
				`The network at ${address} is not private any more: everybody may look and download`,
				{
					hint: `To stay in it all the same, run p2p-tui leave ${address} and start again with --server ${address}`,
				},
			);
		}
		const [other] = this.#active.values();
		if (other) throw this.#mixed(other.address, address);
		this.#open.add(address);
		this.#unknown.delete(address);
	}

	#mixed(closed: string, open: string): P2pError {
		return new P2pError('refused', `The network at ${closed} is private and the one at ${open} is open`, {
			hint: 'What is shared in one would show in the other: run a peer for each, with a --data-dir of its own',
		});
	}

	async #granted(target: Target, address: string, grant: MembershipResponse): Promise<void> {
		const claim = readMembership(grant.membership);
		if (claim?.server !== target.id || claim.peer !== this.#options.id || !isSigned(grant.membership))
			throw new P2pError('bad-request', `${address} gave a membership that is not for this peer`);
		const clock = claim.issued - Date.now();
		const network = {server: target.id, address, ...grant, clock};
		this.#activate(network);
		await keepNetwork(this.#options.folder, network);
	}

	#activate(network: KnownNetwork): void {
		const claim = readMembership(network.membership);
		if (!claim || claim.server !== network.server) return;
		this.#active.set(network.server, {...network, issued: claim.issued, expires: claim.expires});
		const header = [...this.#active.values()].map(({membership}) => membership).join(', ');
		if (header === this.#header) return;
		this.#header = header;
		for (const listener of this.#listeners) listener();
	}
}

function isHalfOver({issued, expires, clock}: Active): boolean {
	return Date.now() + clock >= (issued + expires) / 2;
}
