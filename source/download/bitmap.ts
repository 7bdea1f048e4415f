// One bit a piece, the first piece in the highest bit of the first byte: as on the wire (content/piece-layer.ts).

/** A bitmap of `pieces` bits, all unset, or all set. */
export function makeBitmap(pieces: number, set = false): Uint8Array {
	const bits = new Uint8Array(Math.ceil(pieces / 8));
	if (set) {
		bits.fill(0xff);
		if (pieces % 8) bits[bits.length - 1] = (0xff << (8 - (pieces % 8))) & 0xff;
	}
	return bits;
}

/** Whether the piece's bit is set. */
export function hasBit(bits: Uint8Array, piece: number): boolean {
	return ((bits[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;
}

/** Sets the piece's bit. */
export function setBit(bits: Uint8Array, piece: number): void {
	bits[piece >> 3] = (bits[piece >> 3] ?? 0) | (0x80 >> (piece & 7));
}

/** How many of the bits are set. */
export function countBits(bits: Uint8Array): number {
	let count = 0;
	for (let byte of bits) for (; byte; byte &= byte - 1) count++;
	return count;
}
