import path from 'node:path';
import {monitorEventLoopDelay} from 'node:perf_hooks';
import type {Counts, PeersResponse} from '../api/schemas.ts';
import type {ServerOptions} from '../config/options.ts';
import {defaultPorts} from '../core/address.ts';
import {EngineBus, type LogLevel} from '../core/events.ts';
import {protectFolder} from '../core/private-folder.ts';
import {version} from '../core/version.ts';
import type {Dht} from '../dht/dht.ts';
import {type Identity, loadIdentity} from '../identity/identity.ts';
import {PrivateNetwork} from '../index/private-network.ts';
import {createIndexApp} from '../index/server.ts';
import {SqliteStore} from '../index/sqlite/sqlite-store.ts';
import type {IndexStore} from '../index/store.ts';
import {type Announcer, announceServer} from '../net/announce.ts';
import {SecureClient} from '../net/secure-client.ts';
import {exportPeers} from './export-peers.ts';
import {joinDht} from './join-dht.ts';
import {writeLogFile} from './log-file.ts';
import type {ServerEngine, ServerSnapshot} from './messages.ts';
import {openMembers} from './open-members.ts';
import {RateMeter} from './rate-meter.ts';
import {RequestStats} from './request-stats.ts';
import {createSnapshotSource} from './snapshot-source.ts';

const minuteMs = 60_000;
/** Milliseconds of the timer that measures the event loop, which are part of what it reads. */
const loopResolution = 10;
/** Milliseconds between two readings of the store for a screen that is looking. */
const readEvery = 500;

/** A running index server: the handle for screens, the bus for headless mode. */
export type RunningServer = {handle: ServerEngine; bus: EngineBus};

/**
 * Starts an index server.
 *
 * @param bus subscribed to before the start, so that no event is missed
 * @throws P2pError port-taken, bad-key, bad-database, not-writable
 */
export async function createIndexServer(
	options: ServerOptions,
	bus: EngineBus = new EngineBus(),
): Promise<RunningServer> {
	const identity = await loadIdentity(options.dataDir);
	const closeLog = writeLogFile(options.dataDir, bus);
	const members = await openMembers(options, bus);
	const store = await createStore(options, {identity, isPrivate: members !== undefined}, bus);
	const network =
		members && new PrivateNetwork({identity, name: options.name, members, spendInvite: store.cluster?.spendInvite});
	let dht: Dht | undefined;
	const table = () => dht && ((peer: string, from: string, body: Buffer) => dht!.take(peer, from, body));
	const {name, retentionDays} = options;
	const app = createIndexApp({identity, store, name, version, bus, network, table, retentionDays});
	let announcer: Announcer | undefined;
	const client = new SecureClient(identity);
	const stopParts = async () => {
		await dht?.stop();
		client.close();
		await announcer?.stop();
		await app.stop();
		await store.close();
		members?.close();
		closeLog();
	};
	let address: Awaited<ReturnType<typeof app.start>>;
	try {
		await store.open();
		// What the database has just made is for nobody else either.
		protectFolder(options.dataDir);
		address = await app.start({host: options.host, port: options.port, defaultPort: defaultPorts.server});
	} catch (error) {
		await stopParts();
		throw error;
	}
	store.cluster?.announce({host: address.host, port: address.port, name: options.name});
	if (store.notice) bus.emit('log', {level: 'warn', message: store.notice});
	bus.emit('listening', {
		mode: 'server',
		host: address.host,
		port: address.port,
		id: identity.id,
		...(members && {private: true}),
	});
	if (address.movedFrom !== undefined) {
		bus.emit('log', {level: 'warn', message: `port ${address.movedFrom} is taken, so this is ${address.port}`});
	}
	members?.setAddress(address);
	if (options.announce !== false) {
		announcer = announceServer(
			{
				id: identity.id,
				name: options.name,
				version,
				private: members !== undefined,
				host: address.host,
				port: address.port,
			},
			message => bus.emit('log', {level: 'debug', message}),
		);
	}

	if (options.dht) {
		const networkKey = members?.networkKey;
		try {
			dht = await joinDht(options.dht, {
				...{identity, client, bus, dataDir: options.dataDir, host: options.host, name: options.name, address},
				networkKey,
			});
		} catch (error) {
			await stopParts();
			throw error;
		}
	}

	const startedAt = Date.now();
	const stats = new RequestStats();
	const [bytesIn, bytesOut] = [new RateMeter(), new RateMeter()];
	const loop = monitorEventLoopDelay({resolution: loopResolution});
	loop.enable();
	/** The event loop's p99 delay of each second, in milliseconds. */
	let delays: number[] = [];
	let joins: number[] = [];
	let counts: Counts = {peers: 0, online: 0, files: 0, bytes: 0};
	let peers: PeersResponse = {peers: [], total: 0, online: 0};
	let visible = {offset: 0, rows: 100};

	const build = (): ServerSnapshot => ({
		...{mode: 'server', id: identity.id, name: options.name, host: address.host, port: address.port, startedAt},
		...(members && {private: true}),
		counts: {...counts, joinedLastMinute: joins.length},
		...stats.read(),
		traffic: {in: bytesIn.rate().now, out: bytesOut.rate().now},
		loopDelay: Math.max(0, ...delays),
		peers: {
			offset: visible.offset,
			total: peers.total,
			online: peers.online,
			rows: peers.peers.map(peer => ({...peer, self: false})),
		},
		...(store.cluster && {cluster: {state: store.cluster.state(), servers: store.cluster.servers()}}),
	});
	const source = createSnapshotSource(build, {interval: 150});
	const offs = [
		bus.on('request', event => {
			stats.add(event, Date.now());
			source.touch();
		}),
		bus.on('peer-joined', () => joins.push(Date.now())),
	];

	let reading = false;
	const read = async () => {
		if (reading) return;
		reading = true;
		try {
			[counts, peers] = await Promise.all([store.counts(), visiblePeers(store, visible)]);
			source.touch();
		} finally {
			reading = false;
		}
	};
	let watched = 0;
	const readTimer = setInterval(() => {
		if (watched > 0) void read().catch(error => bus.emit('log', {level: 'error', message: `index: ${error}`}));
	}, readEvery);
	const secondTimer = setInterval(() => {
		stats.tick();
		const now = Date.now();
		joins = joins.filter(time => now - time < minuteMs);
		const traffic = app.stats();
		bytesIn.sample(traffic.bytesIn, now);
		bytesOut.sample(traffic.bytesOut, now);
		delays = [...delays, Math.max(0, loop.percentile(99) / 1e6 - loopResolution)].slice(-60);
		loop.reset();
		source.touch();
	}, 1000);
	readTimer.unref();
	secondTimer.unref();

	const ended = Promise.withResolvers<void>();
	let stopping: Promise<void> | undefined;
	const stop = async () => {
		clearInterval(readTimer);
		clearInterval(secondTimer);
		source.stop();
		loop.disable();
		for (const off of offs) off();
		await stopParts();
		ended.resolve();
	};
	const handle: ServerEngine = {
		snapshot: source.snapshot,
		subscribe(listener) {
			watched++;
			void read().catch(() => undefined);
			const off = source.subscribe(listener);
			return () => {
				watched--;
				off();
			};
		},
		commands: {
			async kick({peer}) {
				await app.kick(peer);
				await read();
			},
			export: () => exportPeers(store, options.dataDir, Date.now()),
			async windows({peers: window}) {
				if (window) visible = window;
				await read();
			},
		},
		stop: () => (stopping ??= stop()),
		ended: ended.promise,
	};
	return {handle, bus};
}

/** The index where the options say; what a cluster needs is loaded for a server that uses one only. */
async function createStore(
	{store, dataDir, private: asked, maxFilesPerPeer: filesPerPeer}: ServerOptions,
	{identity, isPrivate}: {identity: Identity; isPrivate: boolean},
	bus: EngineBus,
): Promise<IndexStore> {
	if (store === undefined) return new SqliteStore(path.join(dataDir, 'index.db'), {filesPerPeer});
	const {RedisStore} = await import('../index/redis/redis-store.ts');
	const log = (level: LogLevel, message: string) => bus.emit('log', {level, message});
	const change = asked !== undefined;
	return new RedisStore({url: store, dataDir, identity, log, private: isPrivate, change, filesPerPeer});
}

/** The rows of the list of peers that a screen shows, found by walking the pages before them. */
async function visiblePeers(store: IndexStore, {offset, rows}: {offset: number; rows: number}): Promise<PeersResponse> {
	let page = await store.listPeers({limit: offset + rows});
	const peers = page.peers;
	while (page.cursor !== undefined && peers.length < offset + rows) {
		page = await store.listPeers({limit: offset + rows - peers.length, cursor: page.cursor});
		peers.push(...page.peers);
	}
	return {...page, peers: peers.slice(offset, offset + rows)};
}
