import fc from 'fast-check';
import {expect, test} from 'vitest';
import {contentOfPieceLayer} from '../../source/content/content-hasher.ts';
import {pieceCount, pieceLength, pieceSizeFor} from '../../source/content/content-id.ts';
import {decodePieceLayer, encodePieceLayer, pieceLayerWireBytes} from '../../source/content/piece-layer.ts';

const MiB = 1024 * 1024;
const size = fc.oneof(
	fc.integer({min: 0, max: 40 * MiB}),
	fc.maxSafeInteger().filter(n => n >= 0),
	fc.integer({min: 18, max: 40}).chain(power => fc.integer({min: -2, max: 2}).map(off => 2 ** power + off)),
);

test('piece size: a power of two from 256 KiB to 16 MiB, the least with at most 4,096 pieces', () => {
	fc.assert(
		fc.property(size, bytes => {
			const piece = pieceSizeFor(bytes);
			expect(Number.isInteger(Math.log2(piece))).toBe(true);
			expect(piece).toBeGreaterThanOrEqual(MiB / 4);
			expect(piece).toBeLessThanOrEqual(16 * MiB);
			if (piece < 16 * MiB) expect(bytes / piece).toBeLessThanOrEqual(4096);
			if (piece > MiB / 4) expect(bytes / (piece / 2)).toBeGreaterThan(4096);
		}),
	);
});

test('the lengths of the pieces add up to the size, each within the piece size', () => {
	fc.assert(
		fc.property(fc.integer({min: 0, max: 3 * 1024 * MiB}), bytes => {
			const count = pieceCount(bytes);
			const lengths = Array.from({length: count}, (_, i) => pieceLength(bytes, i));
			expect(lengths.reduce((sum, each) => sum + each, 0)).toBe(bytes);
			expect(lengths.every(each => each > 0 && each <= pieceSizeFor(bytes))).toBe(true);
			expect(lengths.slice(0, -1).every(each => each === pieceSizeFor(bytes))).toBe(true);
		}),
	);
});

/** A layer of made-up hashes for a file of that size, and the content ID that it gives. */
const layers = fc
	.integer({min: 0, max: 30 * MiB})
	.chain(bytes =>
		fc.record({
			bytes: fc.constant(bytes),
			layer: fc.uint8Array({minLength: pieceCount(bytes) * 32, maxLength: pieceCount(bytes) * 32}),
			have: fc.option(
				fc.uint8Array({minLength: Math.ceil(pieceCount(bytes) / 8), maxLength: Math.ceil(pieceCount(bytes) / 8)}),
				{nil: undefined},
			),
		}),
	)
	.map(({bytes, layer, have}) => ({
		...contentOfPieceLayer(Buffer.from(layer), bytes),
		have: have && Buffer.from(have),
	}));

test('a layer comes back as it was sent, for its own content and size only', () => {
	fc.assert(
		fc.property(layers, fc.nat(), ({content, size: bytes, pieceSize, pieceLayer, have}, at) => {
			const sent = encodePieceLayer({pieceSize, size: bytes, layer: pieceLayer, ...(have && {have})});
			expect(sent.length).toBeLessThanOrEqual(pieceLayerWireBytes(bytes));
			const got = decodePieceLayer(sent, content, bytes);
			expect(got).toEqual({pieceSize, size: bytes, layer: pieceLayer, ...(have && {have})});
			const corrupt = expect.objectContaining({code: 'corrupt'});
			expect(() =>
				decodePieceLayer(
					sent,
					content.replace(/^./, c => (c === '0' ? '1' : '0')),
					bytes,
				),
			).toThrow(corrupt);
			expect(() => decodePieceLayer(sent, content, bytes + 1)).toThrow(corrupt);
			expect(() => decodePieceLayer(sent.subarray(0, -1), content, bytes)).toThrow(corrupt);
			expect(() => decodePieceLayer(Buffer.concat([sent, Buffer.alloc(1)]), content, bytes)).toThrow(corrupt);
			if (pieceLayer.length > 0) {
				const changed = Buffer.from(sent);
				const place = 20 + (at % pieceLayer.length);
				changed[place] = changed[place]! ^ 1;
				expect(() => decodePieceLayer(changed, content, bytes)).toThrow(corrupt);
			}
		}),
	);
});

test('noise is refused as corrupt, never another error', () => {
	fc.assert(
		fc.property(fc.uint8Array({maxLength: 200}), fc.nat(), (noise, bytes) => {
			const content = 'ab'.repeat(32);
			for (const body of [Buffer.from(noise), Buffer.concat([Buffer.from('P2PL\u0001'), noise])]) {
				expect(() => decodePieceLayer(body, content, bytes)).toThrow(expect.objectContaining({code: 'corrupt'}));
			}
		}),
	);
});
