import {limits} from '../api/limits.ts';
import type {BrowseEntry, BrowseResponse} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {readCursor, writeCursor} from './cursor.ts';
import type {PageOptions} from './store.ts';

/** One page of a folder out of a plain list of files; see IndexStore.browse for the order and the errors. */
export function browseFiles(
	files: Iterable<{path: string; size: number; content: string}>,
	path: string,
	{cursor, limit = limits.browsePage}: PageOptions = {},
): BrowseResponse {
	const folders = new Map<string, BrowseEntry & {type: 'folder'}>();
	const entries: BrowseEntry[] = [];
	const below = path === '' ? '' : `${path}/`;
	for (const file of files) {
		if (file.path === path) return {entries: [{type: 'file', path, size: file.size, content: file.content}]};
		if (!file.path.startsWith(below)) continue;
		const slash = file.path.indexOf('/', below.length);
		if (slash < 0) {
			entries.push({type: 'file', path: file.path, size: file.size, content: file.content});
			continue;
		}
		const folder = file.path.slice(0, slash);
		const known = folders.get(folder);
		if (known) {
			known.size += file.size;
			known.files++;
		} else folders.set(folder, {type: 'folder', path: folder, size: file.size, files: 1});
	}
	if (path !== '' && entries.length === 0 && folders.size === 0) throw noSuchPath(path);
	const sorted = [...[...folders.values()].sort(byPath), ...entries.sort(byPath)];
	const [type, last] = readCursor(cursor, 'string', 'string') ?? ['', ''];
	const start = cursor === undefined ? 0 : sorted.findIndex(entry => comesAfter(entry, type, last));
	const page = start < 0 ? [] : sorted.slice(start, start + Math.min(limit, limits.browsePage));
	const end = page.at(-1);
	const more = end !== undefined && end !== sorted.at(-1);
	return {entries: page, ...(more && {cursor: writeCursor([end.type, end.path])})};
}

/** The failure of a path that a peer does not share. */
export function noSuchPath(path: string): P2pError {
	return new P2pError('not-found', `The peer shares nothing at ${path}`);
}

function comesAfter(entry: BrowseEntry, type: string, path: string): boolean {
	if (entry.type !== type) return entry.type === 'file';
	return Buffer.compare(Buffer.from(entry.path), Buffer.from(path)) > 0;
}

/** By bytes, as a database compares. */
function byPath(a: {path: string}, b: {path: string}): number {
	return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}
