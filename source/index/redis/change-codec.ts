// Catalog changes as one entry of a log holds them: columns, so that paths stand beside paths and compress, and content
// IDs, which do not, are 32 bytes each.

import {promisify} from 'node:util';
import {constants, zstdCompress, zstdDecompress} from 'node:zlib';
import {limits} from '../../api/limits.ts';
import type {CatalogChange} from '../../api/schemas.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const level = {params: {[constants.ZSTD_c_compressionLevel]: 1}};
const contentBytes = 32;

/** Paths cannot hold it; see core/share-path.ts. */
const separator = '\0';

/** Packs changes: count, lengths of the columns, sizes (-1: removed), content IDs, paths. */
export async function packChanges(changes: CatalogChange[]): Promise<Buffer> {
	const sizes = Buffer.from(changes.map(change => (change.op === 'add' ? change.size : -1)).join(separator));
	const paths = Buffer.from(changes.map(change => change.path).join(separator));
	const contents = Buffer.alloc(contentBytes * changes.filter(change => change.op === 'add').length);
	let at = 0;
	for (const change of changes) if (change.op === 'add') at += contents.write(change.content, at, 'hex');
	const head = Buffer.alloc(12);
	head.writeUInt32BE(changes.length, 0);
	head.writeUInt32BE(sizes.length, 4);
	head.writeUInt32BE(contents.length, 8);
	return compress(Buffer.concat([head, sizes, contents, paths]), level);
}

/** The same changes again. @throws when the bytes are not what {@link packChanges} makes */
export async function unpackChanges(packed: Buffer): Promise<CatalogChange[]> {
	const bytes = await decompress(packed, {maxOutputLength: limits.logBatch});
	const count = bytes.readUInt32BE(0);
	if (count === 0) return [];
	const contentsAt = 12 + bytes.readUInt32BE(4);
	const pathsAt = contentsAt + bytes.readUInt32BE(8);
	const sizes = bytes.toString('latin1', 12, contentsAt).split(separator);
	const contents = bytes.toString('hex', contentsAt, pathsAt);
	const paths = bytes.toString('utf8', pathsAt).split(separator);
	if (sizes.length !== count || paths.length !== count) throw new Error('a batch in the log is damaged');
	let at = 0;
	return paths.map((path, index): CatalogChange => {
		const size = Number(sizes[index]);
		if (size < 0) return {op: 'remove', path};
		const content = contents.slice(at, at + 2 * contentBytes);
		at += 2 * contentBytes;
		return {op: 'add', path, size, content};
	});
}
