// A peer's side of an index server: questions for anyone, and staying registered for those who share.
import {setTimeout as sleep} from 'node:timers/promises';
import {limits} from '../api/limits.ts';
import type {PartialContent, PeerInfo, ServerEvents} from '../api/schemas.ts';
import {defaultPorts, formatAddress, parseAddress} from '../core/address.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import type {EngineBus, PeerEvent} from '../core/events.ts';
import type {Identity} from '../identity/identity.ts';
import type {KnownServers} from '../identity/known-servers.ts';
import type {Memberships} from '../net/memberships.ts';
import {probe, type SecureClient, type Target} from '../net/secure-client.ts';
import {createCalls, type IndexCalls} from './client/calls.ts';
import {
	type Announcement,
	type CatalogLog,
	type ClientTiming,
	clientTiming,
	type ServerLinkState,
} from './client/link.ts';
import {PeerList} from './client/peer-list.ts';
import {reachableOnly} from './client/reachable-only.ts';
import {Session} from './client/session.ts';

export type {Announcement, CatalogLog, ServerLinkState} from './client/link.ts';

/** What a client of an index server needs. Without `catalog` and `announce` it only asks and listens. */
export type IndexClientOptions = {
	identity: Identity;
	client: SecureClient;
	/** HOST:PORT, HOST or 0. */
	address: string;
	knownServers: KnownServers;
	bus: EngineBus;
	catalog?: CatalogLog;
	announce?: Announcement;
	/** This peer's place in private networks. */
	memberships?: Memberships;
	/** Told of a peer that is no member any more. */
	removed?(peer: string): void;
	timing?: Partial<ClientTiming>;
};

/** One index server as a peer sees it. Tells `registered`, `peer-joined`, `peer-left`, `server-lost`, `server-back` on the bus. */
export type IndexClient = IndexCalls & {
	/** HOST:PORT. */
	readonly address: string;
	/** Connects and stays registered, again and again until {@link stop}. */
	start(): void;
	/** Goes offline; number and files stay at the server. */
	stop(): Promise<void>;
	/** The catalog has changes: they reach the server within about 0.3 s, many at once. */
	catalogChanged(): void;
	/**
	 * Tells which contents this peer holds parts of (at most limits.partialsPerPeer; the first ones count). Each call
	 * replaces the one before; it is told again after a reconnect.
	 */
	setPartials(contents: PartialContent[]): void;
	/** How it stands. */
	link(): ServerLinkState;
	/** Everyone registered there, as of now; empty until connected. */
	livePeers(): PeerInfo[];
	/** Called after each change of link() or livePeers(); returns the stop. */
	onChange(listener: () => void): () => void;
};

/** Who answers so is asked again more and more seldom, and the screen says refused. */
const refusals = new Set<string>(['identity-changed', 'wrong-peer', 'refused', 'not-a-member', 'bad-invite']);

/** A client of the index server at an address; nothing is sent before the first call or start(). */
export function createIndexClient(options: IndexClientOptions): IndexClient {
	const {identity, client, knownServers, bus, catalog, announce, memberships} = options;
	const timing = {...clientTiming, ...options.timing};
	const where = parseAddress(options.address, defaultPorts.server);
	const address = formatAddress(where);
	const listeners = new Set<() => void>();
	const changed = () => {
		for (const listener of listeners) listener();
	};
	let link: ServerLinkState = {address, state: 'connecting'};
	let partials: PartialContent[] = [];
	const told: {problem?: string} = {};
	let target: Promise<Target> | undefined;
	/** Where the server's name led to when it was reached last. */
	let serverHost = where.host;
	let session: Session | undefined;
	let running: {stop: AbortController; done: Promise<void>} | undefined;

	/** Who listens at the address, checked against the pinned key; asked once, and again after a failure. */
	const reach = (signal?: AbortSignal): Promise<Target> => {
		if (target) return target;
		const reached = (async () => {
			const {id, host} = await probe(identity, where, signal);
			memberships?.checkServer(address, id);
			await knownServers.check(address, id);
			serverHost = host;
			const found = {...where, id};
			await memberships?.ensure(found, client, signal);
			return found;
		})();
		target = reached;
		reached.catch(() => {
			if (target === reached) target = undefined;
		});
		return reached;
	};
	const calls = createCalls(
		client,
		reach,
		error => {
			if (error instanceof P2pError && ['unreachable', 'wrong-peer'].includes(error.code)) target = undefined;
		},
		() => serverHost,
	);
	const peers = new PeerList(cursor => calls.peers({cursor}), changed);

	const setLink = (next: Omit<ServerLinkState, 'address'>) => {
		const before = JSON.stringify(link);
		link = {address, ...next};
		if (JSON.stringify(link) !== before) changed();
	};

	const onEvent = <K extends keyof ServerEvents>(name: K, data: ServerEvents[K]) => {
		if (name === 'hello' || name === 'counts') return;
		if (name === 'member-removed') {
			const {id, at} = data as ServerEvents['member-removed'];
			memberships?.remove(id, at);
			options.removed?.(id);
			return;
		}
		const told = data as PeerInfo;
		const [peer] = name === 'peer-left' ? [told] : reachableOnly([told], serverHost);
		if (!peer) return;
		const news = peers.take(name as 'peer-joined' | 'peer-left' | 'peer-updated', peer);
		if (!news || peer.id === identity.id || name === 'peer-updated') return;
		bus.emit(name as 'peer-joined' | 'peer-left', peerEvent(peer));
	};

	/** One stay; returns whether it ever was online. */
	const stay = async (signal: AbortSignal, lostBefore: boolean): Promise<{wasOnline: boolean; error: unknown}> => {
		let wasOnline = false;
		try {
			session = new Session({
				client,
				target: await reach(signal),
				timing,
				catalog,
				announce,
				partials: () => partials,
				renewMembership: async at => memberships?.ensure(at, client, signal),
				told,
				signal,
				online({number, rtt}) {
					if (!wasOnline && lostBefore) bus.emit('server-back', {server: address});
					if (!wasOnline) void peers.refresh();
					wasOnline = true;
					setLink({state: 'online', number, rtt: Math.round(rtt * 10) / 10});
				},
				published: state => bus.emit('registered', {server: address, ...state}),
				event: onEvent,
				warn: message => bus.emit('log', {level: 'warn', message}),
			});
			return await session.run();
		} catch (error) {
			return {wasOnline, error};
		} finally {
			session = undefined;
			target = undefined;
		}
	};

	const keepConnected = async (signal: AbortSignal) => {
		let pause = timing.retryFirst;
		let lost = false;
		while (!signal.aborted) {
			const {wasOnline, error} = await stay(signal, lost);
			if (signal.aborted) return;
			const message = errorLine(error);
			if (wasOnline) pause = timing.retryFirst;
			if (wasOnline || !lost) bus.emit('server-lost', {server: address, message});
			lost = true;
			const refused = error instanceof P2pError && refusals.has(error.code);
			setLink({state: refused ? 'refused' : 'lost', number: link.number, message});
			await sleep(pause * (0.5 + Math.random() / 2), undefined, {signal}).catch(() => undefined);
			pause = Math.min(timing.retryMost, pause * 2);
		}
	};

	return {
		...calls,
		address,
		start() {
			if (running) return;
			const stop = new AbortController();
			running = {stop, done: keepConnected(stop.signal)};
		},
		async stop() {
			running?.stop.abort(new P2pError('cancelled', 'Stopped'));
			await running?.done;
			running = undefined;
		},
		catalogChanged: () => session?.catalogChanged(),
		setPartials(contents) {
			partials = contents.slice(0, limits.partialsPerPeer);
			session?.partialsChanged();
		},
		link: () => link,
		livePeers: () => peers.all(),
		onChange(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}

function peerEvent(peer: PeerInfo): PeerEvent {
	return {id: peer.id, number: peer.number, name: peer.name, address: formatAddress(peer), files: peer.files};
}
