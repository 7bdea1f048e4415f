// Words and how many files are under each: in memory while many files come in, written with them.
import type {DatabaseSync} from 'node:sqlite';

/** A word as it stands. `split`: it has had too many files. */
export type WordCount = {id: number; files: number; split: boolean};

/** Words that are remembered between two commits. */
const mostRemembered = 50_000;

/** Counts of words, and of words by publisher. */
export class WordCounts {
	readonly #statements;
	readonly #words = new Map<string, WordCount>();
	readonly #own = new Map<string, {word: number; owner: number; files: number}>();
	readonly #changedWords = new Set<WordCount>();
	readonly #changedOwn = new Set<{word: number; owner: number; files: number}>();

	constructor(database: DatabaseSync) {
		this.#statements = {
			word: database.prepare('SELECT id, files, split FROM word WHERE text = ?'),
			newWord: database.prepare('INSERT INTO word(text) VALUES (?)'),
			own: database.prepare('SELECT files FROM share_of WHERE word = ? AND publisher = ?'),
			writeWord: database.prepare('UPDATE word SET files = ?, split = ? WHERE id = ?'),
			writeOwn: database.prepare('INSERT OR REPLACE INTO share_of(word, publisher, files) VALUES (?, ?, ?)'),
		};
	}

	/** The word; undefined when no file was ever kept under it. */
	find(text: string): WordCount | undefined {
		const known = this.#words.get(text);
		if (known) return known;
		const row = this.#statements.word.get(text);
		if (!row) return undefined;
		const word = {id: Number(row.id), files: Number(row.files), split: Number(row.split) === 1};
		this.#words.set(text, word);
		return word;
	}

	/** The word, made where it is new. */
	make(text: string): WordCount {
		const known = this.find(text);
		if (known) return known;
		const word = {id: Number(this.#statements.newWord.run(text).lastInsertRowid), files: 0, split: false};
		this.#words.set(text, word);
		return word;
	}

	/** Files of one publisher under the word. */
	own(word: WordCount, owner: number): number {
		return this.#ownCount(word, owner).files;
	}

	/** Counts files that came (or went, where negative). */
	add(word: WordCount, owner: number, files: number): void {
		word.files += files;
		this.#changedWords.add(word);
		const own = this.#ownCount(word, owner);
		own.files += files;
		this.#changedOwn.add(own);
	}

	markSplit(word: WordCount): void {
		if (word.split) return;
		word.split = true;
		this.#changedWords.add(word);
	}

	/** Writes what changed, before a commit. */
	write(): void {
		for (const {id, files, split} of this.#changedWords) this.#statements.writeWord.run(files, split ? 1 : 0, id);
		for (const {word, owner, files} of this.#changedOwn) this.#statements.writeOwn.run(word, owner, files);
		this.#changedWords.clear();
		this.#changedOwn.clear();
		if (this.#words.size > mostRemembered) this.#words.clear();
		if (this.#own.size > mostRemembered) this.#own.clear();
	}

	/** What is remembered is not so: a transaction was undone, or words were deleted. */
	forget(): void {
		for (const part of [this.#words, this.#own, this.#changedWords, this.#changedOwn]) part.clear();
	}

	#ownCount(word: WordCount, owner: number): {word: number; owner: number; files: number} {
		const name = `${word.id} ${owner}`;
		let own = this.#own.get(name);
		if (!own) {
			own = {word: word.id, owner, files: Number(this.#statements.own.get(word.id, owner)?.files ?? 0)};
			this.#own.set(name, own);
		}
		return own;
	}
}
