// Callers that take their time on purpose: connections that never finish their handshake, bodies that never end.
import type {Server, Socket} from 'node:net';
import type {FastifyInstance} from 'fastify';
import {limits} from '../api/limits.ts';
import type {ErrorBody} from '../api/schemas.ts';
import {plainHost} from './listen.ts';
import type {QuietLog} from './quiet-log.ts';

/**
 * Bounds the connections that have not finished their TLS handshake. Past the bound the oldest of the address that has
 * most of them is closed, so that whoever opens thousands shuts out himself.
 */
export function limitHalfOpen(server: Server, log: QuietLog, most: number = limits.halfOpen): void {
	/** By address, each oldest first. */
	const open = new Map<string, Map<string, Socket>>();
	let count = 0;
	const forget = (address: string, key: string) => {
		const others = open.get(address);
		if (!others?.delete(key)) return;
		if (others.size === 0) open.delete(address);
		count--;
	};
	server.on('connection', (socket: Socket) => {
		const [address, key] = [plainHost(socket.remoteAddress ?? ''), endOf(socket)];
		const others = open.get(address) ?? new Map<string, Socket>();
		if (!others.has(key)) count++;
		open.set(address, others.set(key, socket));
		socket.once('close', () => forget(address, key));
		if (count <= most) return;
		const [crowd, sockets] = largestOf(open);
		const [first] = sockets;
		if (!first) return;
		log.tell(
			`half-open ${crowd}`,
			`more than ${most} connections wait for their TLS handshake, most of them from ${crowd}; the oldest are closed`,
		);
		forget(crowd, first[0]);
		first[1].destroy();
	});
	server.on('secureConnection', (socket: Socket) => forget(plainHost(socket.remoteAddress ?? ''), endOf(socket)));
}

function largestOf(open: Map<string, Map<string, Socket>>): [string, Map<string, Socket>] {
	let largest: [string, Map<string, Socket>] = ['', new Map()];
	for (const entry of open) if (entry[1].size > largest[1].size) largest = entry;
	return largest;
}

/** What tells one connection from another, before and after its handshake. */
function endOf({remoteAddress, remotePort}: Socket): string {
	return `${remoteAddress} ${remotePort}`;
}

/** Catalogs, as lines or in columns: their reader watches them itself, and they may wait for their turn. */
const streamed = /ndjson|vnd\.p2p-tui\.changes/i;

/** Answers 408 and hangs up on whoever takes longer than `limits.requestBody` to send a JSON body. */
export function limitBodies(app: FastifyInstance, log: QuietLog, patience: number = limits.requestBody): void {
	app.addHook('preParsing', (request, reply, payload, done) => {
		const {headers, raw} = request;
		const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
		if (!hasBody || streamed.test(headers['content-type'] ?? '')) return done(null, payload);
		const timer = setTimeout(() => {
			const address = plainHost(raw.socket.remoteAddress ?? '');
			log.tell(`slow body ${address}`, `${address} sends a request too slowly; it is cut off`);
			const body = {code: 'timeout', message: 'The request took too long to come in'} satisfies ErrorBody;
			if (!reply.sent) reply.code(408).header('connection', 'close').send(body);
			setTimeout(() => raw.socket.destroy(), limits.hangUp).unref();
		}, patience);
		timer.unref();
		const stop = () => clearTimeout(timer);
		raw.once('end', stop).once('close', stop);
		done(null, payload);
	});
}
