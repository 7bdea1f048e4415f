// Every word of every name once, to find words by what is inside them: a few hundred thousand, where names are millions.

import type {DatabaseSync} from 'node:sqlite';
import {writing} from './open-database.ts';
import {WordParts} from './word-parts.ts';

/**
 * Words of a length that is worth looking into: a shorter one has no inside that does not start it, and is no longer than
 * a start of `shortestKnown`.
 */
const shortest = 4;
const longest = 64;
/** Words that are remembered as known, to save asking. */
const remembered = 400_000;
/** Words that the start of one may stand for, and a part of one. Each is a lookup of some microseconds. */
const mostLonger = 32;
const mostInside = 32;
/** The same for each of several parts that are asked for together. */
const mostInsideEach = 8;
/** Words that are looked at to find them, so many at a time: nearly always the first ones are enough. */
const candidates = 512;
const candidatesAtOnce = 32;

/** Puts words in. */
export class VocabularyWriter {
	readonly #insert;
	readonly #insertTrigrams;
	readonly #known = new Set<string>();

	constructor(database: DatabaseSync) {
		this.#insert = writing(database, 'INSERT OR IGNORE INTO tok(t) VALUES(?)');
		this.#insertTrigrams = writing(database, 'INSERT INTO voc(rowid, t) VALUES(?, ?)');
	}

	add(words: Iterable<string>): void {
		for (const word of words) {
			if (word.length < shortest || word.length > longest || this.#known.has(word)) continue;
			if (this.#known.size >= remembered) this.#known.clear();
			this.#known.add(word);
			const {changes, lastInsertRowid} = this.#insert.run(word);
			if (changes === 1n) this.#insertTrigrams.run(lastInsertRowid, word);
		}
	}

	/** Forgets what it remembers, after a transaction that was rolled back. */
	reset(): void {
		this.#known.clear();
	}
}

/** Lookups that are remembered; words that are new meanwhile are found a little later. */
const lookupsRemembered = 2000;
/** Milliseconds that they are remembered. */
const lookupAge = 2000;
/** Words that one step takes into memory: less than a millisecond. */
const learnedPerStep = 100;
/** Entries that are kept in memory, in each thread that reads: some 20 MB. Later words are looked up in the database. */
const mostEntries = 2_000_000;

/** Finds words. */
export class VocabularyReader {
	readonly #longer;
	readonly #anyLonger;
	readonly #trigrams;
	readonly #after;
	readonly #parts = new WordParts();
	readonly #most: number;
	/** The last word that is in memory, and whether there were more when it was last looked. */
	#last = 0;
	#hasMore = true;
	#lookups = new Map<string, string[] | undefined>();
	#since = 0;

	/** @param most entries kept in memory */
	constructor(database: DatabaseSync, most = mostEntries) {
		this.#most = most;
		this.#longer = database.prepare(`SELECT t FROM tok WHERE t > ? AND t < ? LIMIT ${mostLonger + 1}`);
		this.#longer.setReturnArrays(true);
		this.#anyLonger = database.prepare('SELECT 1 FROM tok WHERE t > ? AND t < ? LIMIT 1');
		this.#anyLonger.setReturnArrays(true);
		this.#trigrams = database.prepare(
			`SELECT t, id FROM tok WHERE id IN
				(SELECT rowid FROM voc WHERE voc MATCH ? AND rowid > ? ORDER BY rowid LIMIT ${candidatesAtOnce}) ORDER BY id`,
		);
		this.#trigrams.setReturnArrays(true);
		this.#after = database.prepare(`SELECT id, t FROM tok WHERE id > ? ORDER BY id LIMIT ${learnedPerStep}`);
		this.#after.setReturnArrays(true);
	}

	/** Takes more words into memory; returns whether there are more to take. Words are never taken out of the database. */
	learn(): boolean {
		if (this.#parts.entries >= this.#most) return false;
		const rows = this.#after.all(this.#last) as unknown as [id: number, word: string][];
		for (const [id, word] of rows) {
			this.#parts.add(word);
			this.#last = id;
		}
		this.#hasMore = rows.length === learnedPerStep;
		return this.#hasMore;
	}

	/** See Vocabulary.startingWith. */
	startingWith(start: string): string[] | undefined {
		return this.#lookup(`^${start}`, () => {
			const words = this.#longer.all(start, `${start}\u{10ffff}`) as unknown as [string][];
			return words.length > mostLonger ? undefined : words.map(([word]) => word);
		});
	}

	/** See Vocabulary.hasLonger. */
	hasLonger(start: string): boolean {
		return this.#anyLonger.get(start, `${start}\u{10ffff}`) !== undefined;
	}

	/** See Vocabulary.wordsWith: those seen first (the common ones) first. */
	wordsWith(inside: string, isAlone: boolean): string[] {
		const most = isAlone ? mostInside : mostInsideEach;
		return this.#lookup(`${most} ${inside}`, () => this.#findInside(inside, most)) ?? [];
	}

	#findInside(inside: string, most: number): string[] {
		const letters = [...inside];
		if (letters.length < 3) return [];
		// What came since, unless that is much.
		if (!this.#hasMore) this.learn();
		const found = this.#parts.find(inside, most);
		const isWhole = !this.#hasMore && this.#parts.entries < this.#most;
		if (isWhole || found.length === most) return found;
		const trigrams = new Set<string>();
		for (let at = 0; at + 3 <= letters.length; at++) trigrams.add(letters.slice(at, at + 3).join(''));
		const match = [...trigrams].map(trigram => `"${trigram}"`).join(' AND ');
		let last = this.#last;
		for (let looked = 0; looked < candidates; looked += candidatesAtOnce) {
			const rows = this.#trigrams.all(match, last) as unknown as [word: string, id: number][];
			for (const [word, id] of rows) {
				last = id;
				if (!word.includes(inside) || word.startsWith(inside)) continue;
				found.push(word);
				if (found.length === most) return found;
			}
			if (rows.length < candidatesAtOnce) break;
		}
		return found;
	}

	/** A search asks for the same words in each of its steps, and so does its next page. */
	#lookup(key: string, find: () => string[] | undefined): string[] | undefined {
		const now = performance.now();
		if (now - this.#since > lookupAge || this.#lookups.size >= lookupsRemembered) {
			this.#lookups = new Map();
			this.#since = now;
		}
		if (this.#lookups.has(key)) return this.#lookups.get(key);
		const words = find();
		this.#lookups.set(key, words);
		return words;
	}
}
