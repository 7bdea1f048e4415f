import type {IncomingMessage} from 'node:http';
import {P2pError} from '../core/errors.ts';
import {plainHost} from '../net/listen.ts';
import {remotePeerId} from '../net/remote-id.ts';

/** Who asks. */
export type Caller = {
	/** What slots, queue, buffers and bandwidth are counted by: the peer ID, or a guest's address. */
	key: string;
	/** The peer ID, or `guest` for one without a key, as the events have it. */
	name: string;
	/** Aborted, with a P2pError source-lost, when this connection ends. */
	signal: AbortSignal;
};

const connections = new WeakMap<object, AbortSignal>();

/** The caller of a request: one peer however many connections it has. */
export function callerOf({socket}: IncomingMessage): Caller {
	let signal = connections.get(socket);
	if (!signal) {
		// One listener a connection, since pipelined requests can be many.
		const controller = new AbortController();
		const end = () => controller.abort(new P2pError('source-lost', 'the other side hung up'));
		if (socket.destroyed) end();
		else socket.once('close', end);
		signal = controller.signal;
		connections.set(socket, signal);
	}
	const id = remotePeerId(socket);
	return {key: id ?? `guest ${plainHost(socket.remoteAddress ?? '')}`, name: id ?? 'guest', signal};
}
