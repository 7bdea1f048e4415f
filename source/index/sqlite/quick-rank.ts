// How well a name answers a query where that shows without cutting it into words, as it does nearly always: what was
// typed stands between two separators, or at the start of a plain word. Cutting a name takes ten times as long, and a page
// of rare contents is a page of names that nobody has cut yet.

import type {ParsedQuery, QueryWord} from '../../api/query.ts';
import {isNamed, matchRanks} from '../../api/query-match.ts';

/** A text as it is and folded. */
export type FoldedText = {text: string; folded: string};

/** How a word is there. `unsure`: only cutting the text tells. */
type Place = 'whole' | 'start' | 'none' | 'unsure';

/** Letters of one word, in scripts with spaces, in which no change of case begins another; or digits. */
const plainWord = /^(?:\p{L}\p{Ll}*|[0-9]+)$/u;
/** The scripts with spaces that are common lie below: Latin, Greek, Cyrillic. */
const lastPlain = 0x52f;

/**
 * The same as `wordsRank` of api/query-match.ts for queries of words alone, where it is sure.
 *
 * @returns undefined where it is not
 */
export function quickRank(query: ParsedQuery, name: FoldedText, folders: FoldedText): number | undefined {
	const {words, phrases, without, names} = query;
	if (words.length === 0 || phrases.length > 0 || without.length > 0 || names.length > 0) return undefined;
	let all: number = matchRanks.whole;
	let own: number = matchRanks.whole;
	let isOwn = true;
	for (const word of words) {
		const inName = rankIn(word, name, folders);
		if (inName === undefined) return undefined;
		all = Math.max(all, inName.best);
		if (inName.own === undefined) isOwn = false;
		else own = Math.max(own, inName.own);
	}
	if (isNamed(query, name.folded)) return matchRanks.exact;
	return isOwn && own === all ? all : all + 1;
}

/** The best of name and folders for one word, and of the name alone; undefined where it is not sure. */
function rankIn(
	{whole, start}: QueryWord,
	name: FoldedText,
	folders: FoldedText,
): {best: number; own: number | undefined} | undefined {
	let own: number | undefined = matchRanks.whole;
	let best: number = matchRanks.whole;
	for (const token of whole) {
		const inName = placeOf(token, name);
		if (inName === 'whole') continue;
		// Only part of a word there, or nothing: neither counts for a word that must be whole.
		if (inName === 'unsure' || placeOf(token, folders) !== 'whole') return undefined;
		own = undefined;
	}
	if (start === undefined) return {best, own};
	const inName = placeOf(start, name);
	if (inName === 'whole') return {best, own};
	const inFolders = placeOf(start, folders);
	if (inName === 'unsure' || inFolders === 'unsure') return undefined;
	if (inFolders !== 'whole') {
		if (inName === 'none' && inFolders === 'none') return undefined;
		best = matchRanks.start;
	}
	if (inName === 'none') own = undefined;
	else if (own !== undefined) own = matchRanks.start;
	return {best, own};
}

/** Where a folded word is in a text. */
function placeOf(token: string, {text, folded}: FoldedText): Place {
	let found: Place = 'none';
	for (let at = folded.indexOf(token); at >= 0; at = folded.indexOf(token, at + 1)) {
		const end = at + token.length;
		const isStart = at === 0 || separates(folded.charCodeAt(at - 1));
		if (isStart && (end === folded.length || separates(folded.charCodeAt(end)))) return 'whole';
		if (found === 'unsure') continue;
		if (!isInPlainWord(text, folded, at, end)) found = 'unsure';
		else if (isStart) found = 'start';
	}
	return found;
}

/** Whether what stands there is part of one plain word, and longer or shorter than that by letters alone. */
function isInPlainWord(text: string, folded: string, at: number, to: number): boolean {
	if (text.length !== folded.length) return false;
	let start = at;
	let end = to;
	while (start > 0 && !separates(folded.charCodeAt(start - 1))) start--;
	while (end < folded.length && !separates(folded.charCodeAt(end))) end++;
	for (let index = start; index < end; index++) if (folded.charCodeAt(index) > lastPlain) return false;
	const word = text.slice(start, end);
	// The same letters at the same place: folding may have moved them. Longer runs are cut.
	return end - start <= 64 && word.toLowerCase() === folded.slice(start, end) && plainWord.test(word);
}

/** ASCII that is neither letter nor digit separates words whatever is around it. */
function separates(unit: number): boolean {
	const letter = unit | 0x20;
	return unit < 0x80 && !(letter >= 0x61 && letter <= 0x7a) && !(unit >= 0x30 && unit <= 0x39);
}
