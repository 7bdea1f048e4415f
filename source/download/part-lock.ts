import {rmSync, statSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';

/** Held until released, or until the process ends, however it ends. */
export type PartLock = {release(): void};

const attempts = 20;

/**
 * Takes one partial file for this process alone. It is SQLite's lock on a file of no bytes beside it, which the system
 * drops with the process, so that `kill -9` leaves nothing that blocks.
 *
 * @returns undefined when another holds it
 */
export function lockPart(file: string): PartLock | undefined {
	for (let attempt = 0; attempt < attempts; attempt++) {
		const before = inode(file);
		const database = new DatabaseSync(file);
		try {
			database.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE');
		} catch (error) {
			database.close();
			if (/locked|busy/i.test(String(error))) return undefined;
			throw error;
		}
		// Whoever had it before us may have removed the file between our opening and our locking it.
		const after = inode(file);
		if (after !== undefined && (before === undefined || before === after)) return held(database, file);
		database.close();
	}
	return undefined;
}

function held(database: DatabaseSync, file: string): PartLock {
	return {
		release() {
			if (!database.isOpen) return;
			remove(file);
			database.close();
			// Windows removes no open file. Not elsewhere: by now it may be another's.
			if (process.platform === 'win32') remove(file);
		},
	};
}

function remove(file: string): void {
	try {
		rmSync(file, {force: true});
	} catch {
		// An empty lock file that stays hinders nobody.
	}
}

function inode(file: string): bigint | undefined {
	return statSync(file, {bigint: true, throwIfNoEntry: false})?.ino;
}
