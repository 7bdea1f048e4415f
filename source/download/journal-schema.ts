import type {DatabaseSync} from 'node:sqlite';
import {type ErrorCode, P2pError} from '../core/errors.ts';
import type {StoredDownload, StoredState} from './journal.ts';

const schemaVersion = 3;

/** Folders of a folder that hold nothing. */
const emptyFolders = `
CREATE TABLE tree_folder(content TEXT, path TEXT, PRIMARY KEY(content, path)) WITHOUT ROWID;
PRAGMA user_version=${schemaVersion};`;

const tables = `
CREATE TABLE download(
  id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL, parent INTEGER NOT NULL DEFAULT 0, name TEXT NOT NULL,
  size INTEGER NOT NULL, files INTEGER, sources TEXT NOT NULL, only TEXT, state TEXT NOT NULL, place REAL NOT NULL,
  once INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0, code TEXT, message TEXT, path TEXT, UNIQUE(content, parent));
CREATE INDEX download_place ON download(place);
CREATE INDEX download_done ON download(id) WHERE state='done';
CREATE INDEX download_parent ON download(parent) WHERE parent<>0;
CREATE TABLE pieces(
  download INTEGER PRIMARY KEY REFERENCES download ON DELETE CASCADE, layer BLOB, have BLOB, touched BLOB);
CREATE TABLE tree(content TEXT, n INTEGER, path TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
  PRIMARY KEY(content, n)) WITHOUT ROWID;
${emptyFolders}`;

/** Version 1 knew no folders: its rows move over as they are. */
const fromVersion1 = `
ALTER TABLE download RENAME TO old_download;
ALTER TABLE pieces RENAME TO old_pieces;
${tables}
INSERT INTO download(id, content, name, size, sources, only, state, place, once, done, code, message, path)
  SELECT id, content, name, size, sources, only, state, place, once, done, code, message, path FROM old_download;
INSERT INTO pieces SELECT download, layer, have, touched FROM old_pieces;
DROP TABLE old_pieces;
DROP TABLE old_download;`;

/** Makes the tables, or brings those of an older version up to date. @throws P2pError bad-database for a newer one */
export function migrate(db: DatabaseSync, file: string): void {
	db.exec('BEGIN IMMEDIATE');
	try {
		const {user_version: found} = db.prepare('PRAGMA user_version').get() as {user_version: number};
		if (found === 0) db.exec(tables);
		else if (found === 1) db.exec(fromVersion1);
		else if (found === 2) db.exec(emptyFolders);
		else if (found !== schemaVersion)
			throw new P2pError('bad-database', `${file} was written by another version of p2p-tui`, {
				hint: 'Update p2p-tui, or move the file away to start with an empty list',
			});
		db.exec('COMMIT');
	} catch (error) {
		db.exec('ROLLBACK');
		throw error;
	}
}

/** A row of the table of downloads. */
export type DownloadRecord = {
	id: number;
	content: string;
	parent: number;
	name: string;
	size: number;
	files: number | null;
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

/** The columns that every listed download needs: not the sources, which may be many. */
export const listedColumns = 'id, content, name, size, files, state, place, once, done, code, message, path';

/** A row without its sources, as a download. */
export function fromRecord(row: Omit<DownloadRecord, 'sources' | 'only' | 'parent'>): StoredDownload {
	return {
		id: row.id,
		content: row.content,
		name: row.name,
		size: row.size,
		...(row.files !== null && {files: row.files}),
		state: row.state,
		place: row.place,
		once: row.once === 1,
		done: row.done,
		...(row.code !== null && {code: row.code}),
		...(row.message !== null && {message: row.message}),
		...(row.path !== null && {path: row.path}),
	};
}
