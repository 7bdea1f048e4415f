import type {SecureVersion} from 'node:tls';
import {limits} from '../api/limits.ts';
import type {Identity} from '../identity/identity.ts';

/** What of an identity TLS needs: plain text that passes between threads. */
export type TlsIdentity = Pick<Identity, 'keyPem' | 'certificatePem'>;

/**
 * TLS options of both ends. Certificates are self-signed, so no authority is asked: TLS 1.3 itself proves that the other
 * side has the key it shows, and our code compares that key with the peer ID it wants.
 */
export function tlsOptions(identity: TlsIdentity) {
	return {
		key: identity.keyPem,
		cert: identity.certificatePem,
		minVersion: 'TLSv1.3' as SecureVersion,
		rejectUnauthorized: false,
		// Fast on every CPU with AES instructions, and the fallback for those without.
		ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
	};
}

/**
 * The same for the listening end: asks for a certificate, takes guests without one. Slow requests are looked for every
 * second: Node's own 30 seconds would let headers take four times as long as `limits.requestHeaders` says.
 */
export function tlsServerOptions(identity: Identity) {
	return {
		...tlsOptions(identity),
		requestCert: true,
		handshakeTimeout: limits.handshake,
		sessionTimeout: 3600,
		connectionsCheckingInterval: 1000,
	};
}
