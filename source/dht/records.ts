// What nodes keep: signed words about files and peers. Times are Unix seconds.

import {createPublicKey, type KeyObject, sign, verify} from 'node:crypto';
import {isIP} from 'node:net';
import {limits} from '../api/limits.ts';
import {sharePathProblem} from '../core/share-path.ts';
import {BadBytes, type ByteReader, ByteWriter} from './bytes.ts';

/** A file that a peer shares, as it publishes it. */
export type FileRecord = {
	/** Content ID. */
	content: string;
	size: number;
	/** Catalog path. */
	path: string;
	/** When it was signed: of two about the same file the later one counts. */
	time: number;
	expiry: number;
	/** It is not shared any more. */
	removed: boolean;
	/** Its publisher is downloading it, and serves the pieces that it has. */
	partial?: boolean;
};

/** Where a peer is, as it says itself. */
export type PresenceRecord = {
	/** Peer ID. */
	peer: string;
	name: string;
	/** Port of its file server; addresses to try there, IPv4 or IPv6. */
	port: number;
	addresses: string[];
	files: number;
	bytes: number;
	/** When it started. */
	since: number;
	/** Records that it signed before this count no more: since then it has published everything anew. */
	floor: number;
	time: number;
	expiry: number;
	/** It says goodbye. */
	left: boolean;
};

/** A record with its bytes: what was signed, the signature at the end. */
export type Signed<T> = T & {raw: Buffer};

const signatureBytes = 64;
/** Most bytes of a name, and of a published path: the rest of a packet is for the other fields. */
const nameBytes = 64 * 4;
/** Longest path that is published; longer ones lose folders from their start. */
export const recordPathBytes = 700;
const fileContext = Buffer.from('p2p-tui dht file 1');
const presenceContext = Buffer.from('p2p-tui dht presence 1');

/** Signs under a peer's key. `tag`: of the network that the record is for. */
export type Signer = {peer: string; privateKey: KeyObject; tag: Buffer};

function signed(context: Buffer, fields: Buffer, signer: Signer): Buffer {
	const text = Buffer.concat([context, signer.tag, Buffer.from(signer.peer, 'hex'), fields]);
	return Buffer.concat([fields, sign(null, text, signer.privateKey)]);
}

const keys = new Map<string, KeyObject>();

function keyOf(peer: string): KeyObject {
	let key = keys.get(peer);
	if (!key) {
		const x = Buffer.from(peer, 'hex').toString('base64url');
		key = createPublicKey({key: {kty: 'OKP', crv: 'Ed25519', x}, format: 'jwk'});
		if (keys.size >= limits.table.keys) keys.clear();
		keys.set(peer, key);
	}
	return key;
}

/** Whether a peer signed the text. */
export function isSignedBy(peer: string, text: Buffer, signature: Buffer): boolean {
	try {
		return verify(null, text, keyOf(peer), signature);
	} catch {
		return false;
	}
}

function isGenuine(context: Buffer, bytes: Buffer, peer: string, tag: Buffer): boolean {
	const fields = bytes.subarray(0, -signatureBytes);
	const text = Buffer.concat([context, tag, Buffer.from(peer, 'hex'), fields]);
	return isSignedBy(peer, text, bytes.subarray(-signatureBytes));
}

/** A file's record, ready to be sent. Signed in Node's thread pool: a signature costs as much as all else about a file. */
export async function signFile(file: FileRecord, signer: Signer): Promise<Signed<FileRecord>> {
	const head = fileContext.length + signer.tag.length + 32;
	const path = Buffer.from(file.path);
	const text = Buffer.allocUnsafe(head + 51 + path.length);
	fileContext.copy(text);
	signer.tag.copy(text, fileContext.length);
	text.write(signer.peer, head - 32, 'hex');
	let at = text.writeUInt8((file.removed ? 1 : 0) + (file.partial ? 2 : 0), head);
	at = text.writeUInt32BE(file.time, at);
	at = text.writeUInt32BE(file.expiry, at);
	at = text.writeBigUInt64BE(BigInt(file.size), at);
	at += text.write(file.content, at, 'hex');
	at = text.writeUInt16BE(path.length, at);
	path.copy(text, at);
	const signature = await new Promise<Buffer>((resolve, reject) =>
		sign(null, text, signer.privateKey, (error, made) => (error ? reject(error) : resolve(made))),
	);
	return {...file, raw: Buffer.concat([text.subarray(head), signature])};
}

/** @throws BadBytes; the signature is not checked, see {@link isGenuineFile} */
export function readFile(reader: ByteReader): Signed<FileRecord> {
	const from = reader.at;
	const flags = reader.number(1);
	const [removed, partial] = [(flags & 1) !== 0, (flags & 2) !== 0];
	const [time, expiry, size] = [reader.number(4), reader.number(4), reader.size()];
	const content = reader.bytes(32).toString('hex');
	const path = reader.text(2);
	reader.bytes(signatureBytes);
	if (sharePathProblem(path)) throw new BadBytes('no path of a share');
	return {content, size, path, time, expiry, removed, partial, raw: reader.since(from)};
}

/** When a file's record was signed, without reading it all. */
export function timeOfRaw(raw: Buffer): number {
	return raw.readUInt32BE(1);
}

/** The size that a file's record tells. */
export function sizeOfRaw(raw: Buffer): number {
	return raw.readUInt32BE(9) * 2 ** 32 + raw.readUInt32BE(13);
}

/** The path that a file's record tells. */
export function pathOfRaw(raw: Buffer): string {
	return raw.toString('utf8', 51, 51 + raw.readUInt16BE(49));
}

export function isGenuineFile(file: Signed<FileRecord>, publisher: string, tag: Buffer): boolean {
	return isGenuine(fileContext, file.raw, publisher, tag);
}

/** A peer's own presence, ready to be sent. */
export function signPresence(presence: PresenceRecord, signer: Signer): Signed<PresenceRecord> {
	const fields = new ByteWriter()
		.bytes(Buffer.from(presence.peer, 'hex'))
		.number(presence.left ? 1 : 0, 1)
		.number(presence.time, 4)
		.number(presence.expiry, 4)
		.number(presence.since, 4)
		.number(presence.floor, 4)
		.number(presence.port, 2)
		.size(presence.files)
		.size(presence.bytes)
		.text(presence.name, 2);
	const addresses = presence.addresses.slice(0, limits.table.addresses);
	fields.number(addresses.length, 1);
	for (const address of addresses) fields.text(address, 1);
	return {...presence, addresses, raw: signed(presenceContext, fields.done(), signer)};
}

/** @throws BadBytes; the signature is not checked, see {@link isGenuinePresence} */
export function readPresence(reader: ByteReader): Signed<PresenceRecord> {
	const from = reader.at;
	const peer = reader.bytes(32).toString('hex');
	const left = (reader.number(1) & 1) === 1;
	const [time, expiry, since, floor] = [reader.number(4), reader.number(4), reader.number(4), reader.number(4)];
	const port = reader.number(2);
	const [files, bytes] = [reader.size(), reader.size()];
	const name = reader.text(2);
	const count = reader.number(1);
	if (count > limits.table.addresses || port === 0 || name === '' || Buffer.byteLength(name) > nameBytes)
		throw new BadBytes('no presence');
	const addresses = Array.from({length: count}, () => reader.text(1));
	if (!addresses.every(address => isIP(address))) throw new BadBytes('no address');
	reader.bytes(signatureBytes);
	return {peer, left, time, expiry, since, floor, port, files, bytes, name, addresses, raw: reader.since(from)};
}

export function isGenuinePresence(presence: Signed<PresenceRecord>, tag: Buffer): boolean {
	return isGenuine(presenceContext, presence.raw, presence.peer, tag);
}
