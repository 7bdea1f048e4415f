// Memberships of private networks: short-lived, signed by the server, of use to one key alone.
import {createPublicKey, type KeyObject, sign, verify} from 'node:crypto';

/** What a membership says: this peer is a member of this server's network, from one time to another. */
export type Membership = {
	/** Server ID. */
	server: string;
	/** Peer ID: nobody else can use it, as TLS proves who shows it. */
	peer: string;
	/** Unix milliseconds, by the server's clock. */
	issued: number;
	expires: number;
};

const version = 1;
/** Version, server, peer, issued, expires; big-endian. */
const bodyBytes = 1 + 32 + 32 + 8 + 8;
const signatureBytes = 64;
/** Keeps a signature for this from ever being one for something else. */
const purpose = Buffer.from('p2p-tui membership\0');
/** DER of an Ed25519 public key up to its 32 bytes (RFC 8410). */
const derHead = Buffer.from('302a300506032b6570032100', 'hex');
/** The header that shows memberships to a peer. */
export const membershipHeader = 'p2p-membership';
/** Characters of a membership in its text form, base64url. */
const textLength = Math.ceil(((bodyBytes + signatureBytes) * 8) / 6);

/** Signs a membership with the server's key (Ed25519). */
export function signMembership(membership: Membership, privateKey: KeyObject): string {
	const body = Buffer.alloc(bodyBytes);
	body.writeUInt8(version, 0);
	body.write(membership.server, 1, 'hex');
	body.write(membership.peer, 33, 'hex');
	body.writeBigUInt64BE(BigInt(membership.issued), 65);
	body.writeBigUInt64BE(BigInt(membership.expires), 73);
	return Buffer.concat([body, sign(null, Buffer.concat([purpose, body]), privateKey)]).toString('base64url');
}

/** What a membership claims, without any check of who signed it; undefined for text that is none. */
export function readMembership(text: string): Membership | undefined {
	if (text.length !== textLength || !/^[\w-]+$/.test(text)) return undefined;
	const bytes = Buffer.from(text, 'base64url');
	if (bytes.length !== bodyBytes + signatureBytes || bytes[0] !== version) return undefined;
	const [issued, expires] = [Number(bytes.readBigUInt64BE(65)), Number(bytes.readBigUInt64BE(73))];
	if (!Number.isSafeInteger(issued) || !Number.isSafeInteger(expires)) return undefined;
	return {server: bytes.toString('hex', 1, 33), peer: bytes.toString('hex', 33, 65), issued, expires};
}

/** Whether the server that a membership names has signed it. Takes about 0.1 ms. */
export function isSigned(text: string): boolean {
	const bytes = Buffer.from(text, 'base64url');
	const body = bytes.subarray(0, bodyBytes);
	try {
		const key = createPublicKey({key: Buffer.concat([derHead, body.subarray(1, 33)]), format: 'der', type: 'spki'});
		return verify(null, Buffer.concat([purpose, body]), key, bytes.subarray(bodyBytes));
	} catch {
		return false;
	}
}
