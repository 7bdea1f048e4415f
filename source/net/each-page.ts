import {limits} from '../api/limits.ts';
import {P2pError} from '../core/errors.ts';

/**
 * The pages of a list that another program gives, until it has no further one.
 *
 * @param read the page at a cursor
 * @throws P2pError too-large for a list without end: one that comes back to where it was, or has too many pages
 */
export async function* eachPage<T extends {cursor?: string | undefined}>(
	read: (cursor: string | undefined) => Promise<T>,
): AsyncGenerator<T> {
	let cursor: string | undefined;
	for (let pages = 0; pages < limits.pages; pages++) {
		const page = await read(cursor);
		yield page;
		if (page.cursor === undefined || page.cursor === '') return;
		if (page.cursor === cursor) break;
		cursor = page.cursor;
	}
	throw new P2pError('too-large', 'The list that the other side sends has no end');
}
