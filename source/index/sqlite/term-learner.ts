// Makes the lists of common terms, a little at a time, in moments in which nothing is written.
import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {BroadcastChannel} from 'node:worker_threads';
import {isKindSign} from './fts-text.ts';
import {type KnownTerms, mostBytes, numbersOf, rare, rowsOf} from './known-terms.ts';
import {startTerm, type Vocabulary, wordTerm} from './match-terms.ts';
import {openForReading} from './open-database.ts';
import type {SharedPresence} from './shared-presence.ts';
import {type SharedRows, TermRowsBuilder} from './term-rows.ts';

/** Rows that are read in one step, about a millisecond: as one text, where that is all, or else one by one. */
const rowsAtOnce = 8000;
const rowsPerStep = 2000;
/** Milliseconds for which nothing may have been written when a list is begun. */
const quiet = 500;
/** Milliseconds for which a list may be read while others write: their log cannot be taken into the file meanwhile. */
const longest = 20_000;
/** Words that are looked at in one step, and common ones that are learned before anybody asks. */
const wordsPerStep = 200;
const mostWords = 5000;
/** Milliseconds between two looks at whether there is something to learn. */
const idle = 1000;
/** Of the room for lists what may be taken by words that nobody has asked for yet. */
const firstBytes = (mostBytes / 4) * 3;

/** Which of the threads that read this one is, and the channel over which they tell each other what they have learned. */
export type ReaderShare = {index: number; of: number; channel: string};

/** What threads tell each other: a list, or all common words, the commonest first. */
type Learned = {term: string; rows: SharedRows} | {words: string[]};
type Survey = {words: [word: string, count: number][]; all: Iterator<unknown>};
type First = {word: string; isStart: boolean};
type Lesson = {term: string; first: First | undefined; builder: TermRowsBuilder; rows: Iterator<unknown> | undefined};

export class TermLearner {
	readonly #terms: KnownTerms;
	readonly #presence: SharedPresence;
	readonly #vocabulary: Vocabulary;
	/** A list is read in one go over many steps: searches go on in a connection of their own. */
	readonly #database: DatabaseSync;
	readonly #firstRows: StatementSync;
	readonly #rows: StatementSync;
	readonly #highest: StatementSync;
	readonly #vocabularyRows: StatementSync;
	readonly #share: ReaderShare | undefined;
	readonly #channel: BroadcastChannel | undefined;
	#lesson: Lesson | undefined;
	#survey: Survey | undefined;
	/** When what is being read was begun. */
	#began = 0;
	/** Words that nobody has asked for yet, each whole, and what begins with it. */
	#first: First[] = [];
	/** The highest content when these were chosen. */
	#surveyed = 0;
	/** The last transaction that was seen, and since when. */
	#seen = -1;
	#since = 0;

	/** @param share undefined: there is no other reader */
	constructor(file: string, presence: SharedPresence, terms: KnownTerms, vocabulary: Vocabulary, share?: ReaderShare) {
		this.#terms = terms;
		this.#presence = presence;
		this.#vocabulary = vocabulary;
		this.#database = openForReading(file);
		this.#database.exec(`PRAGMA cache_size=-1024; PRAGMA query_only=0;
			CREATE VIRTUAL TABLE temp.word USING fts5vocab('main', 'fts', 'row'); PRAGMA query_only=1`);
		const prepare = (sql: string) => {
			const statement = this.#database.prepare(sql);
			statement.setReturnArrays(true);
			return statement;
		};
		const match = 'SELECT rowid AS row FROM fts WHERE fts MATCH ? ORDER BY rowid';
		this.#firstRows = prepare(rowsOf(`${match} LIMIT ${rowsAtOnce}`));
		this.#rows = prepare(match);
		this.#highest = prepare('SELECT max(id) FROM file');
		this.#vocabularyRows = prepare('SELECT term, doc FROM word');
		this.#share = share;
		if (!share) return;
		this.#channel = new BroadcastChannel(share.channel);
		this.#channel.onmessage = message => {
			const {data} = message as {data: Learned};
			if ('words' in data) this.#plan(data.words);
			else this.#terms.keep(data.term, data.rows, true);
		};
	}

	/** One step, outside of any search; returns milliseconds after which there may be more to do. */
	step(): number {
		const now = performance.now();
		const {transaction} = this.#presence;
		if (transaction !== this.#seen) [this.#seen, this.#since] = [transaction, now];
		const isQuiet = now - this.#since >= quiet;
		if (!isQuiet && now - this.#began > longest) this.#giveUp();
		if (this.#survey) {
			this.#look(this.#survey);
			return 0;
		}
		if (!this.#lesson) {
			if (!isQuiet) return quiet;
			this.#began = now;
			this.#lesson = this.#begin();
			if (!this.#lesson) return this.#survey ? 0 : idle;
		}
		this.#read(this.#lesson);
		return 0;
	}

	close(): void {
		this.#giveUp();
		this.#channel?.close();
		this.#database.close();
	}

	#begin(): Lesson | undefined {
		const [most] = this.#highest.get() as unknown as [number | null];
		const highest = most ?? 0;
		this.#terms.highest = highest;
		const asked = this.#terms.take();
		const isDue = (this.#share?.index ?? 0) === 0 && highest > 2 * this.#surveyed;
		if (asked === undefined && this.#first.length === 0 && isDue) {
			this.#surveyed = highest;
			this.#survey = {words: [], all: this.#vocabularyRows.iterate()};
		}
		const first = asked === undefined && this.#terms.bytes < firstBytes ? this.#first.shift() : undefined;
		const term = asked ?? (first && this.#termOf(first));
		if (term === undefined) return undefined;
		const builder = new TermRowsBuilder(this.#presence.transaction, highest);
		return {term, first, builder, rows: undefined};
	}

	#read(lesson: Lesson): void {
		const {term, builder} = lesson;
		if (!lesson.rows) {
			const rows = numbersOf(this.#firstRows.get(term) as unknown as [string]);
			if (rows.length === rowsAtOnce) lesson.rows = this.#rows.iterate(term);
			else {
				for (const row of rows) builder.add(row);
				this.#end(lesson);
			}
			return;
		}
		for (let count = 0; count < rowsPerStep; count++) {
			const {done, value} = lesson.rows.next();
			if (done) {
				this.#end(lesson);
				return;
			}
			builder.add((value as [number])[0]);
		}
	}

	#termOf({word, isStart}: First): string {
		return isStart ? startTerm(word, this.#vocabulary) : wordTerm(word);
	}

	#end({term, first, builder}: Lesson): void {
		this.#lesson = undefined;
		const rows = builder.build();
		if (rows.count <= rare) this.#terms.isRare(term);
		else if (this.#terms.keep(term, rows, !first)) this.#channel?.postMessage({term, rows} satisfies Learned);
	}

	/** Looks at some more of all words. */
	#look({words, all}: Survey): void {
		for (let count = 0; count < wordsPerStep; count++) {
			const {done, value} = all.next();
			if (done) {
				this.#survey = undefined;
				words.sort(([, a], [, b]) => b - a);
				const common = words.slice(0, mostWords).map(([word]) => word);
				this.#channel?.postMessage({words: common} satisfies Learned);
				this.#plan(common);
				return;
			}
			const [word, rows] = value as [string, number];
			// Of the characters of filters those of kinds: there are few, and going through them is dear beside any word.
			if (rows > rare && (isText(word) || isKindSign(word))) words.push([word, rows]);
		}
	}

	/** Takes its part of the common words. */
	#plan(words: string[]): void {
		const {of, index} = this.#share ?? {of: 1, index: 0};
		const mine = words.filter(word => (word.codePointAt(0) ?? 0) % of === index);
		this.#first = mine.flatMap(word => (isText(word) ? [false, true] : [false]).map(isStart => ({word, isStart})));
	}

	/** Stops reading; it is begun anew some time. */
	#giveUp(): void {
		this.#survey?.all.return?.();
		if (this.#survey) this.#surveyed = 0;
		this.#survey = undefined;
		if (!this.#lesson) return;
		const {term, first, rows} = this.#lesson;
		this.#lesson = undefined;
		rows?.return?.();
		if (first) this.#first.unshift(first);
		else this.#terms.giveBack(term);
	}
}

/** Whether it is a word that somebody may type. */
function isText(word: string): boolean {
	return /^[\p{L}\p{N}]/u.test(word);
}
