import {DatabaseSync, type StatementSync} from 'node:sqlite';
import {type ErrorCode, P2pError} from '../core/errors.ts';
import {type DownloadRecord, fromRecord, listedColumns, migrate} from './journal-schema.ts';
import type {DownloadSource, TreeFile} from './types.ts';

/** What of a download's state outlives the process. `active`: it is to go on by itself. */
export type StoredState = 'active' | 'paused' | 'failed' | 'done';

/** A download as it is listed: without its sources, its bitmaps and, for a folder, its files. */
export type StoredDownload = {
	id: number;
	/** Content ID of the file, or of the folder (tree-content.ts). */
	content: string;
	name: string;
	size: number;
	/** How many files the folder has; absent: it is one file. */
	files?: number;
	state: StoredState;
	/** Place in the queue: a lower one is earlier. */
	place: number;
	/** Added by a one-shot command, so that no other process goes on with it by itself. */
	once: boolean;
	/** Verified bytes when it was last written. */
	done: number;
	code?: ErrorCode;
	message?: string;
	path?: string;
};

/** Who was known to hold it, and whom alone to ask. */
export type StoredSources = {sources: DownloadSource[]; from?: string[]};

/** The large fields of one download. Pieces: see bitmap.ts. */
export type StoredPieces = {
	/** The piece layer, checked against the content ID when it was stored. */
	layer?: Uint8Array;
	/** Verified, and on the disk for certain. */
	have?: Uint8Array;
	/** Handed out for fetching at some time: whether they are there must be looked at. */
	touched?: Uint8Array;
};

/** What is put in. */
export type NewDownload = Pick<StoredDownload, 'content' | 'name' | 'size' | 'files' | 'once'> & StoredSources;

/** What can change in a stored download. */
export type StoredChange = Partial<Omit<StoredDownload, 'id' | 'content'> & StoredSources>;

/** Finished downloads that are remembered. */
export const historyKept = 1000;
/** The oldest are forgotten when so many more have finished. */
const historySlack = 64;

/**
 * The downloads and how far they are, in one SQLite file that several processes may share. `have` never runs ahead of
 * the disk; `touched` always does, so that after `kill -9` also the pieces are found that nobody came to write down.
 */
export class Journal {
	readonly #db: DatabaseSync;
	#finished = 0;
	readonly #prepared = new Map<string, StatementSync>();

	/** @throws P2pError bad-database */
	constructor(file: string) {
		try {
			this.#db = new DatabaseSync(file);
			this.#db.exec(
				'PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON',
			);
			migrate(this.#db, file);
		} catch (error) {
			if (error instanceof P2pError) throw error;
			throw new P2pError('bad-database', `Cannot use the list of downloads ${file}: ${(error as Error).message}`, {
				cause: error,
				hint: 'Move the file away to start with an empty list; partial files are found again',
			});
		}
	}

	/** A page of the downloads in the order of the queue, without the parts of folders. */
	page(after: {place: number; id: number} | undefined, limit: number): StoredDownload[] {
		const {place, id} = after ?? {place: -Number.MAX_VALUE, id: 0};
		const rows = this.#prepare(
			`SELECT ${listedColumns} FROM download WHERE (place, id) > (?, ?) AND parent=0 ORDER BY place, id LIMIT ?+0`,
		).all(place, id, limit);
		return (rows as DownloadRecord[]).map(fromRecord);
	}

	/** The download of a content; `parent`: as a part of that folder. */
	find(content: string, parent = 0): StoredDownload | undefined {
		const row = this.#prepare(`SELECT ${listedColumns} FROM download WHERE content=? AND parent=?`).get(
			content,
			parent,
		);
		return row && fromRecord(row as DownloadRecord);
	}

	/** Where the file with that content was put when it was downloaded before, as far as it is remembered. */
	finished(content: string): {file: string; size: number} | undefined {
		const row = this.#prepare(
			'SELECT path AS file, size FROM download WHERE content=? AND parent=0 AND files IS NULL AND path NOT NULL',
		).get(content);
		return row as {file: string; size: number} | undefined;
	}

	/** The sources of a download. */
	sources(id: number): StoredSources {
		const row = this.#prepare('SELECT sources, only FROM download WHERE id=?').get(id) as
			| Pick<DownloadRecord, 'sources' | 'only'>
			| undefined;
		if (!row) return {sources: []};
		return {
			sources: JSON.parse(row.sources) as DownloadSource[],
			...(row.only !== null && {from: JSON.parse(row.only) as string[]}),
		};
	}

	/** Adds one at the queue's end. @param parent the folder that it is a part of */
	add(download: NewDownload, parent = 0): StoredDownload {
		const {content, name, size, files, sources, from, once} = download;
		const row = this.#prepare(
			`INSERT INTO download(content, parent, name, size, files, sources, only, state, once, place)
				VALUES(?,?,?,?,?,?,?,'active',?, 1 + coalesce((SELECT max(place) FROM download), 0)) RETURNING ${listedColumns}`,
		).get(
			...[content, parent, name, size, files ?? null, JSON.stringify(sources)],
			...[from ? JSON.stringify(from) : null, Number(once)],
		);
		return fromRecord(row as DownloadRecord);
	}

	/** Changes some fields; one that is there and undefined is cleared. */
	update(id: number, change: StoredChange): void {
		const fields: string[] = [];
		const values: (string | number | null)[] = [];
		for (const [key, value] of Object.entries(change)) {
			fields.push(`${key === 'from' ? 'only' : key}=?`);
			values.push(toColumn(value));
		}
		this.#prepare(`UPDATE download SET ${fields.join(', ')} WHERE id=?`).run(...values, id);
	}

	/** Forgets a download and its parts. */
	remove(id: number): void {
		this.#transaction(() => {
			this.#removeTree(id);
			this.#prepare('DELETE FROM download WHERE id=?').run(id);
		});
	}

	/** What is known of its pieces. */
	pieces(id: number): StoredPieces {
		const row = this.#prepare('SELECT layer, have, touched FROM pieces WHERE download=?').get(id) as
			| {layer: Uint8Array | null; have: Uint8Array | null; touched: Uint8Array | null}
			| undefined;
		return {
			...(row?.layer && {layer: row.layer}),
			...(row?.have && {have: row.have}),
			...(row?.touched && {touched: row.touched}),
		};
	}

	/** Writes down what of the pieces is given and leaves the rest as it is. */
	setPieces(id: number, {layer, have, touched}: StoredPieces): void {
		this.#prepare(
			`INSERT INTO pieces(download, layer, have, touched) VALUES(?,?,?,?) ON CONFLICT(download) DO UPDATE SET
				layer=coalesce(excluded.layer, layer), have=coalesce(excluded.have, have),
				touched=coalesce(excluded.touched, touched)`,
		).run(id, layer ?? null, have ?? null, touched ?? null);
	}

	/** Some files of a folder, by the folder's content ID; in one transaction. Those written before are left as they are. */
	addTree(content: string, first: number, files: readonly TreeFile[]): void {
		this.#transaction(() => {
			const insert = this.#prepare('INSERT OR IGNORE INTO tree(content, n, path, file, size) VALUES(?,?,?,?,?)');
			for (const [i, {path, content: file, size}] of files.entries()) insert.run(content, first + i, path, file, size);
		});
	}

	/** A page of a folder's files, from the `first`th, in the order in which they were put in. */
	tree(content: string, first: number, limit: number): TreeFile[] {
		return this.#prepare(
			'SELECT path, file AS content, size FROM tree WHERE content=? AND n>=? ORDER BY n LIMIT ?+0',
		).all(content, first, limit) as TreeFile[];
	}

	/** The folders of a folder that hold nothing, by the folder's content ID; those written before stay. */
	addEmptyFolders(content: string, paths: readonly string[]): void {
		this.#transaction(() => {
			const insert = this.#prepare('INSERT OR IGNORE INTO tree_folder(content, path) VALUES(?,?)');
			for (const path of paths) insert.run(content, path);
		});
	}

	/** The folders of a folder that hold nothing, sorted by the bytes of their paths. */
	emptyFolders(content: string): string[] {
		const rows = this.#prepare('SELECT path FROM tree_folder WHERE content=? ORDER BY path').all(content);
		return rows.map(row => String(row.path));
	}

	/** Marks a download done, drops what only an unfinished one needs, and forgets the oldest finished ones. */
	finish(id: number, path: string, size: number): void {
		this.#transaction(() => {
			this.update(id, {state: 'done', path, done: size, code: undefined, message: undefined});
			this.#prepare('DELETE FROM pieces WHERE download=?').run(id);
			this.#removeTree(id);
			if (this.#finished++ % historySlack !== 0) return;
			const old = `SELECT id FROM download WHERE state='done' ORDER BY id DESC LIMIT -1 OFFSET ${historyKept}`;
			this.#prepare(`DELETE FROM download WHERE id IN (${old})`).run();
		});
	}

	/** Closes the database. */
	close(): void {
		if (this.#db.isOpen) this.#db.close();
	}

	/** Compiled once: a statement takes longer to compile than to run. */
	#prepare(sql: string): StatementSync {
		let statement = this.#prepared.get(sql);
		if (!statement) {
			statement = this.#db.prepare(sql);
			this.#prepared.set(sql, statement);
		}
		return statement;
	}

	#removeTree(id: number): void {
		this.#prepare('DELETE FROM download WHERE parent=?').run(id);
		for (const table of ['tree', 'tree_folder'])
			this.#prepare(`DELETE FROM ${table} WHERE content=(SELECT content FROM download WHERE id=?)`).run(id);
	}

	#transaction(work: () => void): void {
		this.#db.exec('BEGIN IMMEDIATE');
		try {
			work();
			this.#db.exec('COMMIT');
		} catch (error) {
			this.#db.exec('ROLLBACK');
			throw error;
		}
	}
}

function toColumn(value: StoredChange[keyof StoredChange]): string | number | null {
	if (value === undefined) return null;
	if (typeof value === 'object') return JSON.stringify(value);
	return typeof value === 'boolean' ? Number(value) : value;
}
