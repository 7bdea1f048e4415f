import {constants} from 'node:fs';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import {P2pError, systemCode} from '../core/errors.ts';
import {writeError} from './disk-error.ts';
import type {PartFile} from './part-file.ts';
import {numberedName} from './safe-name.ts';

/** The content ID of a file, or undefined when it cannot be read. */
export type HashFile = (file: string) => Promise<string | undefined>;

/** What is wanted where. */
export type Placement = {folder: string /** Already safe. */; name: string; content: string; size: number};

const mostNumbers = 10_000;
/** What link() answers where the file system knows no second names. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL', 'EACCES']);

/**
 * Looks whether the content lies in the folder already, under the name or a numbered one.
 *
 * @returns its path
 */
export async function findPlaced(wanted: Placement, hashFile: HashFile): Promise<string | undefined> {
	for (const file of candidates(wanted)) {
		const found = await fs.lstat(file).catch(() => undefined);
		if (!found) return undefined;
		if (found.isFile() && found.size === wanted.size && (await hashFile(file)) === wanted.content) return file;
	}
	return undefined;
}

/**
 * Gives a complete, synced partial file its name. Never overwrites: a name that is taken by other content gets ` (2)`.
 *
 * @returns its path, and whether the same content lay there already, so that the partial file was not needed
 * @throws P2pError disk-full, not-writable, or changed when somebody swapped the partial file
 */
export async function placePart(
	part: PartFile,
	wanted: Placement,
	hashFile: HashFile,
): Promise<{path: string; alreadyThere: boolean}> {
	try {
		if (!(await part.unmoved()))
			throw new P2pError('changed', `Somebody replaced or removed ${part.path}`, {hint: 'Retry the download'});
		for (const file of candidates(wanted)) {
			if (await moveTo(part.path, file)) {
				await syncFolder(wanted.folder);
				return {path: file, alreadyThere: false};
			}
			const found = await fs.lstat(file).catch(() => undefined);
			if (found?.isFile() && found.size === wanted.size && (await hashFile(file)) === wanted.content)
				return {path: file, alreadyThere: true};
		}
		throw new P2pError('not-writable', `There are too many files called ${wanted.name}`);
	} catch (error) {
		throw writeError(error, wanted.folder);
	}
}

function* candidates({folder, name}: Placement): Generator<string> {
	yield path.join(folder, name);
	for (let n = 2; n < mostNumbers; n++) yield path.join(folder, numberedName(name, n));
}

/** Moves without ever replacing. @returns false when the name is taken */
async function moveTo(from: string, to: string): Promise<boolean> {
	try {
		await fs.link(from, to);
	} catch (error) {
		const code = systemCode(error) ?? '';
		if (code === 'EEXIST') return false;
		if (noLinks.has(code)) return renameTo(from, to);
		throw error;
	}
	await fs.unlink(from);
	return true;
}

/** For disks without links (FAT, some network drives): takes the name with an empty file, then moves over that. */
async function renameTo(from: string, to: string): Promise<boolean> {
	try {
		await (await fs.open(to, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY)).close();
	} catch (error) {
		if (systemCode(error) === 'EEXIST') return false;
		throw error;
	}
	try {
		await fs.rename(from, to);
	} catch (error) {
		await fs.rm(to, {force: true});
		throw error;
	}
	return true;
}

/** A new name is on the disk only when its folder is. Windows and some network drives cannot do it. */
async function syncFolder(folder: string): Promise<void> {
	try {
		const handle = await fs.open(folder, 'r');
		await handle.sync().finally(() => handle.close());
	} catch {
		// The file itself is synced; the name follows with the system's own writing.
	}
}
