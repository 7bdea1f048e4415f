// How well a name answers a query where that shows without cutting it into words, as it does nearly always: what was
// typed stands between two separators, or where the case of plain letters changes. Cutting a name takes ten times as long, and a page
// of rare contents is a page of names that nobody has cut yet.

import type {ParsedQuery, QueryWord} from '../../api/query.ts';
import {insideLength, isNamed, matchRanks} from '../../api/query-match.ts';
import {fold} from '../../api/tokens.ts';

/** A text as it is and folded. */
export type FoldedText = {text: string; folded: string};

/** How a word is there. `inside`: only within others; `unsure`: only cutting the text tells. */
type Place = 'whole' | 'start' | 'inside' | 'none' | 'unsure';

/** The scripts with spaces that are common lie below: Latin, Greek, Cyrillic. */
const lastPlain = 0x52f;
/** Letters of the same case, and digits: where one kind follows another a word may be cut. */
const kindsOfSign = {lower: 1, upper: 2, digit: 3} as const;
/** The kind of each sign of those scripts; 0 for all that is looked at by whoever cuts the text. */
const signs = Uint8Array.from({length: lastPlain + 1}, (_, unit) => {
	const sign = String.fromCharCode(unit);
	if (/\p{Ll}/u.test(sign)) return kindsOfSign.lower;
	if (/\p{Lu}/u.test(sign)) return kindsOfSign.upper;
	return /[0-9]/.test(sign) ? kindsOfSign.digit : 0;
});
/** Longer words are cut by the tokenizer. */
const longestWord = 64;

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
		if (inName === 'start' || inFolders === 'start') best = matchRanks.start;
		else if (start.length >= insideLength && (inName === 'inside' || inFolders === 'inside')) best = matchRanks.inside;
		else return undefined;
	}
	const alone = inName === 'start' ? matchRanks.start : inName === 'inside' ? matchRanks.inside : undefined;
	return {
		best,
		own: own === undefined || (alone === matchRanks.inside && start.length < insideLength) ? undefined : alone,
	};
}

/** The best place of a folded word in a text. */
function placeOf(token: string, {text, folded}: FoldedText): Place {
	// Every two such letters that stand side by side are a word.
	if (isHanPair(token)) return folded.includes(token) ? 'whole' : 'none';
	let found: Place = 'none';
	for (let at = folded.indexOf(token); at >= 0; at = folded.indexOf(token, at + 1)) {
		const end = at + token.length;
		const isStart = at === 0 || separates(folded.charCodeAt(at - 1));
		if (isStart && (end === folded.length || separates(folded.charCodeAt(end)))) return 'whole';
		if (found === 'unsure') continue;
		const place = placeInWord(text, folded, at, end);
		if (place === 'whole') return place;
		if (found !== 'start' || place === 'unsure') found = place;
	}
	return found;
}

/** How well what stands there answers as part of the letters and digits around it. */
function placeInWord(text: string, folded: string, at: number, to: number): Place {
	if (text.length !== folded.length) return 'unsure';
	let start = at;
	let end = to;
	while (start > 0 && !separates(folded.charCodeAt(start - 1))) start--;
	while (end < folded.length && !separates(folded.charCodeAt(end))) end++;
	if (end - start > longestWord) return 'unsure';
	for (let index = start; index < end; index++) if (kindAt(text, index) === 0) return 'unsure';
	// The same letters at the same place: folding may have moved them.
	const word = text.slice(start, end);
	const there = folded.slice(start, end);
	if (word.toLowerCase() !== there && fold(word) !== there) return 'unsure';
	if (!isBorder(text, at, start, end)) return 'inside';
	let next = at + 1;
	while (!isBorder(text, next, start, end)) next++;
	if (next === to) return 'whole';
	// What was cut is a word as a whole as well.
	return next > to || at === start ? 'start' : 'inside';
}

/** Whether a word that is cut by its case and digits is cut before this letter; see `borders` of api/tokens.ts. */
function isBorder(text: string, at: number, start: number, end: number): boolean {
	if (at === start || at === end) return true;
	const before = kindAt(text, at - 1);
	const here = kindAt(text, at);
	if (here !== kindsOfSign.upper) return (before === kindsOfSign.digit) !== (here === kindsOfSign.digit);
	if (before !== kindsOfSign.upper) return true;
	return at + 1 < end && kindAt(text, at + 1) === kindsOfSign.lower;
}

function kindAt(text: string, at: number): number {
	return signs[text.charCodeAt(at)] ?? 0;
}

/** Two letters of those that are cut into pairs, of the kind that folding leaves as it is. */
function isHanPair(token: string): boolean {
	return token.length === 2 && isHan(token.charCodeAt(0)) && isHan(token.charCodeAt(1));
}

function isHan(unit: number): boolean {
	return unit >= 0x4e00 && unit <= 0x9fff;
}

/** ASCII that is neither letter nor digit separates words whatever is around it. */
function separates(unit: number): boolean {
	const letter = unit | 0x20;
	return unit < 0x80 && !(letter >= 0x61 && letter <= 0x7a) && !(unit >= 0x30 && unit <= 0x39);
}
