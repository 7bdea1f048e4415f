// From a query to terms of FTS5, for each step of how well a content matches.
import type {ParsedQuery} from '../../api/query.ts';
import type {SizeRange} from '../../api/query-filters.ts';
import {insideLength, nameStem} from '../../api/query-match.ts';
import {extensionSign, isWide, kindSign, nameSign, nameSigns, sizeSigns} from './fts-text.ts';

/** What a step looks for: rows that have all of some terms, but not all of `none`, where there are any of those. */
export type Terms = {all: string[]; none: string[]};

/** The steps, best first. */
export const steps = ['exact', 'whole', 'start', 'inside'] as const;
export type Step = (typeof steps)[number];

/** What the index knows of words. */
export type Vocabulary = {
	/** All words that begin with a text and are longer; undefined where they are many. */
	startingWith(start: string): string[] | undefined;
	/** Whether there is any, for a start of {@link shortestKnown} UTF-16 units or more. */
	hasLonger(start: string): boolean;
	/** Words that have a text inside but do not begin with it; fewer where the text is one of several. */
	wordsWith(inside: string, isAlone: boolean): string[];
};

/** Letters of a word's start that the full-text table has an index for. */
export const indexedStart = 6;

/** Shortest start of which the vocabulary knows all longer words. */
export const shortestKnown = 3;

/**
 * The terms of a query. Each step leaves out what an earlier one finds, `exact` aside, which is compared by whole names.
 * A step that can find nothing has none.
 *
 * @param few the earlier steps found so little that leaving it out costs more than comparing it again
 */
export function matchTerms(query: ParsedQuery, step: Step, vocabulary: Vocabulary, few = false): Terms | undefined {
	const common = [...filters(query), ...wholeWords(query)];
	const starts = query.words.flatMap(({start}) => (start === undefined ? [] : [start]));
	const exactly = starts.map(quote);
	switch (step) {
		case 'exact':
			return query.plain === '' ? undefined : allOf([any(nameSigns(query.plain).map(quote)), ...common, ...exactly]);
		case 'whole':
			return allOf([...common, ...exactly]);
		case 'start': {
			const parts = starts.map(start => startTerm(start, vocabulary));
			// Nothing begins with them but they themselves.
			if (parts.every((part, index) => part === exactly[index])) return undefined;
			return {all: [...common, ...parts], none: exactly};
		}
		case 'inside': {
			const isAlone = starts.length === 1;
			const inside = starts.map(start => (start.length >= insideLength ? vocabulary.wordsWith(start, isAlone) : []));
			if (inside.every(words => words.length === 0)) return undefined;
			const found = starts.map(start => startTerm(start, vocabulary));
			const parts = inside.map((words, index) => any([...(isAlone ? [] : [found[index] ?? '']), ...words.map(quote)]));
			return {all: [...common, ...parts], none: few ? [] : found};
		}
	}
}

/**
 * Everything that begins with a text: what is a word and the start of no other is looked up as that word. Past the letters that there is an index for FTS5 would merge the lists of all
 * words first: a few words are looked up one by one, and many by their first letters and compared afterwards.
 */
export function startTerm(start: string, vocabulary: Vocabulary): string {
	if (start.length >= shortestKnown && !vocabulary.hasLonger(start)) return quote(start);
	const letters = [...start];
	if (letters.length <= indexedStart) return `${quote(start)}*`;
	const longer = vocabulary.startingWith(start);
	return longer ? any([start, ...longer].map(quote)) : `${quote(letters.slice(0, indexedStart).join(''))}*`;
}

/** Terms as FTS5 takes them. */
export function expressionOf(terms: Terms): string {
	return terms.none.length === 0 ? all(terms.all) : `${all(terms.all)} NOT ${all(terms.none)}`;
}

/** What finds a word where it is whole. */
export function wordTerm(word: string): string {
	return quote(word);
}

/** The terms of what has the words from their start: what totals are counted with. */
export function countTerms(query: ParsedQuery, vocabulary: Vocabulary): Terms {
	const starts = query.words.flatMap(({start}) => (start === undefined ? [] : [startTerm(start, vocabulary)]));
	return allOf([...filters(query), ...wholeWords(query), ...starts]);
}

/** Parts that hold for a content as a whole. `peer:` and what a sign is shared by is looked at afterwards. */
function filters(query: ParsedQuery): string[] {
	const {extensions, kinds, size, names, phrases, words} = query;
	const list: string[] = [];
	if (extensions.length > 0) list.push(any(extensions.map(extension => quote(extensionSign(extension)))));
	if (kinds.length > 0) list.push(any(kinds.map(kind => quote(kindSign(kind)))));
	if (names.length > 0) list.push(any(names.map(name => quote(nameSign(nameStem(name))))));
	const enough = list.length > 0 || phrases.length > 0 || words.length > 0;
	if (size && !comparedSizes(query)) list.push(any(sizeSigns(size.min, size.max).map(quote)));
	// A search by peer alone: every content has a size.
	if (!enough && !size) list.push(any(sizeSigns(0, Number.MAX_SAFE_INTEGER).map(quote)));
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

function allOf(parts: string[]): Terms {
	return {all: parts, none: []};
}

/** A range of sizes that the expressions leave out, as it is compared row by row. */
export function comparedSizes({size, extensions, kinds, names, phrases, words}: ParsedQuery): SizeRange | undefined {
	const hasOthers = [extensions, kinds, names, phrases, words].some(list => list.length > 0);
	return size && hasOthers && isWide(size.min, size.max) ? size : undefined;
}

/** Whether a query is one lookup, or several lists that are gone through side by side. */
export function isOneTerm(query: ParsedQuery): boolean {
	return query.words.length === 1 && filters(query).length + wholeWords(query).length === 0;
}
