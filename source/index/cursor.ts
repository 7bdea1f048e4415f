import {P2pError} from '../core/errors.ts';

/** Puts the place where a page ended into a form that a URL takes. */
export function writeCursor(place: (string | number)[]): string {
	return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/**
 * The place that {@link writeCursor} was given; undefined for no cursor.
 *
 * @param shape the types of its values, in their order
 * @throws P2pError bad-request when it does not fit
 */
export function readCursor<T extends ('string' | 'number')[]>(
	cursor: string | undefined,
	...shape: T
): {[I in keyof T]: T[I] extends 'number' ? number : string} | undefined {
	if (cursor === undefined) return undefined;
	try {
		const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
		if (Array.isArray(place) && place.length === shape.length && shape.every((type, i) => typeof place[i] === type))
			return place as never;
	} catch {
		// Said below.
	}
	throw new P2pError('bad-request', 'Not a cursor of this server');
}
