import type {DatabaseSync} from 'node:sqlite';
import {placeOf} from '../path-hash.ts';
import type {PathHashes} from '../store.ts';

/** Files that are looked at in one go: some milliseconds in which a reader answers no search. */
const filesAtOnce = 2000;

type Row = [folder: number, path: string, nh: number, file: number, name: string];

/** Where a look through a peer's files goes on. */
export type PathsPlace = {folder: number; nh: number; file: number};
/** A part of it: paths with the place of their hash, and where to go on; undefined at the end. */
export type PathsFound = {found: [place: number, path: string][]; next: PathsPlace | undefined};

/** Finds paths of a peer by short hashes of them: it looks at all that the peer shares, in the order of the tables. */
export class PathFinder {
	readonly #rest;
	readonly #folders;

	constructor(database: DatabaseSync) {
		const prepare = (where: string) => {
			const statement = database.prepare(
				`SELECT d.id, d.path, s.nh, s.file, iif(s.name='', f.name, s.name)
				FROM folder d CROSS JOIN share s CROSS JOIN file f WHERE s.folder=d.id AND f.id=s.file AND ${where}
				ORDER BY d.id, s.nh, s.file LIMIT ?+0`,
			);
			statement.setReturnArrays(true);
			return statement;
		};
		this.#rest = prepare('d.id=? AND (s.nh, s.file)>(?, ?)');
		this.#folders = prepare('d.peer=? AND d.id>?');
	}

	/** Looks at some files of a peer, after a place; undefined at first. */
	find(peer: number, hashes: PathHashes, after: PathsPlace | undefined): PathsFound {
		const {folder, nh, file} = after ?? {folder: 0, nh: 0, file: 0};
		const rows = after ? (this.#rest.all(folder, nh, file, filesAtOnce) as unknown as Row[]) : [];
		const left = filesAtOnce - rows.length;
		if (left > 0) rows.push(...(this.#folders.all(peer, folder, left) as unknown as Row[]));
		const found: [place: number, path: string][] = [];
		for (const [, folderPath, , , name] of rows) {
			const path = folderPath === '' ? name : `${folderPath}/${name}`;
			const place = placeOf(hashes, path);
			if (place >= 0) found.push([place, path]);
		}
		const last = rows.at(-1);
		const more = last !== undefined && rows.length === filesAtOnce;
		return {found, next: more ? {folder: last[0], nh: last[2], file: last[3]} : undefined};
	}
}
