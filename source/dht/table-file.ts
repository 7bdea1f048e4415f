// The SQLite file of a node's part of the table, and the numbers by which things stand in it.
import {rmSync} from 'node:fs';
import {DatabaseSync, type StatementSync} from 'node:sqlite';
import {blake2b} from './network-key.ts';

/** Raised when tables change: a file of another version is begun anew, as others have what was in it. */
const schemaVersion = 2;
const schema = `
PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-4096;
PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=16777216; PRAGMA user_version=${schemaVersion};
CREATE TABLE IF NOT EXISTS publisher(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, address TEXT NOT NULL,
	records INT NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS publisher_address ON publisher(address);
CREATE TABLE IF NOT EXISTS record(id INTEGER PRIMARY KEY, key INT NOT NULL, publisher INT NOT NULL, content INT NOT NULL, expiry INT NOT NULL,
	mask INT NOT NULL, parts INT NOT NULL, raw BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS record_key ON record(key);
CREATE INDEX IF NOT EXISTS record_content ON record(content);
CREATE TABLE IF NOT EXISTS word(text TEXT PRIMARY KEY, id INT NOT NULL, files INT NOT NULL, split INT NOT NULL DEFAULT 0)
	WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS posting(word INT, record INT, PRIMARY KEY(word, record)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS share_of(word INT, publisher INT, files INT NOT NULL, PRIMARY KEY(word, publisher)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS presence(key INTEGER PRIMARY KEY, peer TEXT NOT NULL, time INT NOT NULL, expiry INT NOT NULL,
	raw BLOB NOT NULL);
`;

/** SQLite's words for a file that is none of its databases, or damaged: SQLITE_CORRUPT, SQLITE_NOTADB. */
const damaged = new Set<unknown>([11, 26]);

/** Opens it. @param file `:memory:` or a path; one that is damaged or of another version is begun anew */
export function openTableFile(file: string): DatabaseSync {
	const open = () => {
		const database = new DatabaseSync(file);
		try {
			const made = database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'record'").get()!.n;
			const version = database.prepare('PRAGMA user_version').get()!.user_version;
			if (made && version !== schemaVersion) throw Object.assign(new Error('of another version'), {errcode: 26});
			database.exec(schema);
			return database;
		} catch (error) {
			database.close();
			throw error;
		}
	};
	try {
		return open();
	} catch (error) {
		if (file === ':memory:' || !damaged.has((error as {errcode?: number}).errcode! & 0xff)) throw error;
		for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, {force: true});
		return open();
	}
}

/** Statements of a database, each prepared once. */
export class Statements {
	readonly #database: DatabaseSync;
	readonly #prepared = new Map<string, StatementSync>();
	readonly #many = new Map<string, StatementSync>();

	constructor(database: DatabaseSync) {
		this.#database = database;
	}

	run(sql: string): StatementSync {
		let statement = this.#prepared.get(sql);
		if (!statement) {
			statement = this.#database.prepare(sql);
			this.#prepared.set(sql, statement);
		}
		return statement;
	}

	/**
	 * Runs an INSERT over many rows, some at a time: a call for each costs more than what it does.
	 *
	 * @param sql with VALUES in the place of its rows; @param width values of a row; @param values of all rows
	 */
	insert(sql: string, width: number, values: Array<number | string | Buffer>): void {
		for (let at = 0; at < values.length; ) {
			const rows = (values.length - at) / width >= rowsAtOnce ? rowsAtOnce : 1;
			const name = `${rows} ${sql}`;
			let statement = this.#many.get(name);
			if (!statement) {
				const row = `(${Array.from({length: width}, () => '?').join(',')})`;
				statement = this.#database.prepare(sql.replace('VALUES', `VALUES ${Array(rows).fill(row).join(',')}`));
				this.#many.set(name, statement);
			}
			statement.run(...values.slice(at, at + rows * width));
			at += rows * width;
		}
	}
}

const rowsAtOnce = 32;

/** A number of 52 bits that stands for the bytes: SQLite and JavaScript both count that far. */
export function numberOf(bytes: Buffer): number {
	return bytes.readUIntBE(0, 6) * 16 + (bytes[6]! >> 4);
}

/** The same of a content ID: 52 bits are its first 13 digits. */
export function numberOfContent(content: string): number {
	return Number.parseInt(content.slice(0, 13), 16);
}

/** By which a record is known: one publisher has one of each path. Where it stands is by when it came. */
export function recordKey(peer: string, path: string): number {
	return numberOf(blake2b(peer + path));
}

/**
 * By which a word stands, 48 bits: FNV-1a twice. It need not be hard to turn round: who makes two words meet fills the
 * one no sooner than by naming it, and every file is held against the words of a query anyway.
 */
export function wordId(text: string): number {
	let [low, high] = [0x811c9dc5, 0x1b873593];
	for (let index = 0; index < text.length; index++) {
		const unit = text.charCodeAt(index);
		low = Math.imul(low ^ unit, 0x01000193);
		high = Math.imul(high ^ unit, 0x85ebca6b);
		high ^= high >>> 13;
	}
	return (low >>> 0) * 65_536 + ((high ^ (high >>> 16)) & 0xffff);
}
