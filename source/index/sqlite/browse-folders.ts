import type {DatabaseSync} from 'node:sqlite';
import type {BrowseEntry, BrowseResponse} from '../../api/schemas.ts';
import {noSuchPath} from '../browse-files.ts';
import {readCursor, writeCursor} from '../cursor.ts';
import {contentKeys} from './content-key.ts';
import {FolderOrders} from './folder-order.ts';

/** A listing as it goes to a reader. */
export type BrowseRequest = {peer: number; path: string; limit: number; cursor?: string};

type FolderRow = {name: string; files: number; bytes: number};
type FileRow = {name: string; size: number; hash: Uint8Array};

/** Files in and below a folder from which on the order of its files is kept for the next pages. */
const largeFolder = 20_000;

/**
 * Lists folders of peers. Folders come in the order of their index; the files of a small one are sorted for each page,
 * those of a large one once.
 */
export class FolderReader {
	readonly #folder;
	readonly #folders;
	readonly #files;
	readonly #file;
	readonly #state;
	readonly #names;
	readonly #orders = new FolderOrders();
	readonly #keys;

	constructor(database: DatabaseSync) {
		this.#keys = contentKeys(database);
		this.#folder = database.prepare('SELECT id FROM folder WHERE parent=? AND name=?');
		this.#folders = database.prepare(
			'SELECT name, files, bytes FROM folder WHERE parent=? AND name>? ORDER BY name LIMIT ?+0',
		);
		const file = `SELECT iif(s.name='', f.name, s.name) AS name, f.size, f.hash FROM share s JOIN file f ON f.id=s.file
			WHERE s.folder=?`;
		this.#files = database.prepare(`SELECT * FROM (${file}) WHERE name>? ORDER BY name LIMIT ?+0`);
		// All that changes when a file comes, goes or becomes another one.
		this.#state = database.prepare(
			`SELECT d.files, concat_ws(' ', p.epoch, p.version, p.gen, d.files, d.bytes) AS text
			FROM folder d JOIN peer p ON p.number=d.peer WHERE d.id=?`,
		);
		this.#names = database.prepare(
			`SELECT s.nh, s.file, iif(s.name='', f.name, s.name) FROM share s CROSS JOIN file f
			WHERE s.folder=? AND (s.nh, s.file)>(?, ?) AND f.id=s.file ORDER BY s.nh, s.file LIMIT ?+0`,
		);
		this.#names.setReturnArrays(true);
		this.#file = database.prepare(`SELECT * FROM (${file} AND s.nh=?) WHERE name=?`);
	}

	/** One page; see IndexStore.browse. Undefined while a large folder is being put in order: ask again. */
	browse({peer, path, limit, cursor}: BrowseRequest): BrowseResponse | undefined {
		const components = path === '' ? [] : path.split('/');
		let folder = this.#find(0, String(peer));
		for (const [index, name] of components.entries()) {
			const parent: number | undefined = folder;
			folder = parent === undefined ? undefined : this.#find(parent, name);
			if (folder !== undefined) continue;
			const isLast = index === components.length - 1;
			const row = isLast && parent !== undefined ? this.#file.get(parent, this.#keys.ofName(name), name) : undefined;
			if (!row) throw noSuchPath(path);
			return {entries: [fileEntry(path, row as FileRow)]};
		}
		return folder === undefined ? {entries: []} : this.#list(folder, path, limit, cursor);
	}

	/** The content under each path of a peer; undefined where it has none. */
	contents(peer: number, paths: string[]): (string | undefined)[] {
		const folders = new Map<string, number | undefined>([['', this.#find(0, String(peer))]]);
		const idOf = (path: string): number | undefined => {
			if (folders.has(path)) return folders.get(path);
			const slash = path.lastIndexOf('/');
			const parent = idOf(path.slice(0, Math.max(0, slash)));
			const id = parent === undefined ? undefined : this.#find(parent, path.slice(slash + 1));
			folders.set(path, id);
			return id;
		};
		return paths.map(path => {
			const slash = path.lastIndexOf('/');
			const folder = idOf(path.slice(0, Math.max(0, slash)));
			const name = path.slice(slash + 1);
			const row = folder === undefined ? undefined : this.#file.get(folder, this.#keys.ofName(name), name);
			return row && contentId(row as FileRow);
		});
	}

	close(): void {
		this.#orders.close();
	}

	/** The next files of a folder by name; undefined while they are being put in order. */
	#filesAfter(folder: number, after: string, limit: number): FileRow[] | undefined {
		const state = this.#state.get(folder) as {files: number; text: string} | undefined;
		const sorted = () => this.#files.all(folder, after, limit) as FileRow[];
		if (!state || state.files <= largeFolder) return sorted();
		const read = ({nh, file}: {nh: number; file: number}, most: number) =>
			this.#names.all(folder, nh, file, most) as unknown as [nh: number, file: number, name: string][];
		const names = this.#orders.names({folder, state: state.text}, read, {after, limit});
		if (names === 'later') return undefined;
		if (!names) return sorted();
		return names.flatMap(name => (this.#file.get(folder, this.#keys.ofName(name), name) as FileRow | undefined) ?? []);
	}

	#find(parent: number, name: string): number | undefined {
		return (this.#folder.get(parent, name) as {id: number} | undefined)?.id;
	}

	#list(folder: number, path: string, limit: number, cursor: string | undefined): BrowseResponse | undefined {
		const [type, last] = readCursor(cursor, 'string', 'string') ?? ['folder', ''];
		const below = path === '' ? '' : `${path}/`;
		const wanted = limit + 1;
		const folders = type === 'folder' ? (this.#folders.all(folder, last, wanted) as FolderRow[]) : [];
		const rest = wanted - folders.length;
		const files = rest > 0 ? this.#filesAfter(folder, type === 'file' ? last : '', rest) : [];
		if (!files) return undefined;
		const entries: BrowseEntry[] = [
			...folders.map(({name, files: count, bytes}) => ({
				...{type: 'folder' as const, path: `${below}${name}`, size: bytes, files: count},
			})),
			...files.map(row => fileEntry(`${below}${row.name}`, row)),
		];
		if (entries.length <= limit) return {entries};
		const page = entries.slice(0, limit);
		const end = page.at(-1);
		return {entries: page, ...(end && {cursor: writeCursor([end.type, end.path.slice(below.length)])})};
	}
}

function fileEntry(path: string, row: FileRow): BrowseEntry {
	return {type: 'file', path, size: row.size, content: contentId(row)};
}

function contentId({hash}: FileRow): string {
	return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
}
