import {existsSync, renameSync, rmSync} from 'node:fs';
import {backup, DatabaseSync, type StatementSync} from 'node:sqlite';
import {diskError, P2pError} from '../../core/errors.ts';

/** What brings a database of each version to the next one, from version 1 on: each in a transaction of its own. */
const migrations = [
	// 2: sources come in the order of their folders, which is nearly that of time, and the index is smaller.
	'DROP INDEX share_file; CREATE INDEX share_file ON share(file);',
];
/** Grows with each change of the tables. */
const schemaVersion = migrations.length + 1;
/** Marks the file as ours: "p2pi". */
const applicationId = 0x70327069;

const pragmas = `
	PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;
	PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864; PRAGMA busy_timeout=5000;`;

/**
 * file: one row per content; hk are 48 bits of its ID (content-key.ts), nsrc the shares it has. folder: one per folder of a
 * peer, with the sum of all below it; a peer's root has parent 0 and its number as name. share: one file of one peer;
 * at is Unix seconds; gen tells the rows of a catalog that was replaced. fts: words of a content's paths under a row ID
 * that sorts by popularity (fts-text.ts). tok, voc: every word once, found by what is inside it.
 */
const schema = `
	CREATE TABLE meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
	INSERT INTO meta VALUES('content-key', randomblob(16));
	CREATE TABLE peer(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, host TEXT NOT NULL,
		port INT NOT NULL, addresses TEXT NOT NULL, epoch TEXT, version INT NOT NULL DEFAULT 0,
		files INT NOT NULL DEFAULT 0, bytes INT NOT NULL DEFAULT 0, gen INT NOT NULL DEFAULT 0, seen INT NOT NULL,
		gone INT NOT NULL DEFAULT 0);
	CREATE TABLE folder(id INTEGER PRIMARY KEY, peer INT NOT NULL, parent INT NOT NULL, name TEXT NOT NULL,
		path TEXT NOT NULL, files INT NOT NULL DEFAULT 0, bytes INT NOT NULL DEFAULT 0);
	CREATE UNIQUE INDEX folder_parent ON folder(parent, name);
	CREATE INDEX folder_peer ON folder(peer);
	CREATE TABLE share(folder INT NOT NULL, name TEXT NOT NULL, file INT NOT NULL, at INT NOT NULL, gen INT NOT NULL,
		PRIMARY KEY(folder, name)) WITHOUT ROWID;
	CREATE INDEX share_file ON share(file);
	CREATE TABLE file(id INTEGER PRIMARY KEY, hk INT NOT NULL, nsrc INT NOT NULL, size INT NOT NULL, hash BLOB NOT NULL);
	CREATE INDEX file_hk ON file(hk);
	CREATE VIRTUAL TABLE fts USING fts5(t, content='', contentless_delete=1, tokenize='ascii', prefix='1 2 3 4',
		detail=none);
	INSERT INTO fts(fts, rank) VALUES('automerge', 8), ('deletemerge', 0);
	CREATE TABLE tok(id INTEGER PRIMARY KEY, t TEXT NOT NULL UNIQUE);
	CREATE VIRTUAL TABLE voc USING fts5(t, content='', contentless_delete=1, tokenize='trigram', detail=none);`;

/**
 * Opens the index's database for writing and makes it where there is none.
 *
 * @throws P2pError bad-database when it is damaged, of a newer version, or no index; not-readable, disk-full…
 */
export function openForWriting(file: string): DatabaseSync {
	return guarded(file, () => {
		const isNew = !existsSync(file);
		const database = new DatabaseSync(file);
		try {
			if (isNew) database.exec('PRAGMA page_size=8192');
			database.exec(pragmas);
			const version = numberOf(database, 'user_version');
			const id = numberOf(database, 'application_id');
			const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as {n: number};
			if (version === 0 && tables.n === 0) create(database);
			else if (id !== applicationId) throw refuse(file, 'it is not the index of a p2p-tui server');
			else if (version > schemaVersion) throw refuse(file, 'a newer version of p2p-tui wrote it', 'Update p2p-tui');
			else migrate(database, version);
			database.prepare('SELECT count(*) FROM peer').get();
			database.prepare("SELECT rowid FROM fts WHERE fts MATCH 'a' LIMIT 1").get();
			return database;
		} catch (error) {
			database.close();
			throw error;
		}
	});
}

/** Opens it for reading beside the writer. */
export function openForReading(file: string): DatabaseSync {
	return guarded(file, () => {
		const database = new DatabaseSync(file, {readOnly: true});
		database.exec(
			'PRAGMA busy_timeout=5000; PRAGMA cache_size=-65536; PRAGMA mmap_size=2147418112; PRAGMA query_only=1',
		);
		return database;
	});
}

/**
 * Copies an index to another file while a server uses it (SQLite's online backup), as it is at one moment.
 *
 * @param copied told what part is copied, from 0 to 1
 * @throws P2pError not-found where there is no index, in-use when the target exists, bad-database, disk-full…
 */
export async function backUpIndex(file: string, target: string, copied?: (part: number) => void): Promise<void> {
	if (!existsSync(file)) {
		throw new P2pError('not-found', `There is no index ${file}`, {
			hint: 'Name the data folder of the server with --data-dir',
		});
	}
	if (existsSync(target))
		throw new P2pError('in-use', `${target} exists already`, {hint: 'Choose another name, or move it away'});
	const unfinished = `${target}.unfinished`;
	try {
		const database = new DatabaseSync(file, {readOnly: true});
		try {
			if (numberOf(database, 'application_id') !== applicationId)
				throw refuse(file, 'it is not the index of a p2p-tui server');
			rmSync(unfinished, {force: true});
			await backup(database, unfinished, {
				rate: 2000,
				progress: ({totalPages, remainingPages}) => copied?.(1 - remainingPages / Math.max(1, totalPages)),
			});
		} finally {
			database.close();
		}
		renameSync(unfinished, target);
	} catch (error) {
		rmSync(unfinished, {force: true});
		throw databaseError(file, error);
	}
}

/** A failure of SQLite in our terms; others come back as they are. */
export function databaseError(file: string, error: unknown): unknown {
	const {code, errcode} = error as {code?: string; errcode?: number};
	if (code !== 'ERR_SQLITE_ERROR') return diskError(error, `Cannot use the index ${file}`);
	// Primary result codes: https://www.sqlite.org/rescode.html
	switch ((errcode ?? 0) & 0xff) {
		case 11:
		case 26:
			return refuse(file, 'it is damaged', undefined, error);
		case 13:
			return new P2pError('disk-full', `The disk with the index ${file} is full`, {cause: error});
		case 8:
			return new P2pError('not-writable', `The index ${file} cannot be written`, {cause: error});
		case 14:
			return new P2pError('not-readable', `The index ${file} cannot be opened`, {cause: error});
		default:
			return error;
	}
}

function guarded(file: string, open: () => DatabaseSync): DatabaseSync {
	try {
		return open();
	} catch (error) {
		throw databaseError(file, error);
	}
}

function create(database: DatabaseSync): void {
	database.exec(
		`BEGIN IMMEDIATE; ${schema} PRAGMA application_id=${applicationId}; PRAGMA user_version=${schemaVersion}; COMMIT;`,
	);
}

function migrate(database: DatabaseSync, from: number): void {
	for (const [index, change] of migrations.entries()) {
		const version = index + 2;
		if (version <= from) continue;
		database.exec('BEGIN IMMEDIATE');
		try {
			database.exec(`${change} PRAGMA user_version=${version}; COMMIT`);
		} catch (error) {
			if (database.isTransaction) database.exec('ROLLBACK');
			throw error;
		}
	}
}

function numberOf(database: DatabaseSync, pragma: string): number {
	const row = database.prepare(`PRAGMA ${pragma}`).get() as Record<string, number> | undefined;
	return row?.[pragma] ?? 0;
}

function refuse(file: string, why: string, first?: string, cause?: unknown): P2pError {
	const away = `move ${file} away: an empty index is made, and peers register again by themselves`;
	return new P2pError('bad-database', `The index ${file} cannot be used: ${why}`, {
		hint: first ? `${first}, or ${away}` : `Restore it from a backup, or ${away}`,
		cause,
	});
}

/**
 * A statement for `run`. Full-text tables number rows of their own past 2^53, and Node 26 refuses to tell such a "last
 * row" as a number after any write; as a bigint it tells it.
 */
export function writing(database: DatabaseSync, sql: string): StatementSync {
	const statement = database.prepare(sql);
	statement.setReadBigInts(true);
	return statement;
}
