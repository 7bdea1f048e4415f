import {setImmediate} from 'node:timers/promises';
import {matchesQuery, parseQuery} from '../api/query.ts';
import type {BrowseEntry} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import type {Catalog} from '../share/catalog.ts';
import type {ServedCatalog, ServedFile} from '../upload/served-catalog.ts';

/** Entries looked at between two turns of the event loop. */
const slice = 2000;

/**
 * This peer's own shares as its file server needs them.
 *
 * @param changed told of a file that is no longer what was hashed
 * @param partial what is being downloaded
 */
export function servedCatalog(
	catalog: Catalog,
	changed: (file: ServedFile) => void,
	partial: ServedCatalog['partial'],
): ServedCatalog {
	return {
		find: content => catalog.find(content).map(file => ({...file})),
		pieceLayer: content => catalog.pieceLayer(content),
		browse(path, cursor) {
			try {
				return catalog.browse(path, cursor);
			} catch (error) {
				if (error instanceof P2pError && error.code === 'not-found') return undefined;
				throw error;
			}
		},
		async search(text, {limit}) {
			const query = parseQuery(text);
			const entries: BrowseEntry[] = [];
			let seen = 0;
			for (const {path, size, content} of catalog.entries()) {
				if (entries.length >= limit) break;
				if (matchesQuery(query, {path, size})) entries.push({type: 'file', path, size, content});
				if (++seen % slice === 0) await setImmediate();
			}
			return {entries};
		},
		partial,
		totals: () => ({files: catalog.files, bytes: catalog.bytes}),
		changed,
	};
}
