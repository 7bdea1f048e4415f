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

/** Those of the addresses, as HOST:PORT, that do not mean whichever machine reads them. */
export function notLoopback(addresses: readonly string[]): string[] {
	return addresses.filter(text => !isLoopback(text.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')));
}

type Placed = {host: string; addresses?: string[] | undefined};

/** A peer or source as it looks to an asker who reaches this machine at `here`. */
export function seenFrom<T extends Placed>(peer: T, here: string | undefined): T {
	if (here === undefined) return peer;
	const host = isLoopback(peer.host) ? here : peer.host;
	if (!peer.addresses) return {...peer, host};
	const {addresses, ...rest} = peer;
	const others = notLoopback(addresses);
	return {...rest, host, ...(others.length > 0 && {addresses: others})} as T;
}

/** How addresses look from where an asker is. */
export function hostView(socket: Socket): <T extends Placed>(peer: T) => T {
	const here = hereFor(socket);
	return peer => seenFrom(peer, here);
}
