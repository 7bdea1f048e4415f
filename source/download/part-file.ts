import {close, constants, fdatasync, fstat, fsync, ftruncate, open} from 'node:fs';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {P2pError, systemCode} from '../core/errors.ts';
import {writeError} from './disk-error.ts';
import {openFolder} from './open-folder.ts';
import {lockPart, type PartLock} from './part-lock.ts';

// Plain descriptors, not FileHandles: the transfer workers write through the same one, so that nobody can put another
// file in its place between two opens.
const [openFd, closeFd, fstatFd, fsyncFd, fdatasyncFd, ftruncateFd] = [
	promisify(open),
	promisify(close),
	promisify(fstat),
	promisify(fsync),
	promisify(fdatasync),
	promisify(ftruncate),
];

/** The folder for partial files inside the downloads folder. */
const partFolderName = '.p2p-tui';
/** Absent on Windows, where a symbolic link needs rights that strangers do not have. */
const noFollow = constants.O_NOFOLLOW ?? 0;

/** A partial file, open and locked for this process. */
export type PartFile = {
	readonly fd: number;
	readonly path: string;
	/** It held bytes when it was opened. */
	readonly existed: boolean;
	/** The bytes written so far are on the disk once this resolves. */
	sync(): Promise<void>;
	/** The same, with the file's length and times: before it is moved into place. */
	syncAll(): Promise<void>;
	/** Whether what lies at {@link PartFile.path} is still this very file. */
	unmoved(): Promise<boolean>;
	/** Closes and unlocks it, and removes the folder when that leaves it empty. Nobody may write to it any more. */
	close(options?: {remove?: boolean}): Promise<void>;
};

/** Where the partial file of a content lies. */
function partPath(downloads: string, content: string): string {
	return path.join(downloads, partFolderName, `${content}.part`);
}

/**
 * Opens or makes the partial file of a content, as long as the whole and sparse.
 *
 * @throws P2pError in-use when another process downloads the same content here; disk-full; not-writable, also when a
 * link lies where the file or its folder should
 */
export async function openPart(downloads: string, content: string, size: number): Promise<PartFile> {
	const file = partPath(downloads, content);
	try {
		const {lock} = await lockName(downloads, content);
		try {
			return await openLocked(downloads, file, size, lock);
		} catch (error) {
			lock.release();
			await removeIfEmpty(path.dirname(file));
			throw error;
		}
	} catch (error) {
		throw writeError(error, downloads);
	}
}

/** Deletes what a download that is not open has left behind, unless another process is at it. */
export async function removePart(downloads: string, content: string): Promise<void> {
	const file = partPath(downloads, content);
	if (!(await fs.lstat(file).catch(() => undefined)) || !(await isFolder(path.dirname(file)))) return;
	const lock = lockPart(lockPath(file));
	if (lock) await fs.rm(file, {force: true}).catch(() => undefined);
	lock?.release();
	await removeIfEmpty(path.dirname(file));
}

function lockPath(file: string): string {
	return `${file.slice(0, -'.part'.length)}.lock`;
}

/**
 * Takes a name in the folder for partial files for this process alone. @returns the folder's path, and the lock
 *
 * @throws P2pError in-use, not-writable, disk-full
 */
export async function lockName(downloads: string, name: string): Promise<{folder: string; lock: PartLock}> {
	const folder = path.join(downloads, partFolderName);
	try {
		const lock = await lockIn(downloads, path.join(folder, `${name}.lock`));
		if (lock) return {folder, lock};
	} catch (error) {
		throw writeError(error, downloads);
	}
	throw new P2pError('in-use', 'Another program downloads the same content to the same folder', {
		hint: 'Let it finish, or choose another folder with --downloads',
	});
}

/** Makes the folder and takes the lock; another download that ends may remove the folder in between. */
async function lockIn(downloads: string, lockFile: string): Promise<PartLock | undefined> {
	const folder = path.dirname(lockFile);
	for (let attempt = 0; ; attempt++) {
		await fs.mkdir(downloads, {recursive: true});
		await fs.mkdir(folder).catch(error => {
			if (systemCode(error) !== 'EEXIST') throw error;
		});
		const found = await fs.lstat(folder).catch(() => undefined);
		if (!found && attempt < 10) continue;
		if (!found?.isDirectory())
			throw new P2pError('not-writable', `${folder} is not a folder`, {hint: 'Move it away and retry'});
		try {
			return lockPart(lockFile);
		} catch (error) {
			if (attempt < 10 && !(await isFolder(folder))) continue;
			await fs.access(folder, constants.W_OK | constants.X_OK);
			throw error;
		}
	}
}

async function openLocked(downloads: string, file: string, size: number, lock: PartLock): Promise<PartFile> {
	const folder = openFolder(downloads, path.dirname(file));
	const inside = path.join(folder.path, path.basename(file));
	const flags = constants.O_RDWR | constants.O_CREAT | noFollow;
	const fd = await openFd(inside, flags, 0o666).finally(() => folder.close());
	try {
		const found = await fstatFd(fd);
		// A second name would be written to as well.
		if (!found.isFile() || found.nlink > 1)
			throw new P2pError('not-writable', `${file} is not a file of ours`, {hint: 'Move it away and retry'});
		if (found.size !== size) await ftruncateFd(fd, size);
		return partOf(file, fd, found.size > 0, lock);
	} catch (error) {
		await closeFd(fd);
		throw error;
	}
}

function partOf(file: string, fd: number, existed: boolean, lock: PartLock): PartFile {
	let open = true;
	return {
		fd,
		path: file,
		existed,
		sync: () => fdatasyncFd(fd),
		syncAll: () => fsyncFd(fd),
		async unmoved() {
			const [ours, there] = await Promise.all([fstatFd(fd), fs.lstat(file).catch(() => undefined)]);
			return there?.isFile() === true && there.ino === ours.ino && there.dev === ours.dev;
		},
		async close({remove = false} = {}) {
			if (!open) return;
			open = false;
			await closeFd(fd);
			if (remove) await fs.rm(file, {force: true}).catch(() => undefined);
			lock.release();
			await removeIfEmpty(path.dirname(file));
		},
	};
}

async function isFolder(folder: string): Promise<boolean> {
	return (await fs.lstat(folder).catch(() => undefined))?.isDirectory() === true;
}

/** Removes the folder for partial files when nothing is in it any more. */
export async function removeIfEmpty(folder: string): Promise<void> {
	await fs.rmdir(folder).catch(() => undefined);
}
