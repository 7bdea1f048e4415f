import {limits} from '../api/limits.ts';
import type {BrowseEntry, BrowseResponse} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import type {CatalogDatabase} from './catalog-database.ts';
import type {FolderTree} from './catalog-folders.ts';
import {contentHex} from './stamp.ts';

/** Lists folders page by page. A cursor is the kind and name of the last entry sent: `d` or `f`, then the name. */
export class CatalogBrowser {
	readonly #tree: FolderTree;
	readonly #queries;
	readonly #page: number;

	constructor(database: CatalogDatabase, tree: FolderTree, page: number = limits.browsePage) {
		this.#tree = tree;
		this.#page = page;
		this.#queries = {
			folders: database.prepare(
				'SELECT name, files, bytes FROM folder WHERE parent = ? AND name > ? ORDER BY name LIMIT ?+0',
			),
			files: database.prepare(
				'SELECT name, size, content FROM file WHERE folder = ? AND name > ? ORDER BY name LIMIT ?+0',
			),
			file: database.prepare('SELECT size, content FROM file WHERE folder = ? AND name = ?'),
		};
	}

	browse(path: string, cursor?: string): BrowseResponse {
		this.#tree.flush();
		if (cursor !== undefined && !/^[df]./s.test(cursor)) throw new P2pError('bad-request', 'Not a cursor of this list');
		const components = path === '' ? [] : path.split('/');
		let folder = 0;
		for (const [depth, name] of components.entries()) {
			const next = this.#tree.find(folder, name);
			if (next === undefined) {
				const file = depth > 0 && depth === components.length - 1 ? this.#queries.file.get(folder, name) : undefined;
				if (file) return {entries: [{type: 'file', path, size: Number(file.size), content: contentHex(file.content)}]};
				throw new P2pError('not-found', `Nothing is shared as ${path}`);
			}
			folder = next;
		}
		return this.#list(folder, path === '' ? '' : `${path}/`, cursor ?? 'd');
	}

	#list(folder: number, prefix: string, cursor: string): BrowseResponse {
		const entries: BrowseEntry[] = [];
		if (cursor.startsWith('d')) {
			for (const row of this.#queries.folders.all(folder, cursor.slice(1), this.#page + 1)) {
				const path = prefix + String(row.name);
				entries.push({type: 'folder', path, size: Number(row.bytes), files: Number(row.files)});
			}
		}
		const after = cursor.startsWith('f') ? cursor.slice(1) : '';
		for (const row of this.#queries.files.all(folder, after, Math.max(0, this.#page + 1 - entries.length))) {
			const path = prefix + String(row.name);
			entries.push({type: 'file', path, size: Number(row.size), content: contentHex(row.content)});
		}
		if (entries.length <= this.#page) return {entries};
		const page = entries.slice(0, this.#page);
		const last = page[page.length - 1]!;
		return {entries: page, cursor: `${last.type === 'folder' ? 'd' : 'f'}${last.path.slice(prefix.length)}`};
	}
}
