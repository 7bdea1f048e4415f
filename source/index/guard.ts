// Keeps one caller from taking the whole server: rates by peer and address, connections by address.
import type {IncomingMessage} from 'node:http';
import type {FastifyInstance} from 'fastify';
import {limits} from '../api/limits.ts';
import {P2pError} from '../core/errors.ts';
import {type Rate, RateLimiter} from '../net/call-rates.ts';
import {isLoopback, plainHost} from '../net/listen.ts';
import type {QuietLog} from '../net/quiet-log.ts';
import {remotePeerId} from '../net/remote-id.ts';

/** Rates of an index server. */
export type RateLimits = {
	/** Of one peer ID. */
	peer: Rate;
	/** Of one address, whoever calls from there. */
	address: Rate;
	/** Connections of one address at a time. */
	connectionsPerAddress: number;
	/** New peer IDs of one address. */
	newPeers: Rate;
	/** For tests: loopback is counted as any other address. */
	loopback?: boolean;
};

/** What limits.ts says. */
export const defaultRateLimits: RateLimits = {
	peer: limits.callsPerPeer,
	address: limits.callsPerAddress,
	connectionsPerAddress: limits.serverConnectionsPerAddress,
	newPeers: limits.newPeersPerAddress,
};

/** What keeps callers within their rates. */
export type Guard = {
	/** Told of each peer that wants to register for the first time. @throws P2pError busy */
	admitFrom(address: string): void;
	/** Takes one call from its caller's rate, for calls that no hook sees. @throws P2pError busy */
	take(request: IncomingMessage): void;
};

/** Always answered: who runs the server looks there when it is busy. */
const exempt = new Set(['/healthz', '/metrics']);

/**
 * Refuses calls above the rates with `busy` (503, Retry-After) and connections above their number by hanging up. Loopback
 * is not limited by address: a proxy or a test has everybody behind it.
 */
export function guard(app: FastifyInstance, rates: RateLimits, log: QuietLog): Guard {
	const byPeer = new RateLimiter(rates.peer);
	const byAddress = new RateLimiter(rates.address);
	const newPeers = new RateLimiter(rates.newPeers);
	const open = new Map<string, number>();
	const isExempt = (address: string) => !rates.loopback && isLoopback(address);

	const take = ({socket}: IncomingMessage) => {
		const peer = remotePeerId(socket);
		const address = plainHost(socket.remoteAddress ?? '');
		try {
			if (peer) byPeer.take(peer);
			if (!isExempt(address)) byAddress.take(address);
		} catch (error) {
			const who = peer ? `peer ${peer.slice(0, 8)}` : 'a guest';
			log.tell(`calls ${peer ?? address}`, `index: ${who} at ${address} makes too many calls; they are put off`);
			throw error;
		}
	};

	app.addHook('onRequest', (request, _reply, done) => {
		try {
			if (!exempt.has(request.url)) take(request.raw);
		} catch (error) {
			return done(error as Error);
		}
		done();
	});

	app.server.on('connection', socket => {
		const address = plainHost(socket.remoteAddress ?? '');
		if (isExempt(address)) return;
		const count = (open.get(address) ?? 0) + 1;
		if (count > rates.connectionsPerAddress) {
			log.tell(`connections ${address}`, `index: ${address} has more than ${rates.connectionsPerAddress} connections`);
			socket.destroy();
			return;
		}
		open.set(address, count);
		socket.once('close', () => {
			const left = (open.get(address) ?? 1) - 1;
			if (left > 0) open.set(address, left);
			else open.delete(address);
		});
	});

	const admitFrom = (address: string) => {
		if (isExempt(address) || newPeers.has(address)) return;
		log.tell(`new peers ${address}`, `index: ${address} registers too many new peers; they are put off`);
		throw new P2pError('busy', 'Too many new peers register from this address', {
			hint: 'Try again in a minute',
			details: {retryAfter: 60},
		});
	};
	return {admitFrom, take};
}
