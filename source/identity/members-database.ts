// `members.db` in a server's data folder: whether its network is private, who is a member, who is invited. The running
// server and the commands on its machine read and write it side by side.
import {existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {P2pError} from '../core/errors.ts';

const fileName = 'members.db';
/** Marks the file as ours: "p2pm". */
const applicationId = 0x7032706d;
const schemaVersion = 1;

/**
 * setting: `private` 0 or 1, `network-key`, `address` where the server listened last. invite: hash is SHA-256 of the
 * secret; times are Unix milliseconds. member: removed is when, or null; invite is the one it came by.
 */
const schema = `
	CREATE TABLE setting(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
	CREATE TABLE invite(id TEXT PRIMARY KEY, hash BLOB NOT NULL, uses INT NOT NULL, used INT NOT NULL DEFAULT 0,
		created INT NOT NULL, expires INT NOT NULL, withdrawn INT) WITHOUT ROWID;
	CREATE TABLE member(id TEXT PRIMARY KEY, name TEXT NOT NULL, number INT, invite TEXT NOT NULL, joined INT NOT NULL,
		seen INT NOT NULL, removed INT) WITHOUT ROWID;`;

/**
 * The members database of a data folder; undefined when there is none and none is to be made.
 *
 * @param options.synced every change is on the disk when the call returns, as a removal must be; without it a change can
 * be lost with the power, and nothing waits for the disk
 * @throws P2pError bad-database
 */
export function openMembersDatabase(
	folder: string,
	{make, synced}: {make: boolean; synced: boolean},
): DatabaseSync | undefined {
	const file = path.join(folder, fileName);
	if (!existsSync(file)) {
		if (!make) return undefined;
		// SQLite would make it as open as the process's umask; its journals take after it.
		writeFileSync(file, '', {mode: 0o600, flag: 'a'});
	}
	let database: DatabaseSync | undefined;
	try {
		database = new DatabaseSync(file);
		database.exec(
			`PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=${synced ? 'FULL' : 'NORMAL'}`,
		);
		prepare(database);
		return database;
	} catch (error) {
		database?.close();
		throw new P2pError('bad-database', `The list of members ${file} cannot be used: ${(error as Error).message}`, {
			hint: 'Restore it from a backup; without it nobody is a member',
			cause: error,
		});
	}
}

function prepare(database: DatabaseSync): void {
	const number = (pragma: string) => {
		const row = database.prepare(`PRAGMA ${pragma}`).get() as Record<string, number>;
		return row[pragma] ?? 0;
	};
	if (number('user_version') === schemaVersion && number('application_id') === applicationId) return;
	inTransaction(database, () => {
		const version = number('user_version');
		// Another process may have made the tables meanwhile.
		if (version === schemaVersion && number('application_id') === applicationId) return;
		if (version > schemaVersion) throw new Error('a newer p2p-tui has written it');
		if (version !== 0 || number('application_id') !== 0) throw new Error('it is something else');
		database.exec(`${schema} PRAGMA application_id=${applicationId}; PRAGMA user_version=${schemaVersion}`);
	});
}

/** Does all of the work or nothing of it, with no other process in between. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
	database.exec('BEGIN IMMEDIATE');
	try {
		const result = work();
		database.exec('COMMIT');
		return result;
	} catch (error) {
		if (database.isTransaction) database.exec('ROLLBACK');
		throw error;
	}
}
