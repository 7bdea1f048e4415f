import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import type {PeerInfo, Source} from '../api/schemas.ts';
import type {PeerOptions} from '../config/options.ts';
import {rememberServers} from '../config/remembered.ts';
import {defaultPorts} from '../core/address.ts';
import {diskError} from '../core/errors.ts';
import {EngineBus} from '../core/events.ts';
import {protectFolder} from '../core/private-folder.ts';
import {topName} from '../core/share-path.ts';
import {version} from '../core/version.ts';
import type {Dht} from '../dht/dht.ts';
import {createDownloadManager} from '../download/manager.ts';
import {loadIdentity} from '../identity/identity.ts';
import {openKnownServers} from '../identity/known-servers.ts';
import {createIndexClient} from '../index/client.ts';
import {Memberships} from '../net/memberships.ts';
import {ownAddresses} from '../net/own-addresses.ts';
import {SecureClient} from '../net/secure-client.ts';
import {createHashPool} from '../share/hash-pool.ts';
import {createShares} from '../share/shares.ts';
import {createUploadServer} from '../upload/upload-server.ts';
import {mergeRouters} from './directory.ts';
import {joinDhts, mayJoinDht, tableOf} from './join-dht.ts';
import {joinNetworks} from './join-networks.ts';
import {createLiveLog} from './live-log.ts';
import {writeLogFile} from './log-file.ts';
import type {PeerEngine} from './messages.ts';
import {servedCatalog} from './own-catalog.ts';
import {announcePartials, KnownContents} from './partial-sources.ts';
import {peerCommands} from './peer-commands.ts';
import {PeerPings} from './peer-pings.ts';
import {createPeerRules} from './peer-rules.ts';
import {watchPeer} from './peer-snapshots.ts';
import {ShareAudiences} from './share-audiences.ts';

/** A running peer: the handle for screens, the bus for headless mode. */
export type RunningPeer = {handle: PeerEngine; bus: EngineBus};

/**
 * Starts a peer: its file server, its shares, its downloads, and its place at the index servers.
 *
 * @param bus subscribed to before the start, so that no event is missed
 * @throws P2pError port-taken, bad-key, bad-database, not-writable, or what is wrong with a folder to share
 */
export async function createPeer(options: PeerOptions, bus: EngineBus = new EngineBus()): Promise<RunningPeer> {
	/** What has been started, in order; stopped in reverse. */
	const stops: Array<() => unknown> = [];
	const stopAll = async () => {
		for (const stop of stops.splice(0).toReversed()) await stop();
	};
	try {
		return await startPeer(options, bus, stops, stopAll);
	} catch (error) {
		await stopAll();
		throw error;
	}
}

async function startPeer(
	options: PeerOptions,
	bus: EngineBus,
	stops: Array<() => unknown>,
	stopAll: () => Promise<void>,
): Promise<RunningPeer> {
	const log = createLiveLog(bus);
	stops.push(() => log.stop());
	const identity = await loadIdentity(options.dataDir);
	stops.push(writeLogFile(options.dataDir, bus));
	await mkdir(options.downloads, {recursive: true}).catch(error => {
		throw diskError(error, `Cannot use the downloads folder ${options.downloads}`);
	});
	const memberships = new Memberships({
		...{folder: options.dataDir, id: identity.id, name: options.name},
		...{servers: options.servers, invites: options.invites ?? []},
	});
	const client = new SecureClient(identity, {membership: () => memberships.current()});
	stops.push(() => client.close());
	const knownServers = openKnownServers(options.dataDir);
	await joinNetworks(options.invites ?? [], {identity, client, knownServers, bus, memberships});
	const hashPool = createHashPool();
	stops.push(() => hashPool.close());
	const shares = createShares({dataDir: options.dataDir, bus, hashPool, folders: options.shares});
	stops.push(() => shares.stop());
	const catalog = shares.catalog;

	const isUsable = ({peer, online}: Source) => online && peer !== identity.id;
	const downloads = createDownloadManager({
		...{identity, bus, folder: options.downloads, prefix: options.prefix},
		...{running: options.running, limit: options.limitDown, membership: memberships},
		database: path.join(options.dataDir, 'downloads.db'),
		findSources: async (content, signal) => (await router.sources(content, signal)).sources.filter(isUsable),
		barred: peer => memberships.wasRemoved(peer),
		localCopies: content =>
			catalog.find(content).map(({file, size, path: shared}) => ({file, size, where: `your share ${topName(shared)}`})),
	});
	const rules = createPeerRules(options.dataDir, bus);
	const audiences = new ShareAudiences(rules, () => shares.list());
	const known = new KnownContents(content => router.sources(content));
	let dhts: Dht[] = [];
	const uploads = createUploadServer({
		table: () => tableOf(dhts),
		allow: rules.allow,
		admits: (socket, shown) => !memberships.isPrivate || memberships.admits(socket, shown),
		...{identity, name: options.name, version, bus, slots: options.slots, limit: options.limitUp},
		catalog: servedCatalog(
			catalog,
			audiences,
			file => shares.touch(file.file),
			content => (known.has(content) ? downloads.partial(content) : undefined),
		),
	});
	stops.push(() => uploads.stop());
	const address = await uploads.start({host: options.host, port: options.port, defaultPort: defaultPorts.peer});
	bus.emit('listening', {mode: 'peer', host: address.host, port: address.port, id: identity.id});
	if (address.movedFrom !== undefined) {
		bus.emit('log', {level: 'warn', message: `port ${address.movedFrom} is taken, so this is ${address.port}`});
	}

	const wildcard = address.host === '::' || address.host === '0.0.0.0';
	const announce = {
		...{name: options.name, port: address.port},
		...(!wildcard && {host: address.host}),
		// Looked up at each registration: a laptop changes networks.
		get addresses() {
			return ownAddresses(address);
		},
	};
	const announced = audiences.announced(catalog);
	const servers = options.servers.map(server =>
		createIndexClient({
			...{identity, client, address: server, knownServers, bus, announce, memberships},
			catalog: announced,
			removed: peer => uploads.disconnect(peer),
		}),
	);
	if (mayJoinDht(options.dht, memberships, bus)) {
		const host = {...options, identity, client, bus, catalog: announced, address, wildcard};
		dhts = await joinDhts(options.dht, memberships.networks, host);
		stops.push(() => Promise.all(dhts.map(dht => dht.stop())));
	}
	const routing = [...servers, ...dhts];
	const router = mergeRouters(routing);
	const livePeers = () => mergePeers(routing.map(part => part.livePeers()));

	await shares.start();
	stops.push(() => downloads.stop());
	await downloads.start();
	// What the databases have just made is for nobody else either.
	protectFolder(options.dataDir);

	const catalogChanged = () => {
		for (const part of routing) part.catalogChanged();
	};
	shares.onChange(catalogChanged);
	stops.push(rules.onChange(catalogChanged));
	bus.on('peer-joined', () => downloads.sourcesChanged());
	bus.on('server-back', () => downloads.sourcesChanged());
	// Once is enough: a busy share registers its changes several times a second.
	const offRegistered = bus.on('registered', () => {
		offRegistered();
		void rememberServers(options.dataDir, options.servers).catch(() => undefined);
	});
	for (const server of servers) server.start();
	stops.push(announcePartials(downloads, known, routing));
	stops.push(() => Promise.all(servers.map(server => server.stop())));

	const pings = new PeerPings(client);
	const ended = Promise.withResolvers<void>();
	let stopping: Promise<void> | undefined;
	const screen = watchPeer({
		options,
		identity,
		address,
		bus,
		servers: routing,
		livePeers,
		shares,
		uploads,
		downloads,
		pings,
		audiences,
		log,
	});
	stops.push(() => screen.stop());
	const handle: PeerEngine = {
		snapshot: screen.snapshot,
		subscribe: screen.subscribe,
		commands: peerCommands({
			...{identity, bus, client, router, livePeers, shares, rules, downloads, uploads, pings},
			windows: screen.windows,
		}),
		stop: () => (stopping ??= stopAll().then(ended.resolve, ended.reject)),
		ended: ended.promise,
	};
	return {handle, bus};
}

/** Each peer once, as the server says that sees it online. */
function mergePeers(lists: PeerInfo[][]): PeerInfo[] {
	if (lists.length === 1) return lists[0]!;
	const byId = new Map<string, PeerInfo>();
	for (const peer of lists.flat()) if (!byId.get(peer.id)?.online) byId.set(peer.id, peer);
	return [...byId.values()];
}
