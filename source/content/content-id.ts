import {createHash} from 'node:crypto';

/** Bytes per block: the leaf of the merkle tree (BEP 52). */
export const blockSize = 16 * 1024;

/** The ID of no bytes at all, which BEP 52 leaves without a root: SHA-256 of nothing. */
export const emptyContentId = createHash('sha256').digest('hex');

/** Whether the text is a content ID as we write it: 64 lower-case hex digits. */
export function isContentId(text: string): boolean {
	return /^[0-9a-f]{64}$/.test(text);
}

const smallestPiece = 256 * 1024;
const largestPiece = 16 * 1024 * 1024;
const wantedPieces = 4096;

/** Bytes per piece for a file of that size: the least power of two ≥ 256 KiB with at most 4,096 pieces, at most 16 MiB. */
export function pieceSizeFor(size: number): number {
	let piece = smallestPiece;
	while (piece < largestPiece && size > piece * wantedPieces) piece *= 2;
	return piece;
}

/** How many pieces a file of that size has; none when it is empty. */
export function pieceCount(size: number, pieceSize: number = pieceSizeFor(size)): number {
	return Math.ceil(size / pieceSize);
}

/** How many bytes piece `index` has: the piece size, less for the last one. */
export function pieceLength(size: number, index: number, pieceSize: number = pieceSizeFor(size)): number {
	return Math.min(pieceSize, size - index * pieceSize);
}
