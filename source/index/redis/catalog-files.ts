import type {CatalogChange} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import type {SqliteStore} from '../sqlite/sqlite-store.ts';

/** All files of a peer below a folder, by pages; each page is read when it is asked for. */
export async function* catalogFiles(store: SqliteStore, peer: string, folder = ''): AsyncGenerator<CatalogChange[]> {
	let cursor: string | undefined;
	do {
		const page = await store.browse(peer, folder, {cursor}).catch(error => {
			// The folder has gone since its parent was read.
			if (error instanceof P2pError && error.code === 'not-found') return undefined;
			throw error;
		});
		if (!page) return;
		const files: CatalogChange[] = [];
		for (const entry of page.entries)
			if (entry.type === 'file') files.push({op: 'add', path: entry.path, size: entry.size, content: entry.content});
		if (files.length > 0) yield files;
		for (const entry of page.entries) if (entry.type === 'folder') yield* catalogFiles(store, peer, entry.path);
		cursor = page.cursor;
	} while (cursor !== undefined);
}
