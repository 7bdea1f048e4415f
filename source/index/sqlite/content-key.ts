import type {DatabaseSync} from 'node:sqlite';

/** The 48 bits under which a content ID is found, and its bytes. */
export type ContentKey = (content: Uint8Array) => number;

/**
 * How this database shortens content IDs to 48 bits. It depends on a secret of the database's own: IDs are what peers
 * claim, and with plain prefixes anybody could register a million of them under one key.
 */
export function contentKey(database: DatabaseSync): ContentKey {
	const row = database.prepare("SELECT value FROM meta WHERE name='content-key'").get() as {value: Uint8Array};
	const secret = Uint32Array.from({length: 4}, (_, index) => wordAt(row.value, 4 * index));
	const [a = 0, b = 0, c = 0, d = 0] = secret;
	return content => {
		let low = a;
		let high = b;
		for (let at = 0; at < 32; at += 4) {
			const word = wordAt(content, at);
			// MurmurHash3's mixing of 32-bit words, in two lanes under two seeds.
			low = mix(low ^ mix(Math.imul(word ^ c, 0xcc9e2d51)));
			high = mix(high ^ mix(Math.imul(word ^ d, 0x1b873593)));
		}
		return (high & 0xffff) * 2 ** 32 + (low >>> 0);
	};
}

function mix(value: number): number {
	let mixed = value ^ (value >>> 16);
	mixed = Math.imul(mixed, 0x85ebca6b);
	mixed ^= mixed >>> 13;
	mixed = Math.imul(mixed, 0xc2b2ae35);
	return mixed ^ (mixed >>> 16);
}

function wordAt(bytes: Uint8Array, at: number): number {
	return (
		((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0
	);
}
