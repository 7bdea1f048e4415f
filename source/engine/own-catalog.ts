import {setImmediate} from 'node:timers/promises';
import {matchesQuery, parseQuery} from '../api/query.ts';
import type {BrowseEntry} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import type {Catalog} from '../share/catalog.ts';
import type {ServedCatalog, ServedFile} from '../upload/served-catalog.ts';
import type {ShareAudiences} from './share-audiences.ts';

/** Entries looked at between two turns of the event loop. */
const slice = 2000;

/**
 * This peer's own shares as its file server needs them.
 *
 * @param audiences who may see what
 * @param changed told of a file that is no longer what was hashed
 * @param partial what is being downloaded
 */
export function servedCatalog(
	catalog: Catalog,
	audiences: Pick<ShareAudiences, 'mayRead' | 'totals'>,
	changed: (file: ServedFile) => void,
	partial: ServedCatalog['partial'],
): ServedCatalog {
	const find = (content: string, caller: string | undefined) =>
		catalog
			.find(content)
			.filter(({path}) => audiences.mayRead(caller, path))
			.map(file => ({...file}));
	return {
		find,
		pieceLayer: (content, caller) => (find(content, caller).length > 0 ? catalog.pieceLayer(content) : undefined),
		browse(path, cursor, caller) {
			if (path !== '' && !audiences.mayRead(caller, path)) return undefined;
			try {
				const page = catalog.browse(path, cursor);
				return path === ''
					? {...page, entries: page.entries.filter(entry => audiences.mayRead(caller, entry.path))}
					: page;
			} catch (error) {
				if (error instanceof P2pError && error.code === 'not-found') return undefined;
				throw error;
			}
		},
		async search(text, {limit, caller}) {
			const query = parseQuery(text);
			const entries: BrowseEntry[] = [];
			let seen = 0;
			for (const {path, size, content} of catalog.entries()) {
				if (entries.length >= limit) break;
				if (matchesQuery(query, {path, size}) && audiences.mayRead(caller, path))
					entries.push({type: 'file', path, size, content});
				if (++seen % slice === 0) await setImmediate();
			}
			return {entries};
		},
		partial,
		totals: caller => audiences.totals(caller) ?? {files: catalog.files, bytes: catalog.bytes},
		changed,
	};
}
