// Keeps one caller from taking the whole server: rates by peer and address, connections by address.
import type {FastifyInstance} from 'fastify';
import type {EngineBus} from '../core/events.ts';
import {isLoopback, plainHost} from '../net/listen.ts';
import {remotePeerId} from '../net/remote-id.ts';
import {RateLimiter, type RateLimits} from './rate-limits.ts';

/** Generous for people and their programs, and far below what one machine can be flooded with. */
export const defaultRateLimits: RateLimits = {
	peer: {perSecond: 50, burst: 200},
	address: {perSecond: 500, burst: 2000},
	connectionsPerAddress: 256,
};

/** Milliseconds between two lines in the log about the same thing. */
const quiet = 60_000;
/** Always answered: who runs the server looks there when it is busy. */
const exempt = new Set(['/healthz', '/metrics']);

/**
 * Refuses calls above the rates with `busy` (503, Retry-After) and connections above their number by hanging up. Loopback
 * is not limited by address: a proxy or a test has everybody behind it.
 */
export function guard(app: FastifyInstance, rates: RateLimits, bus: EngineBus): void {
	const byPeer = new RateLimiter(rates.peer);
	const byAddress = new RateLimiter(rates.address);
	const open = new Map<string, number>();
	const told = new Map<string, number>();

	/** One line a minute for each caller, not one for each call. */
	const tell = (what: string, message: string) => {
		const now = performance.now();
		if (now - (told.get(what) ?? -quiet) < quiet) return;
		if (told.size > 1000) told.clear();
		told.set(what, now);
		bus.emit('log', {level: 'warn', message});
	};

	app.addHook('onRequest', async request => {
		const {socket} = request.raw;
		if (exempt.has(request.url)) return;
		const peer = remotePeerId(socket);
		const address = plainHost(socket.remoteAddress ?? '');
		try {
			if (peer) byPeer.take(peer);
			if (!isLoopback(address)) byAddress.take(address);
		} catch (error) {
			const who = peer ? `peer ${peer.slice(0, 8)}` : 'a guest';
			tell(peer ?? address, `index: ${who} at ${address} makes too many calls; they are put off`);
			throw error;
		}
	});

	app.server.on('connection', socket => {
		const address = plainHost(socket.remoteAddress ?? '');
		if (isLoopback(address)) return;
		const count = (open.get(address) ?? 0) + 1;
		if (count > rates.connectionsPerAddress) {
			tell(`connections ${address}`, `index: ${address} has more than ${rates.connectionsPerAddress} connections`);
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
}
