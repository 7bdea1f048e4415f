import type {CatalogPoint} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import type {ChangeRange} from './store.ts';

/**
 * Whether a range replaces the catalog or continues it.
 *
 * @throws P2pError version-mismatch when it does neither; bad-request when it ends before it starts
 */
export function checkRange({epoch, from, to}: ChangeRange, have: CatalogPoint | null): 'replace' | 'continue' {
	if (to < from) throw new P2pError('bad-request', `The changes end (${to}) before they start (${from})`);
	if (have && have.epoch === epoch && have.version === from) return 'continue';
	if (from === 0) return 'replace';
	throw new P2pError('version-mismatch', 'These changes do not continue what this server knows of the catalog', {
		details: {have},
	});
}

/** The failure of a catalog with too many files. What was taken in before stays. */
export function tooManyFiles(limit: number): P2pError {
	return new P2pError('too-large', `This server takes at most ${limit.toLocaleString('en')} files of one peer`, {
		hint: 'Share fewer, or ask who runs it to raise --max-files-per-peer',
	});
}
