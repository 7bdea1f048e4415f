import {chmodSync, lstatSync, mkdirSync, readdirSync, statSync} from 'node:fs';
import path from 'node:path';
import {diskError, P2pError} from './errors.ts';

/** What this program keeps in a data folder; other files there are the person's own and are left alone. */
const ownFiles =
	/^(identity\..+|known_servers|[a-z-]+\.json|lock(-journal)?|(catalog|downloads|get|index|members)\.db(-wal|-shm|-journal)?|p2p-tui\.log.*)$/;

/**
 * Sees to it that a data folder and this program's files in it are for its owner alone: 0700 and 0600. The folder is
 * made when it is missing; a mode that lets others read is mended. A private key is not touched: one that others could
 * read is no secret any more, and {@link loadIdentity} refuses it.
 *
 * @returns what others could read until now, for a warning: the folder's path, or names of files
 * @throws P2pError unsafe-folder when others can write into the folder, or own it; not-readable, not-writable
 */
export function protectFolder(folder: string): string[] {
	try {
		mkdirSync(folder, {recursive: true, mode: 0o700});
		// Windows keeps data folders under the user's profile, where access lists say the same.
		if (process.platform === 'win32') return [];
		const {mode, uid} = statSync(folder);
		refuseOthers(folder, mode, uid);
		const mended: string[] = [];
		if ((mode & 0o077) !== 0) {
			chmodSync(folder, 0o700);
			mended.push(folder);
		}
		for (const entry of readdirSync(folder, {withFileTypes: true})) {
			if (!entry.isFile() || !ownFiles.test(entry.name) || entry.name.startsWith('identity.key')) continue;
			if (tighten(path.join(folder, entry.name))) mended.push(entry.name);
		}
		return mended;
	} catch (error) {
		throw diskError(error, `Cannot use the data folder ${folder}`);
	}
}

function refuseOthers(folder: string, mode: number, uid: number): void {
	if ((mode & 0o022) !== 0) {
		throw new P2pError('unsafe-folder', `Others can write into the data folder ${folder}`, {
			hint: `Run: chmod 700 '${folder}', or choose another with --data-dir`,
		});
	}
	const self = process.getuid?.();
	// Root may run anybody's; anybody else's folder is open to its owner.
	if (self !== undefined && self !== 0 && uid !== self && uid !== 0) {
		throw new P2pError('unsafe-folder', `The data folder ${folder} belongs to another user`, {
			hint: 'Choose another with --data-dir',
		});
	}
}

/** Whether the file was open to others, and is not now. SQLite's helpers come and go: one that is gone is fine. */
function tighten(file: string): boolean {
	try {
		if ((lstatSync(file).mode & 0o077) === 0) return false;
		chmodSync(file, 0o600);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
		throw error;
	}
}
