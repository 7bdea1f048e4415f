import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {type ContentKeys, contentKeys} from './content-key.ts';
import type {Place} from './content-texts.ts';

/** Shares of a content that are looked at to learn its paths. */
const holdersLookedAt = 1000;

/** Of those, how many are looked at first: of a content that many share under one path, the first tell it. */
const holdersFirst = 3;

/**
 * The statements of a writing connection, prepared once. Those that read give rows as arrays. Those that write are called
 * by `get`, which finds no row: what `run` tells of each would be a tenth of all work, and nobody reads it.
 */
export class CatalogStatements {
	readonly folder: StatementSync;
	readonly folderById: StatementSync;
	readonly addFolder: StatementSync;
	readonly sumFolder: StatementSync;
	readonly dropFolder: StatementSync;
	readonly share: StatementSync;
	readonly addShare: StatementSync;
	readonly keepShare: StatementSync;
	readonly dropShare: StatementSync;
	readonly addHolder: StatementSync;
	readonly dropHolder: StatementSync;
	readonly file: StatementSync;
	readonly fileById: StatementSync;
	readonly addKey: StatementSync;
	readonly dropKey: StatementSync;
	readonly addFile: StatementSync;
	readonly setFile: StatementSync;
	readonly dropFile: StatementSync;
	readonly places: StatementSync;
	/** Contents after one, with the shares that they have. */
	readonly popularities: StatementSync;
	readonly addText: StatementSync;
	readonly dropText: StatementSync;
	/** The keys under which contents and names are found. */
	readonly keys: ContentKeys;
	#nextFile: number;
	#nextFolder: number;

	constructor(database: DatabaseSync) {
		const read = (sql: string) => {
			const statement = database.prepare(sql);
			statement.setReturnArrays(true);
			return statement;
		};
		const write = (sql: string) => database.prepare(sql);
		this.folder = read('SELECT id, at FROM folder WHERE parent=? AND name=?');
		this.folderById = read('SELECT parent, at FROM folder WHERE id=?');
		this.addFolder = write('INSERT INTO folder(id, peer, parent, name, path, at) VALUES(?, ?, ?, ?, ?, ?)');
		this.sumFolder = write('UPDATE folder SET files=files+?, bytes=bytes+? WHERE id=?');
		this.dropFolder = write('DELETE FROM folder WHERE id=? AND files=0 AND parent<>0');
		this.share = read('SELECT file, gen, name FROM share WHERE folder=? AND nh=?');
		this.addShare = write('INSERT OR REPLACE INTO share(folder, nh, file, gen, name) VALUES(?, ?, ?, ?, ?)');
		this.keepShare = write('UPDATE share SET gen=? WHERE folder=? AND nh=? AND file=?');
		this.dropShare = write('DELETE FROM share WHERE folder=? AND nh=? AND file=?');
		this.addHolder = write('INSERT OR IGNORE INTO holder(file, folder, name, at) VALUES(?, ?, ?, ?)');
		this.dropHolder = write('DELETE FROM holder WHERE file=? AND folder=? AND name=?');
		this.file = read(
			'SELECT id, nsrc, size, twin, pop, hash, name FROM filekey k JOIN file f ON f.id=k.file WHERE hk=?',
		);
		this.addKey = write('INSERT INTO filekey(hk, file) VALUES(?, ?)');
		this.dropKey = write('DELETE FROM filekey WHERE hk=? AND file=?');
		this.fileById = read('SELECT id, nsrc, size, twin, pop, hash, name FROM file WHERE id=?');
		this.addFile = write('INSERT INTO file(id, nsrc, size, twin, pop, hash, name) VALUES(?, ?, ?, ?, ?, ?, ?)');
		this.setFile = write('UPDATE file SET nsrc=?, twin=?, pop=? WHERE id=?');
		this.dropFile = write('DELETE FROM file WHERE id=?');
		this.places = read(
			`SELECT f.path, h.name, f.peer FROM (SELECT folder, name FROM holder WHERE file=? LIMIT ?+0) h JOIN folder f ON f.id=h.folder`,
		);
		this.popularities = read('SELECT id, nsrc, pop FROM file WHERE id>? ORDER BY id LIMIT ?+0');
		this.addText = write('INSERT INTO fts(rowid, t) VALUES(?, ?)');
		this.dropText = write('DELETE FROM fts WHERE rowid=?');
		this.keys = contentKeys(database);
		this.#nextFile = lastOf(database, 'file') + 1;
		this.#nextFolder = lastOf(database, 'folder') + 1;
	}

	/** Where a content is shared, under its own `name` where a share has no other; of a popular one in part. */
	placesOf(file: number, name: string): Place[] {
		return this.#places(file, name, holdersLookedAt);
	}

	/** The first of {@link placesOf}, without those of some peers, by number. */
	firstPlacesOf(file: number, name: string, without: ReadonlyMap<number, unknown>): Place[] {
		return this.#places(file, name, holdersFirst, without);
	}

	#places(file: number, name: string, most: number, without?: ReadonlyMap<number, unknown>): Place[] {
		const rows = this.places.all(file, most) as unknown as [folder: string, own: string, peer: number][];
		const places: Place[] = [];
		for (const [folder, own, peer] of rows) if (!without?.has(peer)) places.push({folder, name: own || name});
		return places;
	}

	/** An ID that no content has had since the start. */
	newFile(): number {
		return this.#nextFile++;
	}

	/** An ID that no folder has had since the start. */
	newFolder(): number {
		return this.#nextFolder++;
	}
}

function lastOf(database: DatabaseSync, table: 'file' | 'folder'): number {
	const row = database.prepare(`SELECT max(id) AS last FROM ${table}`).get() as {last: number | null};
	return row.last ?? 0;
}
