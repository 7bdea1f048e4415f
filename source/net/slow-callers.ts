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
	const open = new Map<string, {socket: Socket; address: string}>();
	server.on('connection', (socket: Socket) => {
		const key = endOf(socket);
		const address = plainHost(socket.remoteAddress ?? '');
		open.set(key, {socket, address});
		socket.once('close', () => open.get(key)?.socket === socket && open.delete(key));
		if (open.size <= most) return;
		const victim = oldestOfMost([...open.values()]);
		if (!victim) return;
		log.tell(
			`half-open ${victim.address}`,
			`more than ${most} connections wait for their TLS handshake, most of them from ${victim.address}; the oldest are closed`,
		);
		open.delete(endOf(victim.socket));
		victim.socket.destroy();
	});
	server.on('secureConnection', (socket: Socket) => open.delete(endOf(socket)));
}

type HalfOpen = {socket: Socket; address: string};

function oldestOfMost(all: HalfOpen[]): HalfOpen | undefined {
	const counts = new Map<string, number>();
	for (const {address} of all) counts.set(address, (counts.get(address) ?? 0) + 1);
	const most = Math.max(...counts.values());
	return all.find(({address}) => counts.get(address) === most);
}

/** What tells one connection from another, before and after its handshake. */
function endOf({remoteAddress, remotePort}: Socket): string {
	return `${remoteAddress} ${remotePort}`;
}

/** Bodies that are read as a stream, whose reader watches them itself. */
const streamed = /ndjson/i;

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
