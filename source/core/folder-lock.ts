import {mkdirSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';

/** Held until released or until the process ends, however it ends. */
export type FolderLock = {release(): void};

/**
 * Takes a folder for this process alone. The lock is SQLite's own file lock, which the system drops with the process,
 * so that `kill -9` leaves nothing stale behind.
 *
 * @returns undefined when another process holds it
 */
export function lockFolder(folder: string): FolderLock | undefined {
	mkdirSync(folder, {recursive: true, mode: 0o700});
	const database = new DatabaseSync(path.join(folder, 'lock'));
	try {
		database.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE');
	} catch (error) {
		database.close();
		if (/locked|busy/i.test(String(error))) return undefined;
		throw error;
	}
	return {release: () => database.isOpen && database.close()};
}
