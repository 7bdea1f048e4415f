// Small files, opened, checked and read in one go: five trips to Node's thread pool for each cost more than to send it.
import {
	type BigIntStats,
	closeSync,
	fstatSync,
	lstatSync,
	openSync,
	readlinkSync,
	readSync,
	realpathSync,
} from 'node:fs';
import {systemCode} from '../core/errors.ts';
import {checkStats, folderFreshMs, hasChanged, isInside, leftShare, readError, readFlags} from './open-checked.ts';
import type {ServedFile} from './served-catalog.ts';

/**
 * Reads part of a shared file, with all the checks of `openChecked`, and once more after the reading. Blocks: for a
 * thread that has nothing else to do.
 *
 * @param target as long as what is wanted
 * @throws P2pError changed, not-found, not-readable
 */
export function readSmall(served: ServedFile, start: number, target: Uint8Array): void {
	let fd: number | undefined;
	try {
		const root = realFolder(served.folder);
		fd = openInside(served, root);
		checkStats(fstatSync(fd, {bigint: true}), served);
		if (!isInside(root, pathOf(fd, served))) throw leftShare(served);
		for (let done = 0; done < target.length; ) {
			const read = readSync(fd, target, done, target.length - done, start + done);
			if (read === 0) throw hasChanged(served);
			done += read;
		}
		checkStats(fstatSync(fd, {bigint: true}), served);
	} catch (error) {
		throw readError(error, served);
	} finally {
		if (fd !== undefined) closeSync(fd);
	}
}

function openInside(served: ServedFile, root: string): number {
	if (process.platform === 'linux') {
		try {
			return openSync(served.file, readFlags);
		} catch (error) {
			if (systemCode(error) !== 'ELOOP') throw error;
		}
	}
	const real = realpathSync.native(served.file);
	if (!isInside(root, real)) throw leftShare(served);
	return openSync(real, readFlags);
}

function pathOf(fd: number, served: ServedFile): string {
	if (process.platform === 'linux') {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`);
		} catch (error) {
			if (systemCode(error) !== 'ENOENT') throw error;
		}
	}
	const real = realpathSync.native(served.file);
	const [opened, there]: [BigIntStats, BigIntStats] = [fstatSync(fd, {bigint: true}), lstatSync(real, {bigint: true})];
	if (opened.ino !== there.ino || opened.dev !== there.dev) throw hasChanged(served);
	return real;
}

const realFolders = new Map<string, {path: string; until: number}>();

function realFolder(folder: string): string {
	const now = Date.now();
	const known = realFolders.get(folder);
	if (known && now < known.until) return known.path;
	const found = realpathSync.native(folder);
	realFolders.set(folder, {path: found, until: now + folderFreshMs});
	return found;
}
