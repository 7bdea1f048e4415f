import {existsSync, renameSync, rmSync} from 'node:fs';
import {backup, DatabaseSync, type StatementSync} from 'node:sqlite';
import {diskError, P2pError} from '../../core/errors.ts';

/** Grows with each change of the tables. */
const schemaVersion = 4;
/** Marks the file as ours: "p2pi". */
const applicationId = 0x70327069;

/**
 * For the writer. A log of 128 MiB before it is taken into the file: contents lie all over their tables, so that each
 * transaction changes pages that the ones before it changed, and each is copied once for many; a fifth of all work when
 * measured. In quiet moments it is emptied (maintenance.ts).
 */
const pragmas = `
	PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;
	PRAGMA wal_autocheckpoint=16000; PRAGMA journal_size_limit=67108864; PRAGMA busy_timeout=5000;`;

/** Who registered, and under which number: what cannot be made again from what peers send. */
const peerTables = `
	CREATE TABLE meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
	INSERT INTO meta VALUES('content-key', randomblob(16));
	CREATE TABLE peer(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, host TEXT NOT NULL,
		port INT NOT NULL, addresses TEXT NOT NULL, epoch TEXT, version INT NOT NULL DEFAULT 0,
		files INT NOT NULL DEFAULT 0, bytes INT NOT NULL DEFAULT 0, gen INT NOT NULL DEFAULT 0, seen INT NOT NULL,
		gone INT NOT NULL DEFAULT 0);`;

/**
 * Small rows, because there are millions: what is 0 or '' takes no room in a row.
 *
 * file: one row per content and claimed size, found in filekey by 32 bits of its ID (content-key.ts); nsrc the shares it has, twin
 * whether it is there with other sizes as well, pop the popularity under which it is in fts, name what most shares call
 * it. folder: one per folder of a peer, with the
 * sum of all below it; a peer's root has parent 0 and its number as name; at is Unix seconds. share: one file of one peer,
 * found by its folder and 24 bits of its name (nh); gen tells the rows of a catalog that was replaced. holder: the same
 * shares, found by content; at counts from its folder's. The name of both is '' where it is the content's own. fts: words
 * of a content's paths under a row ID that sorts by popularity (fts-text.ts), in small pages: where two lists are gone through
 * side by side, whatever is passed over in a page is read one by one. tok, voc: every word once, found by what is
 * inside it.
 */
const catalogTables = `
	CREATE TABLE folder(id INTEGER PRIMARY KEY, peer INT NOT NULL, parent INT NOT NULL, name TEXT NOT NULL,
		path TEXT NOT NULL, at INT NOT NULL, files INT NOT NULL DEFAULT 0, bytes INT NOT NULL DEFAULT 0);
	CREATE UNIQUE INDEX folder_parent ON folder(parent, name);
	CREATE INDEX folder_peer ON folder(peer);
	CREATE TABLE share(folder INT NOT NULL, nh INT NOT NULL, file INT NOT NULL, gen INT NOT NULL, name TEXT NOT NULL,
		PRIMARY KEY(folder, nh, file)) WITHOUT ROWID;
	CREATE TABLE holder(file INT NOT NULL, folder INT NOT NULL, name TEXT NOT NULL, at INT NOT NULL,
		PRIMARY KEY(file, folder, name)) WITHOUT ROWID;
	CREATE TABLE file(id INTEGER PRIMARY KEY, nsrc INT NOT NULL, size INT NOT NULL, twin INT NOT NULL,
		pop INT NOT NULL, hash BLOB NOT NULL, name TEXT NOT NULL);
	CREATE TABLE filekey(hk INT NOT NULL, file INT NOT NULL, PRIMARY KEY(hk, file)) WITHOUT ROWID;
	CREATE VIRTUAL TABLE fts USING fts5(t, content='', contentless_delete=1, tokenize='ascii',
		prefix='1 2 3 4 5 6', detail=none);
	CREATE TABLE tok(id INTEGER PRIMARY KEY, t TEXT NOT NULL UNIQUE);
	CREATE VIRTUAL TABLE voc USING fts5(t, content='', columnsize=0, tokenize='trigram', detail=none);`;

/**
 * How the full-text table is written: what a transaction gathers (8 MiB) becomes one part, and four parts of a size are
 * merged. Fewer parts to look through make searches a fifth cheaper while files register; writing costs the same.
 */
const textOptions =
	"INSERT INTO fts(fts, rank) VALUES('automerge', 4), ('hashsize', 8388608), ('deletemerge', 0), ('pgsz', 1000)";

/** The tables of earlier versions. */
const dropOldCatalog = ['fts', 'voc', 'tok', 'file', 'filekey', 'share', 'holder', 'folder']
	.map(table => `DROP TABLE IF EXISTS ${table};`)
	.join(' ');

/**
 * Opens the index's database for writing and makes it where there is none. `emptied`: it was of an older version, and
 * what peers share was taken out of it.
 *
 * @throws P2pError bad-database when it is damaged, of a newer version, or no index; not-readable, disk-full…
 */
export function openForWriting(file: string): {database: DatabaseSync; emptied: boolean} {
	return guarded(file, () => {
		const isNew = !existsSync(file);
		const database = new DatabaseSync(file);
		try {
			// Free pages are given back in quiet moments (maintenance.ts); a file that exists keeps its form until it is vacuumed.
			if (isNew) database.exec('PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL');
			database.exec(pragmas);
			const version = numberOf(database, 'user_version');
			const id = numberOf(database, 'application_id');
			const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as {n: number};
			if (version === 0 && tables.n === 0) create(database);
			else if (id !== applicationId) throw refuse(file, 'it is not the index of a p2p-tui server');
			else if (version > schemaVersion) throw refuse(file, 'a newer version of p2p-tui wrote it', 'Update p2p-tui');
			const emptied = version > 0 && version < schemaVersion;
			if (emptied) migrate(database);
			database.exec(textOptions);
			database.prepare('SELECT count(*) FROM peer').get();
			database.prepare("SELECT rowid FROM fts WHERE fts MATCH 'a' LIMIT 1").get();
			return {database, emptied};
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

function guarded<T>(file: string, open: () => T): T {
	try {
		return open();
	} catch (error) {
		throw databaseError(file, error);
	}
}

function create(database: DatabaseSync): void {
	database.exec(
		`BEGIN IMMEDIATE; ${peerTables} ${catalogTables}
		PRAGMA application_id=${applicationId}; PRAGMA user_version=${schemaVersion}; COMMIT;`,
	);
}

/**
 * Brings a database of an earlier version to the present form. Numbers, names and addresses of peers stay; what they share
 * is taken out, and their next registration is told to send it all again, as it was told at the first.
 */
function migrate(database: DatabaseSync): void {
	database.exec('BEGIN IMMEDIATE');
	try {
		database.exec(`${dropOldCatalog} ${catalogTables}
			UPDATE peer SET epoch=NULL, version=0, files=0, bytes=0; PRAGMA user_version=${schemaVersion}; COMMIT`);
	} catch (error) {
		if (database.isTransaction) database.exec('ROLLBACK');
		throw error;
	}
	database.exec('PRAGMA auto_vacuum=INCREMENTAL; VACUUM');
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
