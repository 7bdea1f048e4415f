import {randomBytes} from 'node:crypto';
import {mkdirSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync} from 'node:sqlite';
import {type ErrorCode, P2pError} from '../core/errors.ts';

const layout = 1;

// A folder's sums count everything below it; the top folder of a share has parent 0. `known` remembers the contents of
// files that went away, so that one that comes back under another name or in another share is not read again.
const schema = `
CREATE TABLE meta(epoch TEXT NOT NULL, version INTEGER NOT NULL, clean INTEGER NOT NULL, boot INTEGER NOT NULL);
CREATE TABLE share(root INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, folder TEXT NOT NULL UNIQUE);
CREATE TABLE folder(id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER NOT NULL, name TEXT NOT NULL,
  files INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, UNIQUE(parent, name));
CREATE TABLE file(id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
  stamp TEXT NOT NULL, content BLOB NOT NULL, version INTEGER NOT NULL, shared_at INTEGER NOT NULL, UNIQUE(folder, name));
CREATE INDEX file_content ON file(content);
CREATE INDEX file_version ON file(version);
CREATE INDEX file_stamp ON file(stamp);
CREATE TABLE tombstone(version INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE known(id INTEGER PRIMARY KEY, stamp TEXT NOT NULL, size INTEGER NOT NULL, content BLOB NOT NULL,
  UNIQUE(stamp, size));
CREATE TABLE layer(content BLOB PRIMARY KEY, layer BLOB NOT NULL) WITHOUT ROWID;
`;

/** Kinds of SQLite failures by primary result code. */
const failures: Record<number, {code: ErrorCode; text: string; hint: string}> = {
	5: {code: 'in-use', text: 'another process has it open', hint: 'Stop the other p2p-tui, or use another --data-dir'},
	8: {code: 'not-writable', text: 'it is read-only', hint: 'Check the permissions of the data folder'},
	13: {code: 'disk-full', text: 'the disk is full', hint: 'Free some space'},
	14: {code: 'not-writable', text: 'it cannot be opened', hint: 'Check the permissions of the data folder'},
};

/** One prepared statement whose failures are P2pErrors. */
export type Query = {
	get(...values: SQLInputValue[]): Record<string, SQLOutputValue> | undefined;
	all(...values: SQLInputValue[]): Record<string, SQLOutputValue>[];
	/** @returns the rowid of the last insert */
	run(...values: SQLInputValue[]): number;
};

/** The catalog's file: opened, checked, and closed in order. */
export class CatalogDatabase {
	readonly #file: string;
	readonly #database: DatabaseSync;

	/**
	 * Opens `<dataDir>/catalog.db`, making it when it is missing.
	 *
	 * @throws P2pError bad-database when it is damaged or not ours, in-use, not-writable, disk-full
	 */
	constructor(dataDir: string) {
		mkdirSync(dataDir, {recursive: true, mode: 0o700});
		this.#file = path.join(dataDir, 'catalog.db');
		this.#database = this.#guard(() => new DatabaseSync(this.#file));
		try {
			this.#guard(() => this.#open());
		} catch (error) {
			this.#database.close();
			throw error;
		}
	}

	prepare(sql: string): Query {
		const statement: StatementSync = this.#guard(() => this.#database.prepare(sql));
		return {
			get: (...values) => this.#guard(() => statement.get(...values)),
			all: (...values) => this.#guard(() => statement.all(...values)),
			run: (...values) => this.#guard(() => Number(statement.run(...values).lastInsertRowid)),
		};
	}

	get inTransaction(): boolean {
		return this.#database.isOpen && this.#database.isTransaction;
	}

	begin(): void {
		this.#guard(() => this.#database.exec('BEGIN'));
	}

	commit(): void {
		this.#guard(() => this.#database.exec('COMMIT'));
	}

	/** Undoes what was not committed. Never throws: it is called when something failed already. */
	rollback(): void {
		try {
			if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
		} catch {
			// The failure that led here is the one that is told.
		}
	}

	/** Marks the log as complete and closes. */
	close(): void {
		if (!this.#database.isOpen) return;
		try {
			this.#guard(() => this.#database.exec('UPDATE meta SET clean = 1; PRAGMA wal_checkpoint(TRUNCATE)'));
		} finally {
			this.#database.close();
		}
	}

	#open(): void {
		const database = this.#database;
		// Checkpoints come often, so that none is long: with 400 pages a commit took 14 ms at p99, with 1,000 27 ms.
		database.exec(`PRAGMA busy_timeout=1000; PRAGMA page_size=8192; PRAGMA journal_mode=WAL;
			PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=400`);
		const {user_version: found} = database.prepare('PRAGMA user_version').get() as {user_version: number};
		const {tables} = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as {tables: number};
		if (found > layout) throw this.#bad('it was written by a newer version of p2p-tui');
		if (found !== layout && tables > 0) throw this.#bad('it is not a catalog of p2p-tui');
		if (tables === 0) {
			database.exec(`BEGIN; ${schema}; PRAGMA user_version=${layout}`);
			database
				.prepare('INSERT INTO meta(epoch, version, clean, boot) VALUES (?, 0, 1, 0)')
				.run(randomBytes(16).toString('hex'));
			database.exec('COMMIT');
		}
		this.#markOpen();
	}

	/**
	 * A killed process loses nothing that it committed, but a lost system may lose the newest commits: the versions that
	 * servers have seen would then be given to other changes. So a log left open before this boot ends its epoch.
	 */
	#markOpen(): void {
		const meta = this.#database.prepare('SELECT clean, boot FROM meta').get();
		if (!meta) throw this.#bad('its first page is empty');
		const boot = Math.round(Date.now() / 1000 - os.uptime());
		if (meta.clean !== 1 && Math.abs(Number(meta.boot) - boot) > 60) {
			this.#database.prepare('UPDATE meta SET epoch = ?').run(randomBytes(16).toString('hex'));
		}
		this.#database.prepare('UPDATE meta SET clean = 0, boot = ?').run(boot);
	}

	#bad(why: string, cause?: unknown): P2pError {
		return new P2pError('bad-database', `The catalog ${this.#file} cannot be used: ${why}`, {
			hint: 'Delete that file and start again: no shared file is lost, they are only hashed anew',
			cause,
		});
	}

	#guard<T>(work: () => T): T {
		try {
			return work();
		} catch (error) {
			if (error instanceof P2pError || (error as {code?: unknown}).code !== 'ERR_SQLITE_ERROR') throw error;
			const {errcode, message} = error as unknown as {errcode: number; message: string};
			const failure = failures[errcode & 0xff];
			if (!failure) throw this.#bad(message, error);
			throw new P2pError(failure.code, `Cannot use ${this.#file}: ${failure.text}`, {hint: failure.hint, cause: error});
		}
	}
}
