// The part of the table that this node keeps: signed records and the words they are kept under, in SQLite.
import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {limits} from '../api/limits.ts';
import {mayHold} from './name-filter.ts';
import {type FileRecord, type PresenceRecord, pathOfRaw, type Signed, sizeOfRaw, timeOfRaw} from './records.ts';
import {numberOf, numberOfContent, openTableFile, recordKey, Statements, wordId} from './table-file.ts';
import {type WordCount, WordCounts} from './word-counts.ts';
import {mostWords} from './words.ts';

/** A record as it is kept. */
export type KeptFile = {id: number; publisher: string; size: number; path: string; raw: Buffer};

/** Some of a list: `seen` were looked at, `after` is where it goes on. */
export type FilePage = {files: KeptFile[]; seen: number; after: number; end: boolean};

/** A file that is to be kept. `words`: all of its path; `mask`, `parts`: which of them are meant, whole or in a part. */
export type StoredFile = {file: Signed<FileRecord>; words: string[]; mask: number; parts: number};

type Row = {id: number; owner: number; content: number; expiry: number; mask: number; parts: number; raw: Buffer};

/** What came in is committed after so many milliseconds, or so many records. */
const commitMs = 2000;
const commitAfter = 8000;
/** Records that are written together, in the order in which they stand: some milliseconds of work. */
const writeAfter = 400;
/** Most files that one call may bring. */
export const putAtOnce = 128;
/** Most files that are read at once. */
const pageOfFiles = 128;
/** How many records are looked through in one step of forgetting. */
const forgetStep = 500;

/** How a part of a word that has too many files stands in the store. */
export function partOf(word: string, part: string): string {
	return `${word}|${part}`;
}

/** Keeps records until they expire. All calls are short. */
export class PostingStore {
	readonly #database: DatabaseSync;
	readonly #statements: Statements;
	readonly #limits: {[K in keyof typeof limits.tableKeeps]: number};
	readonly #words: WordCounts;
	#records: number;
	#forgotten = -1;
	/** Commits what came in lately; undefined when all is committed. */
	#commitTimer: NodeJS.Timeout | undefined;
	#uncommitted = 0;
	/** The next record's ID: they follow each other, so that what comes together stands together. */
	#nextId: number;
	/** Records by key that are not written yet. */
	readonly #rows = new Map<number, Row>();

	/** @param file of the database, or `:memory:`; one that is damaged is begun anew: others have what was in it */
	constructor(file: string, keeps: Partial<{[K in keyof typeof limits.tableKeeps]: number}> = {}) {
		this.#limits = {...limits.tableKeeps, ...keeps};
		this.#database = openTableFile(file);
		this.#statements = new Statements(this.#database);
		this.#words = new WordCounts(this.#statements, this.#limits, writeAfter + putAtOnce);
		this.#records = this.#count();
		this.#nextId = Number(this.#run('SELECT coalesce(max(id), 0) + 1 AS n FROM record').get()!.n);
	}

	get records(): number {
		return this.#records;
	}

	close(): void {
		this.commit();
		this.#database.close();
	}

	/**
	 * Keeps files of one publisher. They are committed together with those before and after them, soon: every commit writes
	 * each page anew that it touched, and what a crash takes is on other nodes.
	 *
	 * @param files at most {@link putAtOnce}
	 * @returns for each the words that have no room, as a mask; undefined when nothing of this publisher is taken any more
	 */
	putAll(peer: string, address: string, files: StoredFile[]): number[] | undefined {
		return this.#together(() => {
			const owner = this.#owner(peer, address);
			const keys = files.map(({file}) => recordKey(peer, file.path));
			const known = this.#known('key', keys);
			const before = this.#records;
			const full: number[] = [];
			for (const [index, file] of files.entries()) {
				const key = keys[index]!;
				const row = this.#rows.get(key) ?? known.get(key);
				if (!row && owner.room - (this.#records - before) <= 0) {
					// Nothing is known of a file that was removed: there is nothing to take back.
					if (!file.file.removed) break;
					full.push(0);
				} else full.push(this.#put(key, owner.id, file, row));
			}
			const added = this.#records - before;
			if (added > 0) this.#run('UPDATE publisher SET records = records + ? WHERE id = ?').run(added, owner.id);
			this.#uncommitted += files.length;
			if (this.#rows.size >= writeAfter) this.#write();
			return full.length === files.length ? full : undefined;
		});
	}

	/** Writes all that came in. */
	commit(): void {
		if (!this.#commitTimer) return;
		this.#write();
		this.#end('COMMIT');
	}

	#together<T>(work: () => T): T {
		if (!this.#commitTimer) {
			this.#database.exec('BEGIN');
			this.#commitTimer = setTimeout(() => this.commit(), commitMs).unref();
		}
		try {
			return work();
		} catch (error) {
			this.#rows.clear();
			this.#end('ROLLBACK');
			this.#words.forget();
			this.#records = this.#count();
			throw error;
		} finally {
			if (this.#uncommitted >= commitAfter) this.commit();
		}
	}

	#end(how: 'COMMIT' | 'ROLLBACK'): void {
		clearTimeout(this.#commitTimer);
		this.#commitTimer = undefined;
		this.#uncommitted = 0;
		this.#database.exec(how);
	}

	#count(): number {
		return Number(this.#run('SELECT count(*) AS n FROM record').get()!.n);
	}

	/** Who sends files, and how many more are taken from them. */
	#owner(peer: string, address: string): {id: number; room: number} {
		const key = Buffer.from(peer, 'hex');
		const row = this.#run('SELECT id, records FROM publisher WHERE key = ?').get(key);
		const there = Number(this.#run('SELECT sum(records) AS n FROM publisher WHERE address = ?').get(address)?.n ?? 0);
		const {publisher, address: ofAddress, records} = this.#limits;
		const own = Number(row?.records ?? 0);
		const room = Math.min(publisher - own, ofAddress - there, records - this.#records);
		if (row) return {id: Number(row.id), room};
		const made = this.#run('INSERT INTO publisher(key, address) VALUES (?, ?)').run(key, address);
		return {id: Number(made.lastInsertRowid), room};
	}

	/** Records that are there, by key. */
	#known(by: 'key' | 'id', values: number[]): Map<number, Row> {
		const rows = this.#run(
			`SELECT r.key, r.id, r.publisher, r.content, r.expiry, r.mask, r.parts, r.raw FROM json_each(?) AS one
			CROSS JOIN record r ON r.${by} = one.value`,
		).all(`[${values.join()}]`);
		const known = new Map<number, Row>();
		for (const {key, id, publisher, content, expiry, mask, parts, raw} of rows)
			known.set(Number(key), {
				...{id: Number(id), owner: Number(publisher), content: Number(content), expiry: Number(expiry)},
				...{mask: Number(mask), parts: Number(parts), raw: Buffer.from(raw as Uint8Array)},
			});
		return known;
	}

	#put(key: number, owner: number, {file, words, mask, parts}: StoredFile, row: Row | undefined): number {
		// Keys of two publishers meet by chance or ill will: who was first stays.
		if (row && (timeOfRaw(row.raw) > file.time || row.owner !== owner)) return 0;
		const id = row?.id ?? this.#nextId++;
		let full = 0;
		const content = numberOfContent(file.content);
		const had = {mask: row?.mask ?? 0, parts: row?.parts ?? 0};
		if (row && file.removed) {
			this.#unpost(row, words);
			had.mask = had.parts = 0;
		} else if (row && had.parts !== 0 && row.content !== content) {
			// Another content is in other parts.
			this.#unpost({...row, mask: 0}, words);
			had.parts = 0;
		}
		if (!file.removed) {
			const part = file.content[0]!;
			for (let index = 0; index < Math.min(words.length, mostWords); index++) {
				const bit = 2 ** index;
				const word = words[index]!;
				if ((mask & bit) !== 0 && (had.mask & bit) === 0) {
					if (this.#words.take(word, owner, id)) had.mask |= bit;
					else full |= bit;
				}
				// Where a part is full too, it ends.
				if ((parts & bit) !== 0 && (had.parts & bit) === 0 && this.#words.take(partOf(word, part), owner, id))
					had.parts |= bit;
			}
		}
		if (!row) this.#records++;
		this.#rows.set(key, {id, owner, content, expiry: file.expiry, ...had, raw: file.raw});
		return full;
	}

	#unpost({id, owner, content, mask, parts}: Row, words: string[]): void {
		this.#write();
		const part = Math.floor(content / 2 ** 48).toString(16);
		const drop = (text: string) => {
			const {changes} = this.#run('DELETE FROM posting WHERE word = ? AND record = ?').run(wordId(text), id);
			if (changes > 0) this.#words.drop(text, owner);
		};
		for (const [index, text] of words.slice(0, mostWords).entries()) {
			if ((mask & (2 ** index)) !== 0) drop(text);
			if ((parts & (2 ** index)) !== 0) drop(partOf(text, part));
		}
	}

	/** Writes what is only in memory, in the order in which it stands in the database. */
	#write(): void {
		if (this.#rows.size === 0) return;
		const busy = this.#words.write();
		const rows: Array<number | Buffer> = [];
		for (const [key, {id, owner, content, expiry, mask, parts, raw}] of this.#rows)
			rows.push(id, key, owner, content, expiry, mask, parts, raw);
		this.#statements.insert(
			'INSERT OR REPLACE INTO record(id, key, publisher, content, expiry, mask, parts, raw) VALUES',
			8,
			rows,
		);
		this.#rows.clear();
		this.#words.countOwners(busy);
	}

	/** Keeps where a peer is, if that is newer than what is known. @returns whether there was room */
	putPresence(presence: Signed<PresenceRecord>): boolean {
		const key = numberOf(Buffer.from(presence.peer, 'hex'));
		const known = this.#run('SELECT time FROM presence WHERE key = ?').get(key);
		if (known && Number(known.time) > presence.time) return true;
		if (!known && Number(this.#run('SELECT count(*) AS n FROM presence').get()!.n) >= this.#limits.presences)
			return false;
		this.#run('INSERT OR REPLACE INTO presence(key, peer, time, expiry, raw) VALUES (?, ?, ?, ?, ?)').run(
			key,
			presence.peer,
			presence.time,
			presence.expiry,
			presence.raw,
		);
		return true;
	}

	presence(peer: string): Buffer | undefined {
		const row = this.#run('SELECT raw FROM presence WHERE peer = ? AND key = ?').get(
			peer,
			numberOf(Buffer.from(peer, 'hex')),
		);
		return row && Buffer.from(row.raw as Uint8Array);
	}

	/** Peers after a place in their order, those that have not expired. */
	presences(after: number, now: number, limit: number): Array<{key: number; raw: Buffer}> {
		return this.#run('SELECT key, raw FROM presence WHERE key > ? AND expiry > ? ORDER BY key LIMIT ?+0')
			.all(after, now, limit)
			.map(row => ({key: Number(row.key), raw: Buffer.from(row.raw as Uint8Array)}));
	}

	/** The word itself, with how many files are under it and whether there were too many. */
	word(text: string): WordCount | undefined {
		this.#write();
		return this.#words.find(text);
	}

	/** Words that begin with a text, from an ID on, in the order of their IDs. */
	wordsFrom(start: string, from: number, limit: number): number[] {
		this.#write();
		return this.#run('SELECT id FROM word WHERE text >= ? AND text < ? AND id >= ? ORDER BY id LIMIT ?+0')
			.all(start, `${start}\u{10ffff}`, from, limit)
			.map(row => Number(row.id));
	}

	/** How many files are under the words that begin with a text; Infinity where those words are many themselves. */
	filesFrom(start: string): number {
		this.#write();
		const {words, files} = this.#run(
			`SELECT count(*) AS words, total(files) AS files FROM (SELECT files FROM word WHERE text >= ? AND text < ?
			LIMIT ?+0)`,
		).get(start, `${start}\u{10ffff}`, limits.table.wordsAtOnce + 1)!;
		return Number(words) > limits.table.wordsAtOnce ? Number.POSITIVE_INFINITY : Number(files);
	}

	/**
	 * Files under a word, after a record, in the order of their IDs; without those that expired or were removed.
	 *
	 * @param limit files that are looked at; @param texts that must be in their paths: see {@link textsOf}
	 */
	under(word: number, after: number, now: number, limit: number, texts: string[]): FilePage {
		this.#write();
		const most = texts.length > 0 ? limit : Math.min(limit, pageOfFiles);
		const range = this.#run(
			`SELECT count(*) AS n, max(record) AS last FROM
			(SELECT record FROM posting WHERE word = ? AND record > ? ORDER BY record LIMIT ?+0)`,
		).get(word, after, most)!;
		const [seen, last] = [Number(range.n), Number(range.last ?? after)];
		const files = this.#files(
			`SELECT r.id, p.key, r.raw FROM posting CROSS JOIN record r ON r.id = posting.record
			CROSS JOIN publisher p ON p.id = r.publisher
			WHERE posting.word = ? AND posting.record > ? AND posting.record <= ? AND r.expiry > ? AND ${mayHold(texts.length)}
			ORDER BY posting.record LIMIT ?+0`,
			...[word, after, last, now, ...texts, pageOfFiles],
		);
		if (files.length === pageOfFiles) return {files, seen, after: files.at(-1)!.id, end: false};
		return {files, seen, after: last, end: seen < most};
	}

	/** Files with a content, whatever they are kept under; those that are there in part as well. */
	withContent(content: string, after: number, now: number): FilePage {
		return this.#page(
			after,
			`SELECT r.id, p.key, r.raw FROM record r JOIN publisher p ON p.id = r.publisher
			WHERE r.content = ? AND r.id > ? AND r.expiry > ? AND substr(r.raw, 1, 1) <> x'01' ORDER BY r.id LIMIT ?+0`,
			...[numberOfContent(content), after, now, pageOfFiles],
		);
	}

	/** All files that are there whole, after a record. */
	all(after: number, now: number): FilePage {
		return this.#page(
			after,
			`SELECT r.id, p.key, r.raw FROM record r JOIN publisher p ON p.id = r.publisher
			WHERE r.id > ? AND r.expiry > ? AND substr(r.raw, 1, 1) = x'00' ORDER BY r.id LIMIT ?+0`,
			...[after, now, pageOfFiles],
		);
	}

	/** One step of going round all records and forgetting those that expired; called again and again. */
	forget(now: number, wordsOf: (path: string) => string[]): void {
		this.#together(() => {
			this.#write();
			const rows = this.#run('SELECT id, expiry FROM record WHERE id > ? ORDER BY id LIMIT ?+0').all(
				this.#forgotten,
				forgetStep,
			);
			this.#forgotten = rows.length < forgetStep ? -1 : Number(rows.at(-1)!.id);
			const expired = rows.filter(row => Number(row.expiry) <= now).map(row => Number(row.id));
			for (const row of this.#known('id', expired).values()) {
				this.#unpost(row, wordsOf(pathOfRaw(row.raw)));
				this.#run('DELETE FROM record WHERE id = ?').run(row.id);
				this.#run('UPDATE publisher SET records = records - 1 WHERE id = ?').run(row.owner);
			}
			this.#records -= expired.length;
			this.#words.write();
			this.#run('DELETE FROM presence WHERE expiry <= ?').run(now);
			if (this.#forgotten === -1) this.#run('DELETE FROM publisher WHERE records <= 0').run();
		});
	}

	/** Files that are all looked at. */
	#page(from: number, sql: string, ...values: number[]): FilePage {
		this.#write();
		const files = this.#files(sql, ...values);
		return {files, seen: files.length, after: files.at(-1)?.id ?? from, end: files.length < pageOfFiles};
	}

	#files(sql: string, ...values: Array<number | string>): KeptFile[] {
		return this.#run(sql)
			.all(...values)
			.map(row => {
				const raw = Buffer.from(row.raw as Uint8Array);
				const publisher = Buffer.from(row.key as Uint8Array).toString('hex');
				return {id: Number(row.id), publisher, size: sizeOfRaw(raw), path: pathOfRaw(raw), raw};
			});
	}

	#run(sql: string): StatementSync {
		return this.#statements.run(sql);
	}
}
