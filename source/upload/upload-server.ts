import type {IncomingMessage} from 'node:http';
import type {Server, Socket} from 'node:net';
import type {Duplex} from 'node:stream';
import fastify, {type FastifyInstance, type FastifyReply} from 'fastify';
import {limits} from '../api/limits.ts';
import type {PrivateInfo} from '../api/schemas.ts';
import type {Address} from '../core/address.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';
import type {Identity} from '../identity/identity.ts';
import {membershipHeader} from '../identity/membership.ts';
import {answerClientError, answerErrors, sendError} from '../net/http-errors.ts';
import {type ListenOptions, listen, plainHost} from '../net/listen.ts';
import {QuietLog} from '../net/quiet-log.ts';
import {remotePeerId} from '../net/remote-id.ts';
import {keepRequestsAhead} from '../net/requests-ahead.ts';
import {limitHalfOpen} from '../net/slow-callers.ts';
import {type TakeTable, tableRoute} from '../net/table-route.ts';
import {tlsServerOptions} from '../net/tls-options.ts';
import {fileRoute} from './file-route.ts';
import {filesRoute} from './files-route.ts';
import {OpenFiles} from './open-files.ts';
import {RateLimit} from './rate-limit.ts';
import {catalogRoutes} from './routes.ts';
import type {ServedCatalog} from './served-catalog.ts';
import {type SentTotals, type UploadRow, UploadSessions} from './sessions.ts';
import {type SlotTimes, slotTimes, UploadSlots} from './slots.ts';
import type {ReadFloor} from './slow-readers.ts';
import {SmallReader} from './small-reader.ts';
import {TurnBudget} from './turn-budget.ts';

/** What {@link createUploadServer} takes. */
export type UploadServerOptions = {
	identity: Identity;
	/** Nickname. */
	name: string;
	version: string;
	catalog: ServedCatalog;
	/** Gets the upload events, and `error` for what is a bug here. */
	bus: EngineBus;
	/** Peers that are sent to at once. Default 8. */
	slots?: number;
	/** Bytes per second, all uploads together; undefined: no limit. */
	limit?: number;
	/** Who is answered at all, asked at each call; a guest has no peer ID. Default: everybody. */
	allow?(peerId: string | undefined): boolean;
	/** Whether who calls may learn anything at all; `shown`: the header P2P-Membership. Default: everybody. */
	admits?(socket: Duplex, shown: string | undefined): boolean;
	/** Takes in what others publish in the table without a server, where this peer is a node of it. */
	table?: () => TakeTable | undefined;
	/** For tests: milliseconds that are otherwise constants. */
	times?: Partial<SlotTimes & {bodyTimeout: number; sessionIdle: number; readFloor: ReadFloor}>;
};

/** Numbers since the start, and how it stands now. */
export type UploadTotals = SentTotals & {
	/** Uploads that run now. */
	running: number;
	slots: {count: number; used: number; queued: number};
};

/** A peer's file server. */
export type UploadServer = {
	/** @throws P2pError port-taken, usage */
	start(options: ListenOptions): Promise<Address & {movedFrom?: number}>;
	/** Closes idle connections at once, running ones when their answer is sent or after two seconds. */
	stop(): Promise<void>;
	/** Ends all connections of a peer at once. */
	disconnect(peerId: string): void;
	/** Running uploads, and for some seconds those that ended. */
	uploads(): UploadRow[];
	setSlots(count: number): void;
	setLimit(bytesPerSecond: number | undefined): void;
	totals(): UploadTotals;
};

const defaultSlots = 8;
/** Longer than clients keep a connection they do not use, so that none is closed as it is used again. */
const keepAliveMs = 30_000;
const stopGraceMs = 2000;
/**
 * Bytes a turn of the event loop. For a crowd one or two milliseconds of work, as what else the turn has to do comes on
 * top; a few answers cannot hold the loop up for long, and stopping after every mebibyte cost them a tenth of their speed.
 */
const encryptedPerTurn = {crowd: 1024 * 1024, few: 16 * 1024 * 1024};

/** TLS handshakes begun a turn: each costs a signature and a key exchange, a millisecond or more together. */
const handshakesPerTurn = 3;

/** Hundreds of connections at once, as after a restart, must not hold up those who are served already. */
function paceHandshakes(server: Server): void {
	const budget = new TurnBudget(handshakesPerTurn);
	const [begin] = server.listeners('connection') as ((socket: Socket) => void)[];
	if (!begin) return;
	server.removeListener('connection', begin);
	server.on('connection', async (socket: Socket) => {
		// Until TLS looks after it.
		const ignore = () => undefined;
		socket.on('error', ignore);
		await budget.take(1);
		socket.off('error', ignore);
		if (!socket.destroyed) begin.call(server, socket);
	});
}

/** Makes the HTTPS server that other peers, curl and browsers fetch this peer's files from. */
export function createUploadServer(options: UploadServerOptions): UploadServer {
	const {identity, name, version, catalog, bus, times} = options;
	const slots = new UploadSlots(options.slots ?? defaultSlots, {...slotTimes, ...times});
	const limit = new RateLimit(options.limit);
	const sessions = new UploadSessions(bus, times?.sessionIdle);
	const openFiles = new OpenFiles();
	const small = new SmallReader();
	const bodyTimeout = times?.bodyTimeout ?? limits.bodyTimeout;
	let stopping = false;
	const isStranger = ({socket, headers}: IncomingMessage) => {
		const shown = headers[membershipHeader];
		return options.admits?.(socket, Array.isArray(shown) ? shown.join() : shown) === false;
	};

	const app = fastify({
		https: {...tlsServerOptions(identity), headersTimeout: limits.requestHeaders, connectionsCheckingInterval: 1000},
		bodyLimit: limits.jsonBody,
		// For answers other than files, which see to it themselves.
		connectionTimeout: bodyTimeout,
		keepAliveTimeout: keepAliveMs,
		requestTimeout: limits.requestHeaders * 2,
		forceCloseConnections: 'idle',
		exposeHeadRoutes: true,
		clientErrorHandler: answerClientError,
		// What the router refuses, before the hooks: a stranger is told the same as always.
		frameworkErrors: (error, request, reply) =>
			void sendError(reply as unknown as FastifyReply, isStranger(request.raw) ? notAMember() : error),
		routerOptions: {maxParamLength: 128},
	}) as unknown as FastifyInstance;
	app.server.maxConnections = limits.connections;
	paceHandshakes(app.server);
	keepRequestsAhead(app.server);
	const sockets = new Set<Socket>();
	const byAddress = new Map<string, number>();
	const quiet = new QuietLog(bus);
	limitHalfOpen(app.server, quiet);
	app.server.on('drop', () => quiet.tell('connections', `all ${limits.connections} connections are taken`));
	app.server.on('connection', (socket: Socket) => {
		const address = plainHost(socket.remoteAddress ?? '');
		const others = byAddress.get(address) ?? 0;
		if (others >= limits.connectionsPerAddress) {
			quiet.tell(
				`connections ${address}`,
				`${address} has more than ${limits.connectionsPerAddress} connections; further ones are closed`,
			);
			socket.destroy();
			return;
		}
		byAddress.set(address, others + 1);
		socket.setNoDelay(true);
		sockets.add(socket);
		socket.once('close', () => {
			sockets.delete(socket);
			const left = (byAddress.get(address) ?? 1) - 1;
			if (left > 0) byAddress.set(address, left);
			else byAddress.delete(address);
		});
	});

	const onBug = (error: unknown) => bus.emit('error', {code: 'internal', message: `File server: ${errorLine(error)}`});
	answerErrors(app, onBug);
	const callers = new Set<Duplex>();
	app.server.on('secureConnection', socket => {
		callers.add(socket);
		socket.once('close', () => callers.delete(socket));
	});
	// One hook without a pause in it: requests sent ahead of their answers show the membership in the first one only.
	app.addHook('onRequest', async ({raw, method, url}, reply) => {
		if (isStranger(raw)) {
			if (url.split('?', 1)[0] !== '/v1' || !['GET', 'HEAD'].includes(method)) throw notAMember();
			const told: PrivateInfo = {kind: 'peer', id: identity.id, private: true};
			return reply.send(told);
		}
		if (options.allow?.(remotePeerId(raw.socket)) === false)
			throw new P2pError('refused', 'This peer does not share with you');
	});
	catalogRoutes(app, catalog, {id: identity.id, name, version}, quiet);
	tableRoute(app, options.table ?? (() => undefined));
	const budgets = {crowd: new TurnBudget(encryptedPerTurn.crowd), few: new TurnBudget(encryptedPerTurn.few)};
	const parts = {
		catalog,
		slots,
		limit,
		budgets,
		sessions,
		openFiles,
		small,
		bodyTimeout,
		stopping: () => stopping,
		onBug,
		...(times?.readFloor && {readFloor: times.readFloor}),
	};
	app.route({method: ['GET', 'HEAD'], url: '/v1/files/:content', handler: fileRoute(parts)});
	app.get('/v1/files', {exposeHeadRoute: false}, filesRoute(parts));

	return {
		start: where => listen(app, where),
		async stop() {
			stopping = true;
			// A connection that is kept alive becomes idle only when its answer is sent.
			const idle = setInterval(() => app.server.closeIdleConnections(), 50);
			const grace = setTimeout(() => {
				for (const socket of sockets) socket.destroy();
			}, stopGraceMs);
			await app.close();
			clearInterval(idle);
			clearTimeout(grace);
			sessions.stop();
			openFiles.close();
			await small.stop();
		},
		disconnect(peerId) {
			for (const socket of callers) if (remotePeerId(socket) === peerId) socket.destroy();
		},
		uploads: () => sessions.rows(),
		setSlots: count => slots.setCount(count),
		setLimit: bytesPerSecond => limit.set(bytesPerSecond),
		totals: () => ({...sessions.totals(), running: sessions.running, slots: {count: slots.count, ...slots.usage()}}),
	};
}

/** Says the same whatever was asked for, and whether or not it is here. */
function notAMember(): P2pError {
	return new P2pError('not-a-member', 'This peer is in a private network, and you are no member of it', {
		hint: 'Ask who runs the network for an invite link',
	});
}
