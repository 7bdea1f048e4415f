// Words and how many files are under each. Only of words that are nearly full every file is counted as it comes.
import type {Statements} from './table-file.ts';
import {wordId} from './table-file.ts';

/** A word as it stands. `split`: it has had too many files. */
export type WordCount = {id: number; files: number; split: boolean};

/** A word that may be full soon. `own`: its files by publisher. */
type Busy = WordCount & {own: Map<number, number>; changed: Set<number>; records: number[]};

/** Counts of words, and of busy words by publisher. */
export class WordCounts {
	readonly #statements: Statements;
	readonly #limits: {word: number; wordOfPublisher: number};
	/** From so many files on a word is busy: fewer, with all that one flush may bring, cannot fill it. */
	readonly #busyFrom: number;
	readonly #busy = new Map<string, Busy>();
	/** Records that came under words that are not busy, and are not written yet. */
	readonly #added = new Map<string, number[]>();

	/** @param unwritten files that may come between two calls of write */
	constructor(statements: Statements, limits: {word: number; wordOfPublisher: number}, unwritten: number) {
		this.#statements = statements;
		this.#limits = limits;
		this.#busyFrom = Math.min(limits.word, limits.wordOfPublisher) - unwritten;
		if (this.#busyFrom > 0)
			statements.run(`CREATE INDEX IF NOT EXISTS word_busy ON word(text) WHERE files >= ${this.#busyFrom}`).run();
		for (const text of this.#nearlyFull()) this.#makeBusy(text);
	}

	/** The word as it is written; undefined when no file is kept under it. */
	find(text: string): WordCount | undefined {
		const row = this.#statements.run('SELECT id, files, split FROM word WHERE text = ?').get(text);
		return row && {id: Number(row.id), files: Number(row.files), split: Number(row.split) === 1};
	}

	/** Keeps one more record of a publisher under a word; false where there is no room for it. */
	take(text: string, owner: number, record: number): boolean {
		const busy = this.#busy.get(text) ?? (this.#busyFrom <= 0 ? this.#makeBusy(text) : undefined);
		if (!busy) {
			const records = this.#added.get(text);
			if (records) records.push(record);
			else this.#added.set(text, [record]);
			return true;
		}
		const own = busy.own.get(owner) ?? 0;
		if (busy.files >= this.#limits.word || own >= this.#limits.wordOfPublisher) {
			if (!busy.split) busy.changed.add(owner);
			busy.split = true;
			return false;
		}
		busy.files++;
		busy.own.set(owner, own + 1);
		busy.changed.add(owner);
		busy.records.push(record);
		return true;
	}

	/** Counts one file less. What was taken must have been written. */
	drop(text: string, owner: number): void {
		const busy = this.#busy.get(text);
		if (busy) {
			busy.files--;
			busy.own.set(owner, (busy.own.get(owner) ?? 1) - 1);
			busy.changed.add(owner);
			if (busy.files > 0) return;
			this.#busy.delete(text);
			this.#statements.run('DELETE FROM share_of WHERE word = ?').run(busy.id);
		} else {
			const row = this.#statements.run('UPDATE word SET files = files - 1 WHERE text = ? RETURNING files').get(text);
			if (!row || Number(row.files) > 0) return;
		}
		this.#statements.run('DELETE FROM word WHERE text = ?').run(text);
	}

	/** Writes what was taken, in the order in which it stands. @returns words that are busy from now on: see {@link countOwners} */
	write(): string[] {
		const words: Array<string | number> = [];
		const lists: Array<{id: number; records: number[]}> = [];
		for (const text of [...this.#added.keys()].sort()) {
			const [id, records] = [wordId(text), this.#added.get(text)!];
			words.push(text, id, records.length);
			lists.push({id, records});
		}
		this.#statements.insert(
			'INSERT INTO word(text, id, files) VALUES ON CONFLICT(text) DO UPDATE SET files = files + excluded.files',
			3,
			words,
		);
		this.#added.clear();
		for (const [text, busy] of this.#busy) {
			if (busy.changed.size === 0) continue;
			this.#writeBusy(text, busy);
			lists.push({id: busy.id, records: busy.records});
			busy.records = [];
		}
		lists.sort((a, b) => a.id - b.id);
		const postings: number[] = [];
		for (const {id, records} of lists) for (const record of records) postings.push(id, record);
		this.#statements.insert('INSERT OR IGNORE INTO posting(word, record) VALUES', 2, postings);
		return this.#nearlyFull().filter(text => !this.#busy.has(text));
	}

	#writeBusy(text: string, {id, files, split, own, changed}: Busy): void {
		this.#statements
			.run('INSERT OR REPLACE INTO word(text, id, files, split) VALUES (?, ?, ?, ?)')
			.run(text, id, files, split ? 1 : 0);
		const write = this.#statements.run('INSERT OR REPLACE INTO share_of(word, publisher, files) VALUES (?, ?, ?)');
		for (const owner of changed) write.run(id, owner, own.get(owner) ?? 0);
		changed.clear();
	}

	/** Counts by publisher what is under words that have become busy, once their files are written. */
	countOwners(words: string[]): void {
		for (const text of words) {
			const id = wordId(text);
			this.#statements
				.run(
					`INSERT OR REPLACE INTO share_of SELECT posting.word, record.publisher, count(*) FROM posting
					JOIN record ON record.id = posting.record WHERE posting.word = ? GROUP BY record.publisher`,
				)
				.run(id);
			this.#makeBusy(text);
		}
	}

	/** What is not written is not so: a transaction was undone. */
	forget(): void {
		const texts = [...this.#busy.keys()];
		this.#busy.clear();
		this.#added.clear();
		for (const text of texts) if (this.find(text)) this.#makeBusy(text);
	}

	/** From the index of them, which is empty mostly; without room for a flush all words are busy from the start. */
	#nearlyFull(): string[] {
		if (this.#busyFrom <= 0) return [];
		const rows = this.#statements.run(`SELECT text FROM word WHERE files >= ${this.#busyFrom}`).all();
		return rows.map(({text}) => String(text));
	}

	#makeBusy(text: string): Busy {
		const count = this.find(text) ?? {id: wordId(text), files: 0, split: false};
		const rows = this.#statements.run('SELECT publisher, files FROM share_of WHERE word = ?').all(count.id);
		const own = new Map(rows.map(({publisher, files}) => [Number(publisher), Number(files)]));
		const busy = {...count, own, changed: new Set<number>(), records: []};
		this.#busy.set(text, busy);
		return busy;
	}
}
