// Which words of a path a file is kept under, and which words of a query lead to it.
import {kindOf} from '../api/kinds.ts';
import type {ParsedQuery} from '../api/query.ts';
import {nameStem} from '../api/query-match.ts';
import {tokenize} from '../api/tokens.ts';
import {baseName} from '../core/share-path.ts';

/** Most words that a file is kept under: a batch names them by the bits of one number. */
export const mostWords = 31;
/** Words in so many names that a node for them would do nothing else: they filter, but lead nowhere. */
const stopWords = new Set(
	'a an and as at by de der die das el en et for from in la le les mit of on or the to und with y'.split(' '),
);

/**
 * The words of a path that it is kept under, the file's own before its folders', without its ending and stop words; both
 * ends cut it in the same way, so that a bit says which word is meant.
 */
export function keyWords(path: string): string[] {
	const own = baseName(path);
	const folders = path.slice(0, -own.length);
	// Endings that everybody's files have lead nowhere either; the unusual ones are words like others.
	const words = new Set(wordsOf(kindOf(own) === 'other' ? own : nameStem(own)));
	// Files of one folder come after each other.
	if (folders !== last.folders) last = {folders, words: wordsOf(folders)};
	for (const word of last.words) words.add(word);
	return [...words].slice(0, mostWords);
}

let last: {folders: string; words: string[]} = {folders: '', words: []};

function wordsOf(text: string): string[] {
	const {sequence, extra} = tokenize(text);
	return [...sequence.filter(word => !stopWords.has(word)), ...extra];
}

/** How a query is looked up. */
export type QueryLead = {
	/**
	 * Words of which each alone leads to every answer, the best first; or, of alternatives, one for each. None of them is
	 * one that files may have without being kept under it.
	 */
	words: string[];
	/** `words` are alternatives: all must be asked. */
	alternatives: boolean;
};

/** The words to ask for; none where the query has only filters. */
export function leadsOf(query: ParsedQuery): QueryLead {
	const wanted = new Set<string>();
	for (const {whole, start} of query.words) {
		for (const word of whole) wanted.add(word);
		if (start !== undefined) wanted.add(start);
	}
	for (const phrase of query.phrases) for (const word of phrase) wanted.add(word);
	if (wanted.size > 0) return {words: bestFirst([...wanted]), alternatives: false};
	const leads = query.names.map(name => bestFirst(keyWords(name))[0]);
	// A name that no word leads to can only be looked for everywhere, and the others with it.
	if (!leads.every(lead => lead !== undefined)) return {words: [], alternatives: true};
	return {words: [...new Set(leads)], alternatives: true};
}

/** Whether it may be the ending of a file's name, under which that file is not kept. */
function isEnding(word: string): boolean {
	return kindOf(`a.${word}`) !== 'other';
}

/** Long words are rare ones, mostly. Stop words and endings are left out. */
function bestFirst(words: string[]): string[] {
	return words
		.filter(word => !stopWords.has(word) && !isEnding(word))
		.toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1));
}
