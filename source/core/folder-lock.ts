import {existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {protectFolder} from './private-folder.ts';

/** Held until released or until the process ends, however it ends. `mended`: what {@link protectFolder} had to mend. */
export type FolderLock = {release(): void; mended: string[]};

/**
 * Takes a folder for this process alone. The lock is SQLite's own file lock, which the system drops with the process,
 * so that `kill -9` leaves nothing stale behind.
 *
 * @returns undefined when another process holds it
 * @throws P2pError unsafe-folder, not-readable
 */
export function lockFolder(folder: string): FolderLock | undefined {
	const mended = protectFolder(folder);
	const file = path.join(folder, 'lock');
	// SQLite would make it as open as the process's umask; its journal takes after it. One that exists is not opened
	// here: closing it would let go of a lock that this process holds.
	if (!existsSync(file)) writeFileSync(file, '', {mode: 0o600, flag: 'a'});
	const database = new DatabaseSync(file);
	try {
		database.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE');
	} catch (error) {
		database.close();
		if (/locked|busy/i.test(String(error))) return undefined;
		throw error;
	}
	return {release: () => database.isOpen && database.close(), mended};
}
