// How typed words become rows of a list, and numbers become words.
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

/** `1 file`, `2,000 files`. */
export const count = (number: number, word: string): string =>
	`${number.toLocaleString('en')} ${word}${number === 1 ? '' : 's'}`;

/** Peers as they are typed: with commas, with spaces, or with `and`; a name may have spaces where commas part them. */
export function peerNames(text: string, sources: readonly {name: string}[]): string[] {
	const whole = text.trim();
	if (sources.some(({name}) => name === whole)) return [whole];
	const parts = whole.split(text.includes(',') ? /\s*,\s*(?:and\s+)?/ : /\s+(?:and\s+)?/);
	return parts.filter(Boolean);
}
