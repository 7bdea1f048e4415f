// The body of GET /v1/files/:content/pieces, binary, big-endian:
//   4 bytes  "P2PL"      1 byte  version, 1      1 byte  flags      2 bytes  zero
//   4 bytes  piece size  8 bytes file size       n × 32 bytes  the piece layer
//   with flag 1: ⌈n/8⌉ bytes, the pieces that this peer can serve so far, first piece in the highest bit
import {P2pError} from '../core/errors.ts';
import {emptyContentId, pieceCount, pieceSizeFor} from './content-id.ts';
import {rootOfPieceLayer} from './merkle.ts';

const magic = 'P2PL';
const headerBytes = 20;
const partialFlag = 1;

/** A piece layer as served. `have` is absent when the peer has every piece. */
export type PieceLayer = {pieceSize: number; size: number; layer: Buffer; have?: Buffer};

/** The bytes that go over the wire. */
export function encodePieceLayer({pieceSize, size, layer, have}: PieceLayer): Buffer {
	const header = Buffer.alloc(headerBytes);
	header.write(magic, 0, 'latin1');
	header.writeUInt8(1, 4);
	header.writeUInt8(have ? partialFlag : 0, 5);
	header.writeUInt32BE(pieceSize, 8);
	header.writeBigUInt64BE(BigInt(size), 12);
	return Buffer.concat(have ? [header, layer, have] : [header, layer]);
}

/** How many bytes {@link encodePieceLayer} makes at most for a file of that size: the reader's limit. */
export function pieceLayerWireBytes(size: number): number {
	const pieces = pieceCount(size);
	return headerBytes + pieces * 32 + Math.ceil(pieces / 8);
}

/**
 * Reads and checks a piece layer against the content ID and size that were asked for.
 *
 * @throws P2pError corrupt when it is malformed or does not belong to that content
 */
export function decodePieceLayer(bytes: Buffer, content: string, size: number): PieceLayer {
	const wrong = (why: string) => new P2pError('corrupt', `Wrong piece layer: ${why}`);
	if (bytes.length < headerBytes || bytes.toString('latin1', 0, 4) !== magic) throw wrong('not a piece layer');
	if (bytes.readUInt8(4) !== 1) throw wrong(`version ${bytes.readUInt8(4)} is not known`);
	const pieceSize = bytes.readUInt32BE(8);
	const sent = bytes.readBigUInt64BE(12);
	if (sent !== BigInt(size)) throw wrong(`it is for a file of ${sent} bytes, not ${size}`);
	if (pieceSize !== pieceSizeFor(size)) throw wrong(`pieces of ${pieceSize} bytes`);
	const layerBytes = pieceCount(size) * 32;
	const partial = (bytes.readUInt8(5) & partialFlag) !== 0;
	const haveBytes = partial ? Math.ceil(pieceCount(size) / 8) : 0;
	if (bytes.length !== headerBytes + layerBytes + haveBytes) throw wrong(`${bytes.length} bytes long`);
	const layer = bytes.subarray(headerBytes, headerBytes + layerBytes);
	const root = size === 0 ? emptyContentId : rootOfPieceLayer(layer, pieceSize).toString('hex');
	if (root !== content) throw wrong('its root is not the content ID');
	return {pieceSize, size, layer, ...(partial && {have: bytes.subarray(headerBytes + layerBytes)})};
}
