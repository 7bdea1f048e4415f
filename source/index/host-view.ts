import type {Socket} from 'node:net';
import {isLoopback, plainHost} from '../net/listen.ts';

/**
 * How addresses look from where an asker is. A peer that registered over loopback runs on the server's machine: others
 * reach it under the address by which they reached the server.
 */
export function hostView(socket: Socket): <T extends {host: string}>(peer: T) => T {
	const asker = plainHost(socket.remoteAddress ?? '');
	const here = plainHost(socket.localAddress ?? '');
	if (asker === '' || here === '' || isLoopback(asker)) return peer => peer;
	return peer => (isLoopback(peer.host) ? {...peer, host: here} : peer);
}
