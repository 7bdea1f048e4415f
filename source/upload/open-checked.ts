// Opening a shared file so that nothing else is read: a path may have been swapped for a link, a pipe or another file
// since it was hashed, even between two of our own calls.
import {type BigIntStats, close, constants, fstat, lstat, open, read, readlink, realpath} from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';
import {diskError, P2pError, systemCode} from '../core/errors.ts';
import type {ServedFile} from './served-catalog.ts';

const openFile = promisify(open);
const closeFile = promisify(close);
const readLink = promisify(readlink);
const realPath = promisify(realpath.native);
const readBytes = promisify(read);

// Not following the last component is for the race only, real paths have no links; not blocking is for a pipe.
export const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file that is still inside its share and still has the size and time it was hashed with.
 *
 * @returns the descriptor; whoever opens closes
 * @throws P2pError changed, not-found, not-readable
 */
export async function openChecked(served: ServedFile): Promise<number> {
	try {
		const root = await realFolder(served.folder);
		const fd = await openInside(served, root);
		try {
			await checkUnchanged(fd, served);
			if (!isInside(root, await pathOfDescriptor(fd, served))) throw leftShare(served);
			return fd;
		} catch (error) {
			await closeFile(fd);
			throw error;
		}
	} catch (error) {
		throw readError(error, served);
	}
}

/** What a failed look at a shared file means to whoever asked for it: a P2pError but for what nobody expects. */
export function readError(error: unknown, served: ServedFile): unknown {
	const code = systemCode(error);
	if (code === 'ENOENT' || code === 'ENOTDIR')
		return new P2pError('not-found', `${served.path} is no longer there`, {cause: error});
	// A link where the real path had none a moment ago; a socket; a device that is not there.
	if (code === 'ELOOP' || code === 'EMLINK' || code === 'ENXIO') return hasChanged(served);
	// The path on this disk is nobody else's business: it stays in the cause.
	return diskError(error, `Cannot read ${served.path}`);
}

/** @throws P2pError changed when what is open is not what was hashed */
export function checkStats(stats: BigIntStats, served: ServedFile): void {
	const asHashed = served.mtimeNs === undefined || stats.mtimeNs === served.mtimeNs;
	if (!stats.isFile() || !asHashed || stats.size !== BigInt(served.size)) throw hasChanged(served);
}

/**
 * Opens by the path as it is where the system tells afterwards what was opened, which is what counts; by the real path
 * elsewhere, and for a link.
 *
 * @throws P2pError not-found when it leads out of the share
 */
async function openInside(served: ServedFile, root: string): Promise<number> {
	if (process.platform === 'linux') {
		try {
			return await openFile(served.file, readFlags);
		} catch (error) {
			if (systemCode(error) !== 'ELOOP') throw error;
		}
	}
	const real = await realPath(served.file);
	if (!isInside(root, real)) throw leftShare(served);
	return openFile(real, readFlags);
}

/** Real paths of share folders, for a moment: small files are asked for by the thousand. */
const realFolders = new Map<string, {path: Promise<string>; until: number}>();
/** Milliseconds. */
export const folderFreshMs = 1000;

function realFolder(folder: string): Promise<string> {
	const now = Date.now();
	const known = realFolders.get(folder);
	if (known && now < known.until) return known.path;
	const found = realPath(folder);
	realFolders.set(folder, {path: found, until: now + folderFreshMs});
	found.catch(() => realFolders.delete(folder));
	return found;
}

/** @throws P2pError changed when the open file is not what was hashed */
export async function checkUnchanged(fd: number, served: ServedFile): Promise<void> {
	checkStats(await descriptorStats(fd), served);
}

/** Fills `buffer` up to `length` from `position`. @throws P2pError changed when the file ends before, not-readable */
export async function readExactly(
	fd: number,
	buffer: Buffer,
	length: number,
	position: number,
	served: ServedFile,
): Promise<void> {
	for (let done = 0; done < length; ) {
		const {bytesRead} = await readBytes(fd, buffer, done, length - done, position + done).catch(cause => {
			throw new P2pError('not-readable', `Cannot read ${served.path}: the disk reports an error`, {cause});
		});
		if (bytesRead === 0) throw hasChanged(served);
		done += bytesRead;
	}
}

/** Whether the error says that the file is no longer the one that was hashed. */
export function isStale(error: unknown): boolean {
	return error instanceof P2pError && (error.code === 'changed' || error.code === 'not-found');
}

function descriptorStats(fd: number): Promise<BigIntStats> {
	return new Promise((resolve, reject) => {
		fstat(fd, {bigint: true}, (error, stats) => (error ? reject(error) : resolve(stats)));
	});
}

/** Where an open file really lies. Linux says so of the descriptor itself; elsewhere path and descriptor are compared. */
async function pathOfDescriptor(fd: number, served: ServedFile): Promise<string> {
	if (process.platform === 'linux') {
		try {
			return await readLink(`/proc/self/fd/${fd}`);
		} catch (error) {
			// No /proc in this container.
			if (systemCode(error) !== 'ENOENT') throw error;
		}
	}
	const real = await realPath(served.file);
	const [opened, there] = await Promise.all([
		descriptorStats(fd),
		new Promise<BigIntStats>((resolve, reject) => {
			lstat(real, {bigint: true}, (error, stats) => (error ? reject(error) : resolve(stats)));
		}),
	]);
	if (opened.ino !== there.ino || opened.dev !== there.dev) throw hasChanged(served);
	return real;
}

export function isInside(root: string, file: string): boolean {
	const relative = path.relative(root, file);
	return relative !== '' && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

export function hasChanged(served: ServedFile): P2pError {
	return new P2pError('changed', `${served.path} has changed since it was shared`, {
		hint: 'Search again: it is offered anew once it has been read',
	});
}

export function leftShare(served: ServedFile): P2pError {
	return new P2pError('not-found', `${served.path} is no longer in its share`);
}
