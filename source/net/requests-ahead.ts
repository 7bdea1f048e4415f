import type {Server} from 'node:net';
import type {TLSSocket} from 'node:tls';

/**
 * Lets callers send requests ahead of their answers (RFC 9112, 9.3.2) however many those are. While a connection has much
 * to send, Node stops reading requests from it; but where its HTTP parser sits on the TLS connection itself, what was in
 * the same packet still goes to the stopped parser, which refuses it (HPE_PAUSED), and the caller is answered 400 and
 * cut off. A connection with a listener of ours hands its bytes over as a stream, which keeps them meanwhile. It gets
 * one when it is stopped for the first time: whoever waits for each answer costs nothing more.
 *
 * @param server one whose HTTP layer listens already
 */
export function keepRequestsAhead(server: Server): void {
	server.on('secureConnection', (socket: TLSSocket) => {
		socket.once('pause', () => {
			socket.on('data', () => undefined);
			// The stream still waits for what the parser got in its place, and would never read again.
			socket.push('');
		});
	});
}
