// The one tokenizer for names and for queries: what is found depends on both being cut in the same way.
import {byLetters} from './letters.ts';

/** Scripts that are written without spaces between words: cut into pairs of letters. */
const unspaced =
	'[\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{scx=Hangul}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmer}\\p{scx=Myanmar}\\p{scx=Tibetan}]';
/** A run of such letters, a run of other letters and digits, or a pictograph. Everything else separates. */
const runs = new RegExp(
	`(?<pairs>(?:(?=${unspaced})[\\p{L}\\p{M}\\p{N}])+)|(?<word>(?:(?!${unspaced})[\\p{L}\\p{M}\\p{N}])+)|(?<sign>\\p{Extended_Pictographic})`,
	'gu',
);
const asciiRuns = /[A-Za-z0-9]+/g;
/** Inside a run of letters and digits: where the case changes, and between letters and digits. */
const borders = /(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{N})(?=[\p{L}])|(?<=[\p{L}\p{M}])(?=\p{N})/u;
const asciiBorders = /(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])/;
const hasBorder = /[a-z][A-Z0-9]|[A-Z][A-Z0-9]|[0-9][A-Za-z]/;
/** Accents: combining marks of Latin, Greek, Cyrillic, Hebrew and Arabic; marks that are letters elsewhere stay. */
const accents =
	/[\u0300-\u036f]|[\u0591-\u05bd]|[\u05bf-\u05c7]|[\u0610-\u061a]|[\u064b-\u065f]|[\u1ab0-\u1aff]|[\u1dc0-\u1dff]|[\u20d0-\u20ff]|[\ufe20-\ufe2f]|\u0670/g;
const nonAscii = /[^\x00-\x7f]/;
/** Letters that people type without their stroke though Unicode does not take them apart. */
const plain: Record<string, string> = {
	ß: 'ss',
	ø: 'o',
	ł: 'l',
	đ: 'd',
	æ: 'ae',
	œ: 'oe',
	ı: 'i',
	þ: 'th',
	ð: 'd',
	ς: 'σ',
	ħ: 'h',
};
const plainLetters = /[ßøłđæœıþðςħ]/g;

/** Longest token, in UTF-16 units; a longer run is cut here on both sides. */
const tokenLength = 64;

/** A piece of text, cut. */
export type Tokens = {
	/** The words in their order, folded: what a phrase is compared with. */
	sequence: string[];
	/**
	 * More words by which the text is found: runs that were split, whole (`myfile` for `myFile`), and the last letter of
	 * an unspaced run (every letter of it then starts some token).
	 */
	extra: string[];
};

/** The text without case and accents, so that equal means "looks the same to a person who types it". */
export function fold(text: string): string {
	if (!nonAscii.test(text)) return text.toLowerCase();
	return foldForeign(text);
}

/** Cuts a name, a path or a query into folded words. */
export function tokenize(text: string): Tokens {
	const tokens: Tokens = {sequence: [], extra: []};
	if (!nonAscii.test(text)) {
		for (const [run] of text.matchAll(asciiRuns)) addWord(tokens, run, asciiBorders);
		return tokens;
	}
	// Composed again after the accents went: syllables of Hangul and voiced kana are single letters.
	for (const match of withoutAccents(text).matchAll(runs)) {
		const groups = match.groups ?? {};
		if (groups.pairs) addPairs(tokens, groups.pairs);
		else if (groups.word) addWord(tokens, groups.word, borders);
		else if (groups.sign) tokens.sequence.push(groups.sign);
	}
	return tokens;
}

/** All different words of a text, for an index. */
export function tokenSet(text: string): Set<string> {
	const {sequence, extra} = tokenize(text);
	const all = new Set(sequence);
	for (const token of extra) all.add(token);
	return all;
}

const foldForeign = byLetters(text => foldLetters(decompose(text)).normalize('NFC'));
const withoutAccents = byLetters(text => decompose(text).normalize('NFC'));

function decompose(text: string): string {
	return text.normalize('NFKD').replace(accents, '');
}

function foldLetters(text: string): string {
	return text
		.toLowerCase()
		.replace(accents, '')
		.replace(plainLetters, letter => plain[letter] ?? letter);
}

function addWord(tokens: Tokens, run: string, at: RegExp): void {
	const ascii = at === asciiBorders;
	const folded = (part: string) => (ascii ? part.toLowerCase() : foldLetters(part)).slice(0, tokenLength);
	if (ascii && !hasBorder.test(run)) {
		tokens.sequence.push(folded(run));
		return;
	}
	const parts = run.split(at);
	for (const part of parts) tokens.sequence.push(folded(part));
	if (parts.length > 1) tokens.extra.push(folded(run));
}

function addPairs(tokens: Tokens, run: string): void {
	const letters = [...run.toLowerCase()];
	const last = letters.at(-1) ?? '';
	if (letters.length === 1) {
		tokens.sequence.push(last);
		return;
	}
	for (let index = 0; index + 1 < letters.length; index++)
		tokens.sequence.push(`${letters[index]}${letters[index + 1]}`);
	tokens.extra.push(last);
}
