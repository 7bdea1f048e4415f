// What a network is in the table: a key that names its topics and, where the network is private, seals what is said.
import {createCipheriv, createDecipheriv, createHash, hash, randomBytes} from 'node:crypto';

const sealed = 'chacha20-poly1305';
const nonceBytes = 12;
const tagBytes = 16;

/** Bytes that sealing adds. */
export const sealBytes = nonceBytes + tagBytes;

/** BLAKE2b-512, the first 32 bytes. */
export function blake2b(...parts: Array<string | Uint8Array>): Buffer {
	if (parts.length === 1) return hash('blake2b512', parts[0]!, 'buffer').subarray(0, 32);
	const together = createHash('blake2b512');
	for (const part of parts) together.update(part);
	return together.digest().subarray(0, 32);
}

/**
 * The names of things in the table, and the envelope of requests and answers.
 *
 * In an open network the key comes from its name, which everybody may know. In a private one it is a secret of its
 * members: who does not have it can neither compute a topic nor read or make a request that a node answers.
 */
export class NetworkKey {
	readonly #key: Buffer;
	readonly #sealKey: Buffer | undefined;
	/** Says in open requests which network is meant. */
	readonly tag: Buffer;

	/** @param secret 32 bytes that only members have; absent: an open network of that name */
	constructor(name: string, secret?: Uint8Array) {
		this.#key = secret ? blake2b('p2p-tui private network', secret, name) : blake2b('p2p-tui open network', name);
		this.#sealKey = secret && blake2b('p2p-tui seal', this.#key);
		this.tag = blake2b('p2p-tui tag', this.#key).subarray(0, 8);
	}

	get private(): boolean {
		return this.#sealKey !== undefined;
	}

	/** Where files with that word in their path are kept. `part`: one of the parts of a word that has too many. */
	word(word: string, part = ''): Buffer {
		return blake2b(this.#key, part === '' ? 'word ' : `part ${part} `, word);
	}

	/** Where the sources of a content are kept. */
	content(id: string): Buffer {
		return blake2b(this.#key, '# ', id);
	}

	/** Where a file is kept whole, in a network where everybody is asked. */
	file(peer: string, path: string): Buffer {
		return blake2b(this.#key, '/ ', peer, path);
	}

	/** Where a peer's addresses are kept. */
	peer(id: string): Buffer {
		return blake2b(this.#key, '@ ', id);
	}

	/** Where the list of peers is kept. */
	peers(): Buffer {
		return blake2b(this.#key, 'peers');
	}

	seal(body: Buffer): Buffer {
		if (!this.#sealKey) return Buffer.concat([this.tag, body]);
		const nonce = randomBytes(nonceBytes);
		const cipher = createCipheriv(sealed, this.#sealKey, nonce, {authTagLength: tagBytes});
		return Buffer.concat([nonce, cipher.update(body), cipher.final(), cipher.getAuthTag()]);
	}

	/** What was sealed; undefined for what comes from another network or from somebody without its key. */
	open(bytes: Buffer | null): Buffer | undefined {
		if (!bytes) return undefined;
		if (!this.#sealKey) return bytes.subarray(0, 8).equals(this.tag) ? bytes.subarray(8) : undefined;
		if (bytes.length < sealBytes) return undefined;
		try {
			const cipher = createDecipheriv(sealed, this.#sealKey, bytes.subarray(0, nonceBytes), {authTagLength: tagBytes});
			cipher.setAuthTag(bytes.subarray(-tagBytes));
			return Buffer.concat([cipher.update(bytes.subarray(nonceBytes, -tagBytes)), cipher.final()]);
		} catch {
			return undefined;
		}
	}
}
