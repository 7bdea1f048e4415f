// Whether one file answers a query, and how well: the reference for every store, and what a peer asks its own catalog.
import {baseName} from '../core/share-path.ts';
import {extensionOf, kindOf} from './kinds.ts';
import type {ParsedQuery, QueryWord} from './query.ts';
import {fold, tokenize} from './tokens.ts';

/** How well a name matches; lower is better. Within each, a match in the file's own name comes before one in its folders. */
export const matchRanks = {
	/** The file has exactly the name that was typed, with or without its ending. */
	exact: 0,
	/** Every word is there whole. */
	whole: 2,
	/** Every word is the start of one there. */
	start: 4,
	/** Some word is only inside one there. */
	inside: 6,
} as const;

/** Shortest text that is looked for inside a word, in UTF-16 units. */
export const insideLength = 3;

/** A path, cut: all of it, and the file's own name. */
export type PathWords = {name: string; sequence: string[]; all: Set<string>; ownSequence: string[]; own: Set<string>};

/** Cuts a path for {@link matchRank}. */
export function readPath(path: string): PathWords {
	const base = baseName(path);
	const {sequence, extra} = tokenize(path);
	const own = base === path ? {sequence, extra} : tokenize(base);
	return {
		name: fold(base),
		sequence,
		all: new Set([...sequence, ...extra]),
		ownSequence: own.sequence,
		own: new Set([...own.sequence, ...own.extra]),
	};
}

/** Whether a file answers the query, `peer:` aside: that depends on who asks. */
export function matchesQuery(query: ParsedQuery, file: {path: string; size: number}): boolean {
	return matchRank(query, file) !== undefined;
}

/**
 * How well a file answers the query as one of {@link matchRanks}, plus 1 where its folders were needed; else undefined.
 *
 * @param read a {@link readPath} that remembers, where the same paths come again and again
 */
export function matchRank(
	query: ParsedQuery,
	file: {path: string; size: number},
	read: (path: string) => PathWords = readPath,
): number | undefined {
	const {size, extensions, kinds, names} = query;
	if (size && (file.size < size.min || file.size > size.max)) return undefined;
	if (extensions.length > 0 && !extensions.includes(extensionOf(file.path))) return undefined;
	if (kinds.length > 0 && !kinds.includes(kindOf(file.path))) return undefined;
	const {name, sequence, all, ownSequence, own} = read(file.path);
	if (names.length > 0 && !names.includes(name)) return undefined;
	if (query.without.some(phrase => hasPhrase(sequence, phrase))) return undefined;
	if (!query.phrases.every(phrase => hasPhrase(sequence, phrase))) return undefined;
	const rank = wordsRank(query.words, all);
	if (rank === undefined) return undefined;
	if (query.plain !== '' && (name === query.plain || nameStem(name) === query.plain)) return matchRanks.exact;
	const inName = wordsRank(query.words, own) === rank && query.phrases.every(phrase => hasPhrase(ownSequence, phrase));
	return inName ? rank : rank + 1;
}

/** A file name without its ending. */
export function nameStem(name: string): string {
	const dot = name.lastIndexOf('.');
	return dot > 0 ? name.slice(0, dot) : name;
}

function wordsRank(words: QueryWord[], tokens: Set<string>): number | undefined {
	let worst: number = matchRanks.whole;
	for (const word of words) {
		const rank = wordRank(word, tokens);
		if (rank === undefined) return undefined;
		worst = Math.max(worst, rank);
	}
	return worst;
}

function wordRank({whole, start}: QueryWord, tokens: Set<string>): number | undefined {
	if (!whole.every(token => tokens.has(token))) return undefined;
	if (start === undefined || tokens.has(start)) return matchRanks.whole;
	let inside = false;
	for (const token of tokens) {
		if (token.startsWith(start)) return matchRanks.start;
		inside ||= start.length >= insideLength && token.includes(start);
	}
	return inside ? matchRanks.inside : undefined;
}

/** Whether the words of `phrase` follow each other in `sequence`. */
function hasPhrase(sequence: string[], phrase: string[]): boolean {
	const [first] = phrase;
	if (first === undefined) return true;
	for (let at = sequence.indexOf(first); at >= 0; at = sequence.indexOf(first, at + 1)) {
		if (phrase.every((word, index) => sequence[at + index] === word)) return true;
	}
	return false;
}
