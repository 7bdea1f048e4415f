import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {contentOfPieceLayer, PieceLayerHasher} from '../../source/content/content-hasher.ts';
import {blockSize, emptyContentId, pieceSizeFor} from '../../source/content/content-id.ts';
import {pieceHash, rootOfPieceLayer} from '../../source/content/merkle.ts';

type Vector = {size: number; sha256: string; root: string | null; pieceLayer: string | null};

// Made by libtorrent: see make-vectors.py beside it.
const fixture = JSON.parse(readFileSync(new URL('../fixtures/content/vectors.json', import.meta.url), 'utf8')) as {
	pieceSize: number;
	vectors: Vector[];
};

/** The rule of make-vectors.py. */
function contentOfSize(size: number): Buffer {
	const bytes = Buffer.allocUnsafe(size);
	for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 255;
	return bytes;
}

function hash(bytes: Buffer, step: number) {
	const hasher = new PieceLayerHasher(bytes.length);
	for (let at = 0; at < bytes.length; at += step) hasher.update(bytes.subarray(at, at + step));
	return contentOfPieceLayer(hasher.finish(), bytes.length);
}

describe.each(fixture.vectors)('libtorrent, $size bytes', ({size, sha256, root, pieceLayer}) => {
	const bytes = contentOfSize(size);

	test('the bytes are those that libtorrent hashed', () => {
		expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
	});

	test('root and piece layer are the same, whatever the size of the reads', () => {
		for (const step of [blockSize, 5 * blockSize, 1024 * 1024]) {
			const hashed = hash(bytes, step);
			expect(hashed.content).toBe(root ?? emptyContentId);
			expect(hashed.pieceSize).toBe(fixture.pieceSize);
			if (pieceLayer !== null) expect(hashed.pieceLayer.toString('hex')).toBe(pieceLayer);
			else expect(hashed.pieceLayer.toString('hex')).toBe(root ?? '');
		}
	});

	test('each piece alone has the hash that the layer names', () => {
		const layer = hash(bytes, blockSize).pieceLayer;
		for (let at = 0, piece = 0; at < size; at += fixture.pieceSize, piece++) {
			const expected = layer.subarray(piece * 32, (piece + 1) * 32);
			expect(pieceHash(bytes.subarray(at, at + fixture.pieceSize), size)).toEqual(expected);
		}
	});
});

test('the vectors hold layers as well as files of one piece', () => {
	expect(fixture.vectors.filter(vector => vector.pieceLayer !== null).length).toBeGreaterThan(10);
	expect(fixture.vectors.filter(vector => vector.root !== null && vector.pieceLayer === null).length).toBeGreaterThan(
		10,
	);
});

test('parts of a file hashed apart give the layer of the whole', () => {
	const bytes = contentOfSize(3 * 1024 * 1024 + 5);
	const border = 2 * 1024 * 1024;
	const parts = [bytes.subarray(0, border), bytes.subarray(border)].map(part => {
		const hasher = new PieceLayerHasher(bytes.length, part.length);
		hasher.update(part);
		return hasher.finish();
	});
	expect(Buffer.concat(parts)).toEqual(hash(bytes, blockSize).pieceLayer);
});

test('bytes after a ragged end are a bug, not a wrong hash', () => {
	const hasher = new PieceLayerHasher(40_000);
	hasher.update(Buffer.alloc(20_000));
	expect(() => hasher.update(Buffer.alloc(20_000))).toThrow('after the last block');
});

test('a root from a layer does not depend on the piece size', () => {
	// 8 MiB in pieces of 256 KiB and of 1 MiB: the upper layer is the lower one's parents two levels up.
	const bytes = contentOfSize(8 * 1024 * 1024);
	const size = 2 ** 31; // pretends to be part of a file with larger pieces, so that a piece of 1 MiB is full width
	const large = pieceSizeFor(size * 2);
	const layer = Buffer.concat(
		Array.from({length: bytes.length / large}, (_, i) =>
			pieceHash(bytes.subarray(i * large, (i + 1) * large), size * 2),
		),
	);
	expect(large).toBe(1024 * 1024);
	expect(rootOfPieceLayer(layer, large).toString('hex')).toBe(hash(bytes, blockSize).content);
});
