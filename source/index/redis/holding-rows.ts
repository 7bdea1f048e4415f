// Who holds what, as the registry of files keeps it: rows of one peer that came together are a chunk, and chunks are the
// elements of a list in Redis. A row beside its neighbours costs Redis a tenth of what a key or a field of its own costs.
import {crc32} from 'node:zlib';
import {baseName} from '../../core/share-path.ts';

const contentBytes = 32;
/** Number of the peer, generation of its catalog, Unix seconds: 4 bytes each. */
const headBytes = 12;
/** Content ID, 4 bytes of the path's hash, the size as a double, 1 byte with the length of the name that follows. */
const rowBytes = contentBytes + 4 + 8 + 1;
/** A longer name is cut: it only stands in until a read model answers. */
const nameBytes = 44;
/** In place of the size: the holding is over. */
const over = -1;
/** Rows of one chunk: two of them and more share 8 KB, which Redis keeps in one piece. */
const chunkRows = 48;

/** What all rows of a chunk have in common. `gen`: of the peer's catalog; `at`: Unix seconds. */
export type ChunkHead = {number: number; gen: number; at: number};

/** A row to be written. `size`: undefined when this path holds the content no longer. */
export type RowToWrite = {content: string; path: string; size?: number};

/** A row as it was read. `key`: what it is about, so that a later row with the same key takes its place. */
export type HoldingRow = ChunkHead & {content: Buffer; key: string; isOver: boolean; size: number; name: string};

/** Rows as chunks, in their order. */
export function packRows({number, gen, at}: ChunkHead, rows: RowToWrite[]): Buffer[] {
	const chunks: Buffer[] = [];
	for (let first = 0; first < rows.length; first += chunkRows) {
		const some = rows.slice(first, first + chunkRows);
		const chunk = Buffer.allocUnsafe(headBytes + some.length * (rowBytes + nameBytes));
		chunk.writeUInt32BE(number, 0);
		chunk.writeUInt32BE(gen, 4);
		chunk.writeUInt32BE(at, 8);
		let end = headBytes;
		for (const {content, path, size} of some) {
			chunk.write(content, end, 'hex');
			chunk.writeUInt32BE(crc32(path), end + contentBytes);
			chunk.writeDoubleBE(size ?? over, end + contentBytes + 4);
			// Never a part of a character.
			const length = size === undefined ? 0 : chunk.write(baseName(path), end + rowBytes, nameBytes, 'utf8');
			chunk[end + rowBytes - 1] = length;
			end += rowBytes + length;
		}
		chunks.push(chunk.subarray(0, end));
	}
	return chunks;
}

/** The rows of a chunk in their order. @throws RangeError when it is damaged */
export function* readRows(chunk: Buffer): Generator<HoldingRow> {
	const head = {number: chunk.readUInt32BE(0), gen: chunk.readUInt32BE(4), at: chunk.readUInt32BE(8)};
	for (let at = headBytes; at < chunk.length; ) {
		const end = at + rowBytes + chunk.readUInt8(at + rowBytes - 1);
		const size = chunk.readDoubleBE(at + contentBytes + 4);
		yield {
			...head,
			content: chunk.subarray(at, at + contentBytes),
			key: chunk.toString('latin1', 0, 4) + chunk.toString('latin1', at, at + contentBytes + 4),
			isOver: size === over,
			size,
			name: chunk.toString('utf8', at + rowBytes, end),
		};
		at = end;
	}
}

/**
 * A chunk without some of its rows, the very same when all stay; undefined when none does. `stays` is asked from the last row
 * to the first.
 */
export function filterRows(chunk: Buffer, stays: (row: HoldingRow) => boolean): Buffer | undefined {
	const rows = [...readRows(chunk)];
	const kept = rows.toReversed().filter(stays).reverse();
	if (kept.length === rows.length) return chunk;
	if (kept.length === 0) return undefined;
	const parts = kept.map(({content}) => {
		const at = content.byteOffset - chunk.byteOffset;
		return chunk.subarray(at, at + rowBytes + chunk.readUInt8(at + rowBytes - 1));
	});
	return Buffer.concat([chunk.subarray(0, headBytes), ...parts]);
}
