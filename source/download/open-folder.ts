import {closeSync, constants, openSync, readlinkSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {P2pError, systemCode} from '../core/errors.ts';

/** A folder whose place is certain. */
export type CheckedFolder = {
	/** What stands for it in paths of files in it: on Linux the open folder itself, wherever its name leads by now. */
	readonly path: string;
	close(): void;
};

const flags = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * Opens a folder below another one that a person chose, to write files in it: no part of the way between the two may be a
 * link, however it is swapped in. Where the system has no /proc the way is checked just before.
 *
 * @throws P2pError not-writable when a link leads away; a system error when the folder is not there
 */
export function openFolder(root: string, folder: string): CheckedFolder {
	const inside = path.relative(root, folder);
	if (inside.split(path.sep)[0] === '..' || path.isAbsolute(inside)) throw leadsAway(folder);
	const expected = path.join(realpathSync(root), inside);
	if (process.platform !== 'linux') {
		if (realpathSync(folder) !== expected) throw leadsAway(folder);
		return {path: folder, close: () => undefined};
	}
	let fd: number;
	try {
		fd = openSync(folder, flags);
	} catch (error) {
		throw ['ELOOP', 'ENOTDIR'].includes(systemCode(error) ?? '') ? leadsAway(folder) : error;
	}
	try {
		const opened = readlinkSync(`/proc/self/fd/${fd}`);
		if (opened !== expected) throw leadsAway(folder);
		return {path: `/proc/self/fd/${fd}`, close: () => closeSync(fd)};
	} catch (error) {
		closeSync(fd);
		// A container without /proc.
		if (systemCode(error) !== 'ENOENT' || realpathSync(folder) !== expected) throw error;
		return {path: folder, close: () => undefined};
	}
}

function leadsAway(folder: string): P2pError {
	return new P2pError('not-writable', `${folder} is not a folder, or a link leads out of the downloads folder`, {
		hint: 'Move it away and retry',
	});
}
