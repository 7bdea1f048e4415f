import {P2pError} from '../../core/errors.ts';

/** The row that a number of the last list, or the start of a name, means. @throws P2pError usage, not-found, ambiguous */
export function chosen<T>(rows: readonly T[], asked: string, nameOf: (row: T) => string, what: string): T {
	const number = /^\d+$/.test(asked) ? Number(asked) : undefined;
	const byNumber = number === undefined ? undefined : rows[number - 1];
	if (byNumber !== undefined) return byNumber;
	const found = asked === '' ? [] : rows.filter(row => nameOf(row).toLowerCase().startsWith(asked.toLowerCase()));
	if (found.length === 1 && found[0] !== undefined) return found[0];
	if (asked === '') throw new P2pError('usage', `Which ${what}? Give its number`);
	if (found.length > 1) throw new P2pError('ambiguous', `Several ${what}s begin with ${asked}: give a number`);
	throw new P2pError('not-found', `There is no ${what} ${asked}`);
}
