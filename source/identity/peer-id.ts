import type {KeyObject} from 'node:crypto';

/** The peer ID of a public key, in hex; the empty string for a key that is not Ed25519, which matches no peer ID. */
export function peerIdOfKey(publicKey: KeyObject): string {
	if (publicKey.asymmetricKeyType !== 'ed25519') return '';
	const {x} = publicKey.export({format: 'jwk'}) as {x?: string};
	return x ? Buffer.from(x, 'base64url').toString('hex') : '';
}

/** Whether the text is a whole peer ID. */
export function isPeerId(text: string): boolean {
	return /^[0-9a-f]{64}$/.test(text);
}
