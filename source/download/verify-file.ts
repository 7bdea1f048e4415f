import {closeSync, constants, fstatSync, openSync, readSync} from 'node:fs';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {emptyContentId, pieceLength, pieceSizeFor} from '../content/content-id.ts';
import {pieceHash, rootOfPieceLayer} from '../content/merkle.ts';
import {hasBit, makeBitmap, setBit} from './bitmap.ts';

/** A partial file to look through. */
export type PartToVerify = {
	fd: number;
	size: number;
	layer: Uint8Array;
	/** Which pieces to look at. */
	candidates: Uint8Array;
};

const probeBytes = 4096;
const zeros = Buffer.alloc(probeBytes);

/**
 * Which of the candidate pieces are there. A piece that starts and ends in zeros is a hole for all we care: fetching
 * it anew costs less than hashing a terabyte of nothing. Gives way to other work of its thread after each piece.
 */
export async function verifyPart(
	{fd, size, layer, candidates}: PartToVerify,
	progress: (bytes: number) => void,
	stopped: () => boolean,
): Promise<Uint8Array> {
	const pieceSize = pieceSizeFor(size);
	const pieces = Math.ceil(size / pieceSize);
	const have = makeBitmap(pieces);
	const buffer = Buffer.allocUnsafeSlow(Math.min(pieceSize, size));
	for (let piece = 0; piece < pieces && !stopped(); piece++) {
		const length = pieceLength(size, piece, pieceSize);
		if (hasBit(candidates, piece) && isPiece(fd, piece * pieceSize, buffer.subarray(0, length))) {
			const wanted = layer.subarray(piece * 32, piece * 32 + 32);
			if (pieceHash(buffer.subarray(0, length), size, pieceSize).equals(wanted)) setBit(have, piece);
		}
		progress(length);
		if (hasBit(candidates, piece) || piece % 256 === 255) await nextTurn();
	}
	return have;
}

/** Reads a piece into the buffer. @returns false when it is missing or looks like a hole */
function isPiece(fd: number, at: number, buffer: Buffer): boolean {
	const probe = Math.min(probeBytes, buffer.length);
	if (!readFully(fd, buffer.subarray(0, probe), at)) return false;
	if (buffer.length > probe && isZero(buffer.subarray(0, probe))) {
		const tail = buffer.subarray(buffer.length - probe);
		if (!readFully(fd, tail, at + buffer.length - probe) || isZero(tail)) return false;
	}
	return readFully(fd, buffer.subarray(probe), at + probe);
}

function isZero(bytes: Buffer): boolean {
	return bytes.equals(zeros.subarray(0, bytes.length));
}

/** Fills the buffer from a place in the file. @returns false when the file ends before */
export function readFully(fd: number, buffer: Buffer, position: number): boolean {
	for (let at = 0; at < buffer.length; ) {
		const read = readSync(fd, buffer, at, buffer.length - at, position + at);
		if (read === 0) return false;
		at += read;
	}
	return true;
}

/** The content ID of a regular file; undefined when it changes meanwhile or the work was stopped. */
export async function hashWholeFile(file: string, stopped: () => boolean): Promise<string | undefined> {
	// Not through a link, and not waiting for whoever writes to a pipe.
	const fd = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
	try {
		const found = fstatSync(fd);
		if (!found.isFile()) return undefined;
		if (found.size === 0) return emptyContentId;
		const pieceSize = pieceSizeFor(found.size);
		const buffer = Buffer.allocUnsafeSlow(Math.min(pieceSize, found.size));
		const layer: Buffer[] = [];
		for (let at = 0; at < found.size; at += pieceSize) {
			const piece = buffer.subarray(0, Math.min(pieceSize, found.size - at));
			if (stopped() || !readFully(fd, piece, at)) return undefined;
			layer.push(pieceHash(piece, found.size, pieceSize));
			await nextTurn();
		}
		return rootOfPieceLayer(Buffer.concat(layer), pieceSize).toString('hex');
	} finally {
		closeSync(fd);
	}
}
