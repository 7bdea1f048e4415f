import type {DatabaseSync} from 'node:sqlite';

/** Some bits of something, under which it is found: whole numbers with a sign, which SQLite keeps in as many bytes. */
export type ContentKeys = {
	/** 32 bits of the content ID in 32 bytes from `at` on. Among ten million, one in four hundred meets another. */
	ofContent(bytes: Uint8Array, at?: number): number;
	/** 24 bits of a file's name: it is looked for in one folder. */
	ofName(name: string): number;
};

/**
 * How this database shortens content IDs and names. It depends on a secret of the database's own: both are
 * what peers claim, and with plain prefixes anybody could register a million of them under one key.
 */
export function contentKeys(database: DatabaseSync): ContentKeys {
	const row = database.prepare("SELECT value FROM meta WHERE name='content-key'").get() as {value: Uint8Array};
	const secret = Uint32Array.from({length: 4}, (_, index) => wordAt(row.value, 4 * index));
	const [a = 0, b = 0, c = 0, d = 0] = secret;
	// MurmurHash3's mixing of 32-bit words, in two lanes under two seeds.
	return {
		ofContent(bytes, at = 0) {
			let low = a;
			let high = b;
			for (let place = at; place < at + 32; place += 4) {
				const word = wordAt(bytes, place);
				low = mix(low ^ mix(Math.imul(word ^ c, 0xcc9e2d51)));
				high = mix(high ^ mix(Math.imul(word ^ d, 0x1b873593)));
			}
			return mix(low ^ Math.imul(high, 0x9e3779b1));
		},
		ofName(name) {
			let low = c ^ name.length;
			let high = d;
			for (let place = 0; place < name.length; place += 2) {
				const word = name.charCodeAt(place) | ((place + 1 < name.length ? name.charCodeAt(place + 1) : 0) << 16);
				low = mix(low ^ mix(Math.imul(word ^ a, 0xcc9e2d51)));
				high = mix(high ^ mix(Math.imul(word ^ b, 0x1b873593)));
			}
			return mix(low ^ Math.imul(high, 0x9e3779b1)) >> 8;
		},
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
