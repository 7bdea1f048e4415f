// Crockford's base32: no letter that looks like a digit, case does not count, so that it can be read out and typed.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** The first `length` characters (5 bits each) of bytes. The bytes must hold that many bits. */
export function toBase32(bytes: Uint8Array, length: number): string {
	let text = '';
	for (let index = 0; index < length; index++) {
		const bit = index * 5;
		const pair = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
		text += alphabet[(pair >> (11 - (bit & 7))) & 31];
	}
	return text;
}

/** Text as a person may type it in the form that {@link toBase32} gives; undefined when it holds another character. */
export function plainBase32(text: string): string | undefined {
	const plain = text.toLowerCase().replace(/[-\s]/g, '').replaceAll('o', '0').replace(/[il]/g, '1');
	return /^[0-9a-hjkmnp-tv-z]*$/.test(plain) ? plain : undefined;
}
