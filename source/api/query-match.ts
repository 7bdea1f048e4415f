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

/** A text, cut: its words in their order, and all by which it is found. */
export type TextWords = {sequence: string[]; all: Set<string>};
/** A path, cut. `name`: the file's own, folded; a slash separates words, so that folders and name are cut alone. */
export type PathWords = {name: string; folders: TextWords; own: TextWords};

const noWords: TextWords = {sequence: [], all: new Set()};

/** Cuts a path for {@link matchRank}. */
export function readPath(path: string): PathWords {
	const base = baseName(path);
	const folders = base.length === path.length ? noWords : readText(path.slice(0, path.length - base.length));
	return {name: fold(base), folders, own: readText(base)};
}

/** Cuts a text. */
export function readText(text: string): TextWords {
	const {sequence, extra} = tokenize(text);
	const all = new Set(sequence);
	for (const word of extra) all.add(word);
	return {sequence, all};
}

/** Whether a file answers the query, `peer:` aside: that depends on who asks. */
export function matchesQuery(query: ParsedQuery, file: {path: string; size: number}): boolean {
	return matchRank(query, file) !== undefined;
}

/** How well a file answers the query as one of {@link matchRanks}, plus 1 where its folders were needed; else undefined. */
export function matchRank(query: ParsedQuery, {path, size}: {path: string; size: number}): number | undefined {
	return hasFilters(query, path, size) ? wordsRank(query, readPath(path)) : undefined;
}

/** The part of {@link matchRank} that asks for size, ending and kind. Folders of the path do not matter. */
export function hasFilters({size, extensions, kinds}: ParsedQuery, path: string, bytes: number): boolean {
	if (size && (bytes < size.min || bytes > size.max)) return false;
	if (extensions.length > 0 && !extensions.includes(extensionOf(path))) return false;
	return kinds.length === 0 || kinds.includes(kindOf(path));
}

/** The part of {@link matchRank} that asks for words. */
export function wordsRank(query: ParsedQuery, {name, folders, own}: PathWords): number | undefined {
	const {names, without, phrases, words} = query;
	if (names.length > 0 && !names.includes(name)) return undefined;
	if (without.length > 0 || phrases.length > 0) {
		const sequence = [...folders.sequence, ...own.sequence];
		if (without.some(phrase => hasPhrase(sequence, phrase))) return undefined;
		if (!phrases.every(phrase => hasPhrase(sequence, phrase))) return undefined;
	}
	const inOwn = worstOf(words, own.all, noWords.all);
	// What the name itself does best, folders cannot do better.
	const rank = inOwn === matchRanks.whole ? inOwn : worstOf(words, own.all, folders.all);
	if (rank === undefined) return undefined;
	if (isNamed(query, name)) return matchRanks.exact;
	const inName = inOwn === rank && phrases.every(phrase => hasPhrase(own.sequence, phrase));
	return inName ? rank : rank + 1;
}

/** Whether a file has the name that was typed, with or without its ending. `name`: folded */
export function isNamed({plain}: ParsedQuery, name: string): boolean {
	if (plain === '' || !name.startsWith(plain)) return false;
	return name.length === plain.length || name.lastIndexOf('.') === plain.length;
}

/** A file name without its ending. */
export function nameStem(name: string): string {
	const dot = name.lastIndexOf('.');
	return dot > 0 ? name.slice(0, dot) : name;
}

function worstOf(words: QueryWord[], own: Set<string>, folders: Set<string>): number | undefined {
	let worst: number = matchRanks.whole;
	for (const word of words) {
		const rank = wordRank(word, own, folders);
		if (rank === undefined) return undefined;
		worst = Math.max(worst, rank);
	}
	return worst;
}

function wordRank({whole, start}: QueryWord, own: Set<string>, folders: Set<string>): number | undefined {
	for (const token of whole) if (!own.has(token) && !folders.has(token)) return undefined;
	if (start === undefined || own.has(start) || folders.has(start)) return matchRanks.whole;
	let inside = false;
	for (const tokens of [own, folders]) {
		for (const token of tokens) {
			if (token.startsWith(start)) return matchRanks.start;
			inside ||= start.length >= insideLength && token.includes(start);
		}
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
