// Invite links: `p2p://HOST:PORT/<fingerprint>/<invite>`, short enough to be read out.
import {createHash} from 'node:crypto';
import {type Address, defaultPorts, formatAddress, parseAddress} from './address.ts';
import {plainBase32, toBase32} from './base32.ts';
import {P2pError} from './errors.ts';

/** What an invite link says. */
export type InviteLink = Address & {
	/** Of the server's key: 130 bits of SHA-256 over it. */
	fingerprint: string;
	/** The invite's ID and its secret, as the server made them. */
	code: string;
};

const scheme = 'p2p://';
/** 130 bits: nobody makes another key with the same ones. */
const fingerprintLength = 26;
/** Characters of an invite's public ID, and of its secret: 25 and 100 bits. */
export const inviteIdLength = 5;
export const inviteSecretLength = 20;
const codeLength = inviteIdLength + inviteSecretLength;
/** 10 bits over all the rest, so that a slip in reading or typing is told as one. */
const checkLength = 2;

/** The fingerprint of a server ID, as invite links carry it. */
export function fingerprintOf(serverId: string): string {
	return toBase32(createHash('sha256').update(Buffer.from(serverId, 'hex')).digest(), fingerprintLength);
}

/** Whether the text is meant as an invite link. */
export function looksLikeInvite(text: string): boolean {
	return text.trim().toLowerCase().startsWith(scheme);
}

/** The link of an invite. */
export function formatInvite({host, port, fingerprint, code}: InviteLink): string {
	return `${scheme}${formatAddress({host, port})}/${fingerprint}/${code}${checkOf(fingerprint, code)}`;
}

/**
 * An invite link as typed, pasted (upper case, dashes and blanks do not matter) or read from a QR code.
 *
 * @throws P2pError usage for one that is damaged
 */
export function parseInvite(text: string): InviteLink {
	const parts = text.trim().slice(scheme.length).replace(/\s+/g, '').split('/');
	const [where, fingerprint, code] = [parts[0] ?? '', plainBase32(parts[1] ?? ''), plainBase32(parts[2] ?? '')];
	if (!looksLikeInvite(text) || parts.length !== 3 || fingerprint === undefined || code === undefined) throw damaged();
	if (fingerprint.length !== fingerprintLength || code.length !== codeLength + checkLength) throw damaged();
	const plain = code.slice(0, codeLength);
	if (checkOf(fingerprint, plain) !== code.slice(codeLength)) throw damaged();
	return {...parseAddress(where.toLowerCase(), defaultPorts.server), fingerprint, code: plain};
}

function checkOf(fingerprint: string, code: string): string {
	return toBase32(createHash('sha256').update(`${fingerprint}/${code}`).digest(), checkLength);
}

function damaged(): P2pError {
	return new P2pError('usage', 'The invite link is not whole, or has a slip in it', {
		hint: 'It reads p2p://HOST:PORT/…/…, as p2p-tui invite printed it',
	});
}
