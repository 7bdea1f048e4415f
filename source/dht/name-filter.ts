// What of a query the database can hold against names by itself, so that few records are read and cut into words.
import type {ParsedQuery} from '../api/query.ts';

/** Texts that are looked for at most: the others are held against what is left. */
const mostTexts = 4;
/** Bytes of a file's record before and after its path: see `signFile`. */
const [before, around] = [51, 115];

/**
 * Texts of which each is in every path that fits the query, where that path is ASCII: words of such a path are pieces of
 * it in small letters.
 *
 * @param known in every path anyway
 */
export function textsOf({words, phrases, names}: ParsedQuery, known: string): string[] {
	const texts = new Set(phrases.flat());
	for (const {whole, start} of words) {
		for (const word of whole) texts.add(word);
		if (start !== undefined) texts.add(start);
	}
	if (names.length === 1) texts.add(names[0]!);
	texts.delete(known);
	// Long ones are in few names.
	return [...texts].sort((a, b) => b.length - a.length).slice(0, mostTexts);
}

/** An SQL condition for records `r` whose path may hold all of so many texts, which are its values. */
export function mayHold(texts: number): string {
	if (texts === 0) return 'true';
	const path = `CAST(substr(r.raw, ${before + 1}, length(r.raw) - ${around}) AS TEXT)`;
	const all = Array(texts).fill(`instr(lower(${path}), ?)`).join(' AND ');
	// With letters of several bytes: accents and pairs of unspaced scripts are not SQLite's business.
	return `(${all} OR length(${path}) < length(r.raw) - ${around})`;
}
