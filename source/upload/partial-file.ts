// Pieces of what is still being downloaded here: a file spreads faster than its first holder could send it to each.
import {pieceCount, pieceSizeFor} from '../content/content-id.ts';
import type {PieceLayer} from '../content/piece-layer.ts';
import {P2pError} from '../core/errors.ts';
import type {ByteRange} from './http-range.ts';
import type {PartialFile, ServedFile} from './served-catalog.ts';

/** As one of the files that can be sent. It belongs to no share. */
export function asServedFile({content, name, file, folder, size}: PartialFile): ServedFile {
	return {content, path: `/${name}`, file, folder, size, mtimeNs: undefined};
}

/** The piece layer, with the pieces that are here by now. */
export function layerOf({size, layer, have}: PartialFile): PieceLayer {
	return {pieceSize: pieceSizeFor(size), size, layer: Buffer.from(layer), have: Buffer.from(have)};
}

/** @throws P2pError not-found when not every byte of the range has been verified */
export function checkVerified({size, have}: PartialFile, {start, end}: ByteRange): void {
	const pieceSize = pieceSizeFor(size);
	for (let piece = Math.floor(start / pieceSize); piece * pieceSize < end; piece++) {
		if (hasPiece(have, piece)) continue;
		const pieces = pieceCount(size);
		let here = 0;
		for (let each = 0; each < pieces; each++) if (hasPiece(have, each)) here++;
		throw new P2pError(
			'not-found',
			`Still downloading here: piece ${piece} is not there yet, ${here} of ${pieces} are`,
			{
				hint: 'GET …/pieces tells which',
				details: {pieces, here},
			},
		);
	}
}

function hasPiece(have: Uint8Array, piece: number): boolean {
	return ((have[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;
}
