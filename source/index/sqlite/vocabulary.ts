// Every word of every name once, to find words by what is inside them: a few hundred thousand, where names are millions.
import type {DatabaseSync} from 'node:sqlite';

/** Words of a length that is worth looking into: a shorter one has no inside that does not start it. */
const shortest = 4;
const longest = 40;
/** Words that are remembered as known, to save asking. */
const remembered = 400_000;
/** Words that one text may stand for: each is a part of the lookup. */
const alternatives = 64;
/** Words that are looked at to find them. */
const candidates = 512;

/** Puts words in. */
export class VocabularyWriter {
	readonly #insert;
	readonly #insertTrigrams;
	readonly #known = new Set<string>();

	constructor(database: DatabaseSync) {
		this.#insert = database.prepare('INSERT OR IGNORE INTO tok(t) VALUES(?)');
		this.#insertTrigrams = database.prepare('INSERT INTO voc(rowid, t) VALUES(?, ?)');
	}

	add(words: Iterable<string>): void {
		for (const word of words) {
			if (word.length < shortest || word.length > longest || this.#known.has(word)) continue;
			if (this.#known.size >= remembered) this.#known.clear();
			this.#known.add(word);
			const {changes, lastInsertRowid} = this.#insert.run(word);
			if (changes === 1) this.#insertTrigrams.run(lastInsertRowid, word);
		}
	}

	/** Forgets what it remembers, after a transaction that was rolled back. */
	reset(): void {
		this.#known.clear();
	}
}

/** Finds words. */
export class VocabularyReader {
	readonly #find;
	readonly #findTrigrams;

	constructor(database: DatabaseSync) {
		this.#findTrigrams = database.prepare(
			`SELECT t FROM tok WHERE id IN (SELECT rowid FROM voc WHERE voc MATCH ? ORDER BY rowid LIMIT ${candidates}) ORDER BY id`,
		);
		this.#find = (match: string) => this.#findTrigrams.all(match) as {t: string}[];
	}

	/** Words that have the text inside but do not start with it, those seen first (the common ones) first. */
	wordsWith(inside: string): string[] {
		const letters = [...inside];
		if (letters.length < 3) return [];
		const trigrams = new Set<string>();
		for (let at = 0; at + 3 <= letters.length; at++) trigrams.add(letters.slice(at, at + 3).join(''));
		const found: string[] = [];
		for (const {t} of this.#find([...trigrams].map(trigram => `"${trigram}"`).join(' AND '))) {
			if (!t.includes(inside) || t.startsWith(inside)) continue;
			found.push(t);
			if (found.length === alternatives) break;
		}
		return found;
	}
}
