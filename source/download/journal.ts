import {DatabaseSync} from 'node:sqlite';
import {type ErrorCode, P2pError} from '../core/errors.ts';
import type {DownloadSource} from './types.ts';

/** What of a download's state outlives the process. `active`: it is to go on by itself. */
export type StoredState = 'active' | 'paused' | 'failed' | 'done';

/** A download as stored, without its bitmaps. */
export type StoredDownload = {
	id: number;
	content: string;
	name: string;
	size: number;
	sources: DownloadSource[];
	from?: string[];
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

/** The large fields of one download. Pieces: see bitmap.ts. */
export type StoredPieces = {
	/** The piece layer, checked against the content ID when it was stored. */
	layer?: Uint8Array;
	/** Verified, and on the disk for certain. */
	have?: Uint8Array;
	/** Handed out for fetching at some time: whether they are there must be looked at. */
	touched?: Uint8Array;
};

/** What can change in a stored download. */
export type StoredChange = Partial<Omit<StoredDownload, 'id' | 'content'>>;

const schemaVersion = 1;
const schema = `
CREATE TABLE download(
  id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL UNIQUE, name TEXT NOT NULL, size INTEGER NOT NULL,
  sources TEXT NOT NULL, only TEXT, state TEXT NOT NULL, place REAL NOT NULL, once INTEGER NOT NULL,
  done INTEGER NOT NULL DEFAULT 0, code TEXT, message TEXT, path TEXT);
CREATE TABLE pieces(
  download INTEGER PRIMARY KEY REFERENCES download ON DELETE CASCADE, layer BLOB, have BLOB, touched BLOB);
PRAGMA user_version=${schemaVersion};`;

/** Finished downloads that are remembered. */
const historyKept = 1000;

type Row = {
	id: number;
	content: string;
	name: string;
	size: number;
	sources: string;
	only: string | null;
	state: StoredState;
	place: number;
	once: number;
	done: number;
	code: ErrorCode | null;
	message: string | null;
	path: string | null;
};

/**
 * The downloads and how far they are, in one SQLite file that several processes may share. `have` never runs ahead of
 * the disk; `touched` always does, so that after `kill -9` also the pieces are found that nobody came to write down.
 */
export class Journal {
	readonly #db: DatabaseSync;

	/** @throws P2pError bad-database */
	constructor(file: string) {
		try {
			this.#db = new DatabaseSync(file);
			this.#db.exec(
				'PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON',
			);
			this.#migrate(file);
		} catch (error) {
			if (error instanceof P2pError) throw error;
			throw new P2pError('bad-database', `Cannot use the list of downloads ${file}: ${(error as Error).message}`, {
				cause: error,
				hint: 'Move the file away to start with an empty list; partial files are found again',
			});
		}
	}

	#migrate(file: string): void {
		this.#db.exec('BEGIN IMMEDIATE');
		try {
			const {user_version: found} = this.#db.prepare('PRAGMA user_version').get() as {user_version: number};
			if (found === 0) this.#db.exec(schema);
			else if (found !== schemaVersion)
				throw new P2pError('bad-database', `${file} was written by another version of p2p-tui`, {
					hint: 'Update p2p-tui, or move the file away to start with an empty list',
				});
			this.#db.exec('COMMIT');
		} catch (error) {
			this.#db.exec('ROLLBACK');
			throw error;
		}
	}

	/** All downloads, in the order of the queue. */
	all(): StoredDownload[] {
		return (this.#db.prepare('SELECT * FROM download ORDER BY place, id').all() as Row[]).map(fromRow);
	}

	/** The download of a content. */
	find(content: string): StoredDownload | undefined {
		const row = this.#db.prepare('SELECT * FROM download WHERE content=?').get(content) as Row | undefined;
		return row && fromRow(row);
	}

	/** Adds one at the queue's end. */
	add(download: Omit<StoredDownload, 'id' | 'place' | 'done'>): StoredDownload {
		const {content, name, size, sources, from, state, once} = download;
		const row = this.#db
			.prepare(
				`INSERT INTO download(content, name, size, sources, only, state, once, place)
				VALUES(?,?,?,?,?,?,?, 1 + coalesce((SELECT max(place) FROM download), 0)) RETURNING *`,
			)
			.get(content, name, size, JSON.stringify(sources), from ? JSON.stringify(from) : null, state, Number(once));
		return fromRow(row as Row);
	}

	/** Changes some fields; one that is there and undefined is cleared. */
	update(id: number, change: StoredChange): void {
		const fields: string[] = [];
		const values: (string | number | null)[] = [];
		for (const [key, value] of Object.entries(change)) {
			fields.push(`${key === 'from' ? 'only' : key}=?`);
			values.push(
				value === undefined
					? null
					: typeof value === 'object'
						? JSON.stringify(value)
						: typeof value === 'boolean'
							? Number(value)
							: value,
			);
		}
		this.#db.prepare(`UPDATE download SET ${fields.join(', ')} WHERE id=?`).run(...values, id);
	}

	/** Forgets a download. */
	remove(id: number): void {
		this.#db.prepare('DELETE FROM download WHERE id=?').run(id);
	}

	/** What is known of its pieces. */
	pieces(id: number): StoredPieces {
		const row = this.#db.prepare('SELECT layer, have, touched FROM pieces WHERE download=?').get(id) as
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
		this.#db
			.prepare(
				`INSERT INTO pieces(download, layer, have, touched) VALUES(?,?,?,?) ON CONFLICT(download) DO UPDATE SET
				layer=coalesce(excluded.layer, layer), have=coalesce(excluded.have, have),
				touched=coalesce(excluded.touched, touched)`,
			)
			.run(id, layer ?? null, have ?? null, touched ?? null);
	}

	/** Marks a download done, drops its bitmaps, and forgets the oldest finished ones. */
	finish(id: number, path: string, size: number): void {
		this.#db.exec('BEGIN IMMEDIATE');
		try {
			this.update(id, {state: 'done', path, done: size, code: undefined, message: undefined});
			this.#db.prepare('DELETE FROM pieces WHERE download=?').run(id);
			this.#db
				.prepare(
					`DELETE FROM download WHERE id IN
					(SELECT id FROM download WHERE state='done' ORDER BY id DESC LIMIT -1 OFFSET ${historyKept})`,
				)
				.run();
			this.#db.exec('COMMIT');
		} catch (error) {
			this.#db.exec('ROLLBACK');
			throw error;
		}
	}

	/** Closes the database. */
	close(): void {
		if (this.#db.isOpen) this.#db.close();
	}
}

function fromRow(row: Row): StoredDownload {
	return {
		id: row.id,
		content: row.content,
		name: row.name,
		size: row.size,
		sources: JSON.parse(row.sources) as DownloadSource[],
		...(row.only !== null && {from: JSON.parse(row.only) as string[]}),
		state: row.state,
		place: row.place,
		once: row.once === 1,
		done: row.done,
		...(row.code !== null && {code: row.code}),
		...(row.message !== null && {message: row.message}),
		...(row.path !== null && {path: row.path}),
	};
}
