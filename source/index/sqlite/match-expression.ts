// From a query to FTS5 expressions, one per step of how well a content matches.
import type {ParsedQuery} from '../../api/query.ts';
import {insideLength, nameStem} from '../../api/query-match.ts';
import {extensionSign, kindSign, nameSign, nameSigns, sizeSigns} from './fts-text.ts';

/** The steps, best first. */
export const steps = ['exact', 'whole', 'start', 'inside'] as const;
export type Step = (typeof steps)[number];

/** What the index knows of words. */
export type Vocabulary = {
	/** All words that begin with a text and are longer; undefined where they are too many or not known. */
	startingWith(start: string): string[] | undefined;
	/** Words that have a text inside but do not begin with it. */
	wordsWith(inside: string): string[];
};

/**
 * The expressions of a query. Each leaves out what an earlier one finds, `exact` aside, which is compared by whole names.
 * A step that can find nothing has none.
 *
 * @param few the earlier steps found so little that leaving it out costs more than comparing it again
 */
export function matchExpression(
	query: ParsedQuery,
	step: Step,
	vocabulary: Vocabulary,
	few = false,
): string | undefined {
	const common = [...filters(query), ...wholeWords(query)];
	const starts = query.words.flatMap(({start}) => (start === undefined ? [] : [start]));
	const exactly = starts.map(quote);
	switch (step) {
		case 'exact':
			return query.plain === '' ? undefined : all([...filters(query), any(nameSigns(query.plain).map(quote))]);
		case 'whole':
			return all([...common, ...exactly]);
		case 'start': {
			const longer = starts.map(start => vocabulary.startingWith(start));
			if (longer.every(words => words?.length === 0)) return undefined;
			// Of one word alone the longer ones do: what has the word itself is left out anyway.
			const [only] = longer;
			const parts =
				starts.length === 1 && only ? [any(only.map(quote))] : starts.map(start => startPart(start, vocabulary));
			return without(all([...common, ...parts]), exactly);
		}
		case 'inside': {
			const inside = starts.map(start => (start.length >= insideLength ? vocabulary.wordsWith(start) : []));
			if (inside.every(words => words.length === 0)) return undefined;
			const found = starts.map(start => startPart(start, vocabulary));
			const parts = inside.map((words, index) =>
				any([...(starts.length === 1 ? [] : [found[index] ?? '']), ...words.map(quote)]),
			);
			const inWords = all([...common, ...parts]);
			return few ? inWords : without(inWords, found);
		}
	}
}

/** Everything that begins with a text: its words one by one where they are few, which reads no more than is asked for. */
function startPart(start: string, vocabulary: Vocabulary, most = Number.POSITIVE_INFINITY): string {
	const longer = vocabulary.startingWith(start)?.slice(0, most);
	return longer ? any([start, ...longer].map(quote)) : `${quote(start)}*`;
}

/** Longer words that are counted with each: a total may say "more than". */
const counted = 32;

/** The expression for what has the words from their start, or most of it: what totals are counted with. */
export function countExpression(query: ParsedQuery, vocabulary: Vocabulary): string {
	const starts = query.words.flatMap(({start}) => (start === undefined ? [] : [startPart(start, vocabulary, counted)]));
	return all([...filters(query), ...wholeWords(query), ...starts]);
}

/** Parts that hold for a content as a whole. `peer:` and what a sign is shared by is looked at afterwards. */
function filters({extensions, kinds, size, names, phrases, words}: ParsedQuery): string[] {
	const list: string[] = [];
	if (extensions.length > 0) list.push(any(extensions.map(extension => quote(extensionSign(extension)))));
	if (kinds.length > 0) list.push(any(kinds.map(kind => quote(kindSign(kind)))));
	if (names.length > 0) list.push(any(names.map(name => quote(nameSign(nameStem(name))))));
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
