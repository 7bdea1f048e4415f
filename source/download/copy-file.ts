import {closeSync, constants, fstatSync, fsyncSync, openSync, writeSync} from 'node:fs';
import * as fs from 'node:fs/promises';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {contentOfPieceLayer, PieceLayerHasher} from '../content/content-hasher.ts';
import {emptyContentId} from '../content/content-id.ts';
import {hashWholeFile, readFully} from './verify-file.ts';

const chunkBytes = 1024 * 1024;
const sourceFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** What to copy where; `to` is replaced. */
export type FileCopy = {from: string; to: string; content: string; size: number};

/**
 * Copies a file that should have a content, and finds out whether it has. Where the file system can, the two share
 * their blocks (reflink); else each chunk is hashed on its way. A copy with other bytes is removed.
 *
 * @returns whether `to` has the content now; it is synced then
 */
export async function copyChecked({from, to, content, size}: FileCopy, stopped: () => boolean): Promise<boolean> {
	const ok = (await cloned(from, to))
		? (await hashWholeFile(to, stopped)) === content
		: (await copyHashing(from, to, size, stopped)) === content;
	if (!ok) await fs.rm(to, {force: true});
	return ok;
}

async function cloned(from: string, to: string): Promise<boolean> {
	await fs.rm(to, {force: true});
	try {
		await fs.copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
	} catch {
		return false;
	}
	const fd = openSync(to, 'r+');
	try {
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
	return true;
}

/** @returns the content ID of what was copied; undefined when it is not as long as it should be, or was stopped */
async function copyHashing(
	from: string,
	to: string,
	size: number,
	stopped: () => boolean,
): Promise<string | undefined> {
	const source = openSync(from, sourceFlags);
	try {
		const found = fstatSync(source);
		if (!found.isFile() || found.size !== size) return undefined;
		const target = openSync(to, 'wx', 0o666);
		try {
			const hasher = new PieceLayerHasher(size);
			const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, Math.max(size, 1)));
			for (let at = 0; at < size; ) {
				const chunk = buffer.subarray(0, Math.min(buffer.length, size - at));
				if (stopped() || !readFully(source, chunk, at)) return undefined;
				hasher.update(chunk);
				for (let out = 0; out < chunk.length; ) out += writeSync(target, chunk, out, chunk.length - out, at + out);
				at += chunk.length;
				await nextTurn();
			}
			fsyncSync(target);
			return size === 0 ? emptyContentId : contentOfPieceLayer(hasher.finish(), size).content;
		} finally {
			closeSync(target);
		}
	} finally {
		closeSync(source);
	}
}
