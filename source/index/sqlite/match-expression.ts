// From a query to FTS5 expressions, one per step of how well a content matches.
import type {ParsedQuery} from '../../api/query.ts';
import {insideLength} from '../../api/query-match.ts';
import {extensionSign, kindSign, nameSign, sizeSigns} from './fts-text.ts';

/** The steps, best first. */
export const steps = ['exact', 'whole', 'start', 'inside'] as const;
export type Step = (typeof steps)[number];

/**
 * The expressions of a query. Each leaves out what an earlier one finds, `exact` aside, which is compared by whole names.
 * A step that can find nothing has none.
 *
 * @param wordsWith words of the index with a text inside
 */
export function matchExpression(
	query: ParsedQuery,
	step: Step,
	wordsWith: (inside: string) => string[],
): string | undefined {
	const common = [...filters(query), ...wholeWords(query)];
	const starts = query.words.flatMap(({start}) => (start === undefined ? [] : [start]));
	const exactly = starts.map(quote);
	const prefixes = starts.map(start => `${quote(start)}*`);
	switch (step) {
		case 'exact':
			return query.plain === '' ? undefined : all([...filters(query), quote(nameSign(query.plain))]);
		case 'whole':
			return all([...common, ...exactly]);
		case 'start':
			return starts.length === 0 ? undefined : without(all([...common, ...prefixes]), exactly);
		case 'inside': {
			const inside = starts.map((start, index) => {
				const words = start.length >= insideLength ? wordsWith(start) : [];
				return {prefix: prefixes[index] ?? '', words};
			});
			if (inside.every(({words}) => words.length === 0)) return undefined;
			const parts = inside.map(({prefix, words}) => any([prefix, ...words.map(quote)]));
			return without(all([...common, ...parts]), prefixes);
		}
	}
}

/** The expression for everything that has the words from their start: what totals are counted with. */
export function countExpression(query: ParsedQuery): string {
	const starts = query.words.flatMap(({start}) => (start === undefined ? [] : [`${quote(start)}*`]));
	return all([...filters(query), ...wholeWords(query), ...starts]);
}

/** Parts that hold for a content as a whole. `peer:` and what a sign is shared by is looked at afterwards. */
function filters({extensions, kinds, size, names, phrases, words}: ParsedQuery): string[] {
	const list: string[] = [];
	if (extensions.length > 0) list.push(any(extensions.map(extension => quote(extensionSign(extension)))));
	if (kinds.length > 0) list.push(any(kinds.map(kind => quote(kindSign(kind)))));
	if (names.length > 0) list.push(any(names.map(name => quote(nameSign(name)))));
	if (size) list.push(any(sizeSigns(size.min, size.max).map(quote)));
	// A search by peer alone: every content has a size.
	const enough = list.length > 0 || phrases.length > 0 || words.length > 0;
	if (!enough) list.push(any(sizeSigns(0, Number.MAX_SAFE_INTEGER).map(quote)));
	return list;
}

function wholeWords({phrases, words}: ParsedQuery): string[] {
	const whole = new Set([...phrases.flat(), ...words.flatMap(word => word.whole)]);
	return [...whole].map(quote);
}

/** Tokens have no quotation marks in them; one that had would be left without. */
function quote(token: string): string {
	return `"${token.replaceAll('"', '')}"`;
}

function any(parts: string[]): string {
	return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(' OR ')})`;
}

function all(parts: string[]): string {
	return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(' AND ')})`;
}

function without(expression: string, parts: string[]): string {
	return `${expression} NOT ${all(parts)}`;
}
