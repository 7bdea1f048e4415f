import type {SQLOutputValue} from 'node:sqlite';
import type {FileStamp} from './catalog.ts';
import type {FileState} from './hash-messages.ts';

/**
 * What tells a file's bytes from others without reading them. The birth time tells a new file in a reused inode, with a
 * copied modification time, from the old one; it is 0 where the file system has none.
 */
export function stampOf({mtimeNs, ino, birthtimeNs}: FileState): FileStamp {
	return `${mtimeNs}.${ino}.${birthtimeNs}`;
}

/** The modification time in a stamp, in nanoseconds. */
export function stampMtimeNs(stamp: FileStamp): bigint {
	return BigInt(stamp.slice(0, stamp.indexOf('.')));
}

/** The modification time in a stamp, in whole Unix seconds. */
export function stampMtime(stamp: FileStamp): number {
	return Math.floor(Number(stamp.slice(0, stamp.indexOf('.'))) / 1e9);
}

/** A content ID as stored, in hex. */
export function contentHex(stored: SQLOutputValue | Uint8Array | undefined): string {
	const bytes = stored as Uint8Array;
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
