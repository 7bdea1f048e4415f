import type {Duplex} from 'node:stream';
import {TLSSocket} from 'node:tls';
import {peerIdOfKey} from '../identity/peer-id.ts';

const seen = new WeakMap<TLSSocket, string>();

/** The peer ID that the other end of a TLS connection has proved; undefined for a guest without one (curl, a browser). */
export function remotePeerId(socket: Duplex): string | undefined {
	if (!(socket instanceof TLSSocket)) return undefined;
	let id = seen.get(socket);
	if (id === undefined) {
		const certificate = socket.getPeerX509Certificate();
		id = certificate ? peerIdOfKey(certificate.publicKey) : '';
		seen.set(socket, id);
	}
	return id || undefined;
}
