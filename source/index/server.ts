// The index server: DESIGN section 5's routes over TLS, on top of any IndexStore. Files' bytes never pass here.
import type {IncomingMessage} from 'node:http';
import type {TLSSocket} from 'node:tls';
import fastify, {type FastifyInstance, type FastifyReply, type FastifyRequest} from 'fastify';
import {limits} from '../api/limits.ts';
import type {PeerInfo} from '../api/schemas.ts';
import {type Address, formatAddress} from '../core/address.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';
import type {Identity} from '../identity/identity.ts';
import {answerClientError, answerErrors, httpError} from '../net/http-errors.ts';
import {type ListenOptions, listen} from '../net/listen.ts';
import {QuietLog} from '../net/quiet-log.ts';
import {remotePeerId} from '../net/remote-id.ts';
import {keepRequestsAhead} from '../net/requests-ahead.ts';
import {limitBodies, limitHalfOpen} from '../net/slow-callers.ts';
import {type TakeTable, tableRoute} from '../net/table-route.ts';
import {tlsServerOptions} from '../net/tls-options.ts';
import {type IndexContext, type Story, storyOf} from './context.ts';
import {EventHub} from './event-hub.ts';
import {defaultRateLimits, guard, type RateLimits} from './guard.ts';
import {Metrics} from './metrics.ts';
import {Partials} from './partials.ts';
import {Presence} from './presence.ts';
import {guardPrivate, type PrivateNetwork, type Removed} from './private-network.ts';
import {quickSearch} from './quick-search.ts';
import {Reachability, type Reached} from './reachability.ts';
import {catalogRoutes} from './routes/catalog.ts';
import {eventRoutes} from './routes/events.ts';
import {membershipRoutes} from './routes/membership.ts';
import {operatorRoutes} from './routes/operator.ts';
import {peerRoutes} from './routes/peers.ts';
import {replicaRoutes} from './routes/replica.ts';
import {searchRoutes} from './routes/search.ts';
import {Searches} from './searches.ts';
import type {IndexStore} from './store.ts';
import {TrafficCounter} from './traffic.ts';

/** What an index server is made of. The store must be open; it stays the caller's to close. */
export type IndexAppOptions = {
	identity: Identity;
	store: IndexStore;
	/** What `GET /v1` calls it. */
	name: string;
	version: string;
	bus: EngineBus;
	/** Seconds that a registration stands. Default: limits.leaseSeconds */
	leaseSeconds?: number;
	/** Milliseconds that a lost peer has to come back before others are told. Default: 500 */
	grace?: number;
	/** Milliseconds for the body of a call, catalogs aside, to come in. Default: limits.requestBody */
	bodyPatience?: number;
	/** How much one caller may ask for. Default: see guard.ts */
	rates?: RateLimits;
	/** Members only; undefined: everybody may. */
	network?: PrivateNetwork;
	/** Takes in what others publish in the table without a server, where this server is a node of it. */
	table?: () => TakeTable | undefined;
	/** Days after which a peer that is not seen is forgotten. Default: 30 */
	retentionDays?: number;
	/** Milliseconds between two looks for such peers. Default: an hour */
	forgetEvery?: number;
};

/** Since the start. */
export type IndexAppStats = {requests: number; errors: number; bytesIn: number; bytesOut: number; connections: number};

/** A running index server. Tells `peer-joined`, `peer-left`, `request` and `log` on the bus. */
export type IndexApp = {
	/** Starts listening; see net/listen.ts for the address and the errors. */
	start(where: ListenOptions): Promise<Address & {movedFrom?: number}>;
	/** Takes no more calls, ends the event streams, lets running calls finish for up to 5 s. */
	stop(): Promise<void>;
	stats(): IndexAppStats;
	/** Ends a peer's registration and its connection, as if it had left. It may register again. */
	kick(id: string): Promise<void>;
};

/** Milliseconds that running calls have to finish at a stop. */
const stopPatience = 5000;
const dayMs = 24 * 3600 * 1000;

/** An index server over a store; it listens once started. */
export function createIndexApp(options: IndexAppOptions): IndexApp {
	const {identity, store, name, version, bus, leaseSeconds = limits.leaseSeconds} = options;
	const {retentionDays = 30, forgetEvery = 3600 * 1000} = options;
	const log = (error: unknown) => bus.emit('log', {level: 'error', message: `index: ${errorLine(error)}`});
	const quiet = new QuietLog(bus);
	const hub = new EventHub();
	const metrics = new Metrics();
	const partials = new Partials();
	const reachability = new Reachability(identity, (id, reached) => void takeAddress(id, reached).catch(log));
	const presence = new Presence({
		lease: leaseSeconds * 1000,
		grace: options.grace ?? 500,
		setOnline(id, online) {
			if (!online) partials.drop(id);
			return store.setOnline(id, online);
		},
		// A peer that is at another server of the same cluster as well has not gone.
		changed: (id, online) => void store.getPeer(id).then(peer => peer.online === online && announce(peer, online), log),
		failed: log,
	});
	const context: IndexContext = {
		identity,
		store,
		searches: new Searches(store),
		bus,
		presence,
		partials,
		reachability,
		announce,
		hub,
		metrics,
		network: options.network,
		name,
		version,
		leaseSeconds,
		admit: (id, address) => admit(id, address),
	};
	const stats = {requests: 0, errors: 0};

	const app: FastifyInstance = fastify({
		https: tlsServerOptions(identity),
		bodyLimit: limits.jsonBody,
		// A connection on which nothing moves; event streams have their pings.
		connectionTimeout: 4 * limits.bodyTimeout,
		keepAliveTimeout: limits.keepAlive,
		forceCloseConnections: 'idle',
		routerOptions: {maxParamLength: 256},
		logger: false,
		clientErrorHandler: answerClientError,
		// What the router refuses, before the hooks: a stranger is told the same as always.
		frameworkErrors: (error, request, reply) => {
			const {status, body} = httpError(options.network?.refusal((request as FastifyRequest).raw) ?? error);
			(reply as FastifyReply).code(status).send(body);
		},
	}) as unknown as FastifyInstance;
	app.server.headersTimeout = limits.requestHeaders;
	app.server.requestTimeout = limits.indexRequest;
	app.server.maxConnections = limits.connections;
	keepRequestsAhead(app.server);
	const traffic = new TrafficCounter(app.server);

	const onBug = (error: unknown) => bus.emit('log', {level: 'error', message: `index: ${stackOf(error)}`});
	answerErrors(app, onBug);
	// With callbacks: a promise for each of these and each call is a tenth of what a search costs this thread.
	app.addHook('onError', (request, _reply, error, done) => {
		storyOf(request).result = httpError(error).body.code;
		done();
	});
	app.addHook('onRequest', (request, _reply, done) => {
		storyOf(request);
		done();
	});
	if (store.cluster)
		app.addHook('onRequest', (_request, reply, done) => {
			const state = store.cluster?.state() ?? 'whole';
			if (state !== 'whole') reply.header('p2p-index', state);
			done();
		});
	const {admitFrom, take} = guard(app, options.rates ?? defaultRateLimits, quiet);
	limitHalfOpen(app.server as never, quiet);
	limitBodies(app, quiet, options.bodyPatience);
	app.server.on('drop', () => quiet.tell('connections', `index: all ${limits.connections} connections are taken`));
	if (options.network) guardPrivate(app, options.network);
	app.addHook('onSend', (request, reply, payload, done) => {
		record(storyOf(request), reply.statusCode, request.raw);
		done(null, payload);
	});
	for (const routes of [
		peerRoutes,
		catalogRoutes,
		searchRoutes,
		eventRoutes,
		membershipRoutes,
		operatorRoutes,
		replicaRoutes,
	])
		routes(app, context);
	tableRoute(app, options.table ?? (() => undefined));
	let stopping = false;
	quickSearch(app.server, {
		searches: context.searches,
		isOpen: request =>
			!stopping && (store.cluster?.state() ?? 'whole') === 'whole' && options.network?.refusal(request) === undefined,
		...{take, record, onBug},
	});

	/** @throws P2pError busy for a new peer too many */
	async function admit(id: string, address: string): Promise<void> {
		if (await store.getPeer(id).catch(() => undefined)) return;
		admitFrom(address);
		if ((await store.counts()).peers < limits.peersPerServer) return;
		quiet.tell('peers', `index: ${limits.peersPerServer} peers are registered; new ones are put off`);
		throw new P2pError('busy', 'This server takes no more peers', {details: {retryAfter: 3600}});
	}

	function record({verb, argument, result, started}: Story, status: number, {socket, url = ''}: IncomingMessage): void {
		const ms = performance.now() - started;
		// A search that was overtaken while one typed is no failure of anybody.
		const ok = status < 400 || result === 'cancelled';
		stats.requests++;
		if (!ok) stats.errors++;
		metrics.observe(verb, status, ms / 1000);
		const peer = remotePeerId(socket) ?? 'guest';
		bus.emit('request', {verb, peer, argument: argument || pathOf(url), result, ok, ms});
	}

	function announce(peer: PeerInfo, online: boolean): void {
		const {id, number, name, files} = peer;
		const event = online ? 'peer-joined' : 'peer-left';
		bus.emit(event, {id, number, name, address: formatAddress(peer), files});
		hub.tellPeer(event, peer);
	}

	/** Names the address at which a peer was reached, where that is another than the server saw. */
	async function takeAddress(id: string, {address, problem}: Reached): Promise<void> {
		const peer = await store.getPeer(id).catch(() => undefined);
		if (!peer) return;
		if (problem) quiet.tell(`reach ${id}`, `peer ${peer.number} (${peer.name}): ${problem}`, 'info');
		if (!address || (peer.host === address.host && peer.port === address.port)) return;
		await store.register({id, name: peer.name, ...address, addresses: peer.addresses});
		if (peer.online) hub.tellPeer('peer-updated', {...peer, ...address});
	}

	const sockets = new Set<TLSSocket>();
	app.server.on('secureConnection', (socket: TLSSocket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
	});

	/** Ends all that a peer has here: its connections, its registration, its files. */
	async function forgetPeer(id: string): Promise<void> {
		const peer = await store.getPeer(id).catch(() => undefined);
		await presence.drop(id);
		await store.leave(id);
		if (peer) announce({...peer, online: false}, false);
		hub.tellCounts(await store.counts());
	}

	async function shutOut({id, at}: Removed): Promise<void> {
		for (const socket of sockets) if (remotePeerId(socket) === id) socket.destroy();
		bus.emit('log', {level: 'info', message: `${id.slice(0, 8)} is no member any more`});
		await forgetPeer(id);
		hub.tellRemoved({id, at});
	}
	const stopNews = [
		store.cluster?.news.on('peer-joined', peer => announce(peer, true)),
		store.cluster?.news.on('peer-left', peer => announce(peer, false)),
		store.cluster?.news.on('peer-updated', peer => hub.tellPeer('peer-updated', peer)),
	];

	let told = '';
	const tellCounts = async () => {
		if (hub.size === 0) return;
		const counts = await store.counts();
		const text = JSON.stringify(counts);
		if (text !== told) hub.tellCounts(counts);
		told = text;
	};
	const timers: NodeJS.Timeout[] = [];
	const every = (ms: number, work: () => Promise<unknown>) =>
		timers.push(setInterval(() => void work().catch(log), ms).unref());

	return {
		async start(where) {
			// Those removed while this server did not run.
			for (const id of options.network?.removedEver() ?? []) await store.leave(id);
			const address = await listen(app as never, where);
			options.network?.start(member => void shutOut(member).catch(log));
			every(1000, tellCounts);
			every(forgetEvery, () => store.forget(Date.now() - retentionDays * dayMs));
			return address;
		},
		async stop() {
			stopping = true;
			for (const timer of timers) clearInterval(timer);
			options.network?.stop();
			for (const stop of stopNews) stop?.();
			hub.close();
			reachability.close();
			const force = setTimeout(() => app.server.closeAllConnections(), stopPatience);
			// Those whose call ends meanwhile would stay open for another one.
			const idle = setInterval(() => {
				app.server.closeIdleConnections();
				// One that has asked for nothing yet counts as busy there.
				for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
			}, 50);
			try {
				await app.close();
			} finally {
				clearTimeout(force);
				clearInterval(idle);
			}
			await presence.close();
		},
		stats: () => ({...stats, ...traffic.read()}),
		async kick(id) {
			await store.getPeer(id);
			await forgetPeer(id);
		},
	};
}

function pathOf(url: string): string {
	return url.split('?', 1)[0]?.slice(0, 200) ?? '';
}

function stackOf(error: unknown): string {
	return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
