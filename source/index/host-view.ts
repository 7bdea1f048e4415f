import type {Socket} from 'node:net';
import {isLoopback, plainHost} from '../net/listen.ts';

/**
 * The host under which an asker reaches this machine; undefined for one on it. A peer that registered over loopback runs
 * here: others reach it under the address by which they reached the server.
 */
export function hereFor(socket: Socket): string | undefined {
	const asker = plainHost(socket.remoteAddress ?? '');
	const here = plainHost(socket.localAddress ?? '');
	return asker === '' || here === '' || isLoopback(asker) ? undefined : here;
}

/** A peer or source as it looks to an asker who reaches this machine at `here`. */
export function seenFrom<T extends {host: string}>(peer: T, here: string | undefined): T {
	return here !== undefined && isLoopback(peer.host) ? {...peer, host: here} : peer;
}

/** How addresses look from where an asker is. */
export function hostView(socket: Socket): <T extends {host: string}>(peer: T) => T {
	const here = hereFor(socket);
	return peer => seenFrom(peer, here);
}
