// The part of the table that this node keeps: signed records and the words they are kept under, in SQLite.
import {rmSync} from 'node:fs';
import {DatabaseSync, type StatementSync} from 'node:sqlite';
import {limits} from '../api/limits.ts';
import {blake2b} from './network-key.ts';
import type {FileRecord, PresenceRecord, Signed} from './records.ts';
import {type WordCount, WordCounts} from './word-counts.ts';
import {mostWords} from './words.ts';

const schema = `
PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;
PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=16777216;
CREATE TABLE IF NOT EXISTS publisher(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, address TEXT NOT NULL,
	records INT NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS publisher_address ON publisher(address);
CREATE TABLE IF NOT EXISTS record(id INTEGER PRIMARY KEY, publisher INT NOT NULL, content INT NOT NULL, size INT NOT NULL,
	time INT NOT NULL, expiry INT NOT NULL, mask INT NOT NULL, path TEXT NOT NULL, raw BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS record_content ON record(content);
CREATE TABLE IF NOT EXISTS word(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, files INT NOT NULL DEFAULT 0,
	split INT NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS posting(word INT, record INT, PRIMARY KEY(word, record)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS share_of(word INT, publisher INT, files INT NOT NULL, PRIMARY KEY(word, publisher)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS presence(key INTEGER PRIMARY KEY, peer TEXT NOT NULL, time INT NOT NULL, expiry INT NOT NULL,
	raw BLOB NOT NULL);
`;

/** A record as it is kept. */
export type KeptFile = {id: number; publisher: string; size: number; path: string; raw: Buffer};

/** A publisher while a batch of theirs is taken in. `room`: files that may still come. */
export type Owner = {id: number; peer: string; room: number; added: number};

/** A number of 52 bits that stands for the bytes: SQLite and JavaScript both count that far. */
export function numberOf(bytes: Buffer): number {
	return bytes.readUIntBE(0, 6) * 16 + (bytes[6]! >> 4);
}

/** What came in is committed after so many milliseconds, or so many batches: some 10 ms of work. */
const commitMs = 250;
const commitAfter = 60;
/** How many records are looked through in one step of forgetting. */
const forgetStep = 500;

function openDatabase(file: string): DatabaseSync {
	const open = () => {
		const database = new DatabaseSync(file);
		try {
			database.exec(schema);
			return database;
		} catch (error) {
			database.close();
			throw error;
		}
	};
	try {
		return open();
	} catch (error) {
		if (file === ':memory:') throw error;
		for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, {force: true});
		return open();
	}
}

/** Keeps records until they expire. All calls are short. */
export class PostingStore {
	readonly #database: DatabaseSync;
	readonly #statements = new Map<string, StatementSync>();
	readonly #limits: {[K in keyof typeof limits.tableKeeps]: number};
	readonly #words: WordCounts;
	#records: number;
	#forgotten = -1;
	/** Commits what came in lately; undefined when all is committed. */
	#commitTimer: NodeJS.Timeout | undefined;
	#uncommitted = 0;

	/** @param file of the database, or `:memory:`; one that is damaged is begun anew: others have what was in it */
	constructor(file: string, keeps: Partial<{[K in keyof typeof limits.tableKeeps]: number}> = {}) {
		this.#limits = {...limits.tableKeeps, ...keeps};
		this.#database = openDatabase(file);
		this.#words = new WordCounts(this.#database);
		this.#records = Number(this.#run('SELECT count(*) AS n FROM record').get()!.n);
	}

	get records(): number {
		return this.#records;
	}

	close(): void {
		this.commit();
		this.#database.close();
	}

	/**
	 * Runs changes that are committed together with those before and after them, soon: every commit writes each page anew
	 * that it touched, and what a crash takes is on other nodes.
	 */
	together<T>(work: () => T): T {
		if (!this.#commitTimer) {
			this.#database.exec('BEGIN');
			this.#commitTimer = setTimeout(() => this.commit(), commitMs).unref();
		}
		try {
			return work();
		} catch (error) {
			this.#end('ROLLBACK');
			this.#words.forget();
			throw error;
		} finally {
			if (++this.#uncommitted >= commitAfter) this.commit();
		}
	}

	/** Writes all that came in. */
	commit(): void {
		if (!this.#commitTimer) return;
		this.#words.write();
		this.#end('COMMIT');
	}

	#end(how: 'COMMIT' | 'ROLLBACK'): void {
		clearTimeout(this.#commitTimer);
		this.#commitTimer = undefined;
		this.#uncommitted = 0;
		this.#database.exec(how);
	}

	/** Who sends a batch, and how many more files are taken from them. Must be given back by {@link leave}. */
	enter(peer: string, address: string): Owner {
		const key = Buffer.from(peer, 'hex');
		const row = this.#run('SELECT id, records FROM publisher WHERE key = ?').get(key);
		const there = Number(this.#run('SELECT sum(records) AS n FROM publisher WHERE address = ?').get(address)?.n ?? 0);
		const {publisher, address: ofAddress, records} = this.#limits;
		const own = Number(row?.records ?? 0);
		const room = Math.min(publisher - own, ofAddress - there, records - this.#records);
		if (row) return {id: Number(row.id), peer, room, added: 0};
		const made = this.#run('INSERT INTO publisher(key, address) VALUES (?, ?)').run(key, address);
		return {id: Number(made.lastInsertRowid), peer, room, added: 0};
	}

	/** Counts what a batch brought. */
	leave({id, added}: Owner): void {
		if (added > 0) this.#run('UPDATE publisher SET records = records + ? WHERE id = ?').run(added, id);
	}

	/**
	 * Keeps a file under those of its words that the mask names.
	 *
	 * @param words all words of its path; @param mask which of them; the content bit may be set as well
	 * @returns the words that have no room, as a mask; undefined when nothing of this publisher is taken any more
	 */
	put(owner: Owner, file: Signed<FileRecord>, words: string[], mask: number): number | undefined {
		const id = numberOf(blake2b(owner.peer, file.path));
		const known = this.#run('SELECT time, mask, expiry FROM record WHERE id = ?').get(id);
		if (known && Number(known.time) > file.time) return 0;
		if (file.removed) {
			if (known) this.#unpost(id, owner.id, words, Number(known.mask));
			else if (owner.room <= 0) return 0;
			this.#write(id, owner, file, 0, known !== undefined);
			return 0;
		}
		if (!known && owner.room <= 0) return undefined;
		const had = known ? Number(known.mask) : 0;
		let [kept, full] = [had, 0];
		for (let index = 0; index < Math.min(words.length, mostWords); index++) {
			const bit = 2 ** index;
			if ((mask & bit) === 0 || (had & bit) !== 0) continue;
			if (this.#post(id, owner.id, words[index]!)) kept |= bit;
			else full |= bit;
		}
		this.#write(id, owner, file, kept, known !== undefined);
		return full;
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
		return this.#run('SELECT key, raw FROM presence WHERE key > ? AND expiry > ? ORDER BY key LIMIT ?')
			.all(after, now, limit)
			.map(row => ({key: Number(row.key), raw: Buffer.from(row.raw as Uint8Array)}));
	}

	/** The word itself, with how many files are under it and whether there were too many. */
	word(text: string): WordCount | undefined {
		return this.#words.find(text);
	}

	/** Words that begin with a text, from an ID on, in the order of their IDs. */
	wordsFrom(start: string, from: number, limit: number): number[] {
		return this.#run('SELECT id FROM word WHERE text >= ? AND text < ? AND id >= ? ORDER BY id LIMIT ?')
			.all(start, `${start}\u{10ffff}`, from, limit)
			.map(row => Number(row.id));
	}

	/** Files under a word, after a record, in the order of their IDs; without those that expired or were removed. */
	under(word: number, after: number, now: number, limit: number): KeptFile[] {
		return this.#files(
			`SELECT r.id, p.key, r.size, r.path, r.raw FROM posting JOIN record r ON r.id = posting.record
			JOIN publisher p ON p.id = r.publisher WHERE posting.word = ? AND posting.record > ? AND r.expiry > ?
			ORDER BY posting.record LIMIT ?`,
			word,
			after,
			now,
			limit,
		);
	}

	/** Files with a content, whatever they are kept under. */
	withContent(content: string, after: number, now: number, limit: number): KeptFile[] {
		return this.#files(
			`SELECT r.id, p.key, r.size, r.path, r.raw FROM record r JOIN publisher p ON p.id = r.publisher
			WHERE r.content = ? AND r.id > ? AND r.expiry > ? AND substr(r.raw, 1, 1) = x'00' ORDER BY r.id LIMIT ?`,
			numberOf(Buffer.from(content, 'hex')),
			after,
			now,
			limit,
		);
	}

	/** All files, after a record. */
	all(after: number, now: number, limit: number): KeptFile[] {
		return this.#files(
			`SELECT r.id, p.key, r.size, r.path, r.raw FROM record r JOIN publisher p ON p.id = r.publisher
			WHERE r.id > ? AND r.expiry > ? AND substr(r.raw, 1, 1) = x'00' ORDER BY r.id LIMIT ?`,
			after,
			now,
			limit,
		);
	}

	/** One step of going round all records and forgetting those that expired; called again and again. */
	forget(now: number, wordsOf: (path: string) => string[]): void {
		const rows = this.#run('SELECT id, publisher, expiry, mask, path FROM record WHERE id > ? ORDER BY id LIMIT ?').all(
			this.#forgotten,
			forgetStep,
		);
		this.#forgotten = rows.length < forgetStep ? -1 : Number(rows.at(-1)!.id);
		const expired = rows.filter(row => Number(row.expiry) <= now);
		this.together(() => {
			for (const row of expired) {
				const owner = Number(row.publisher);
				this.#unpost(Number(row.id), owner, wordsOf(String(row.path)), Number(row.mask));
				this.#run('DELETE FROM record WHERE id = ?').run(Number(row.id));
				this.#run('UPDATE publisher SET records = records - 1 WHERE id = ?').run(owner);
			}
			this.#run('DELETE FROM presence WHERE expiry <= ?').run(now);
			if (this.#forgotten === -1) {
				this.#run('DELETE FROM publisher WHERE records <= 0').run();
				this.#words.write();
				this.#run('DELETE FROM word WHERE files <= 0').run();
				this.#words.forget();
			}
		});
		this.#records -= expired.length;
	}

	#files(sql: string, ...values: number[]): KeptFile[] {
		return this.#run(sql)
			.all(...values)
			.map(row => ({
				id: Number(row.id),
				publisher: Buffer.from(row.key as Uint8Array).toString('hex'),
				size: Number(row.size),
				path: String(row.path),
				raw: Buffer.from(row.raw as Uint8Array),
			}));
	}

	#write(id: number, owner: Owner, file: Signed<FileRecord>, mask: number, known: boolean): void {
		if (known)
			this.#run('UPDATE record SET content = ?, size = ?, time = ?, expiry = ?, mask = ?, raw = ? WHERE id = ?').run(
				...([numberOf(Buffer.from(file.content, 'hex')), file.size, file.time, file.expiry, mask] as const),
				...([file.raw, id] as const),
			);
		else {
			this.#run(
				'INSERT INTO record(id, publisher, content, size, time, expiry, mask, path, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
			).run(
				...([id, owner.id, numberOf(Buffer.from(file.content, 'hex')), file.size, file.time, file.expiry] as const),
				...([mask, file.path, file.raw] as const),
			);
			owner.room--;
			owner.added++;
			this.#records++;
		}
	}

	#post(record: number, owner: number, text: string): boolean {
		const word = this.#words.make(text);
		if (word.files >= this.#limits.word || this.#words.own(word, owner) >= this.#limits.wordOfPublisher) {
			this.#words.markSplit(word);
			return false;
		}
		const {changes} = this.#run('INSERT OR IGNORE INTO posting(word, record) VALUES (?, ?)').run(word.id, record);
		if (changes > 0) this.#words.add(word, owner, 1);
		return true;
	}

	#unpost(record: number, owner: number, words: string[], mask: number): void {
		for (const [index, text] of words.entries()) {
			if ((mask & (2 ** index)) === 0) continue;
			const word = this.word(text);
			if (!word) continue;
			const {changes} = this.#run('DELETE FROM posting WHERE word = ? AND record = ?').run(word.id, record);
			if (changes > 0) this.#words.add(word, owner, -1);
		}
	}

	#run(sql: string): StatementSync {
		let statement = this.#statements.get(sql);
		if (!statement) {
			statement = this.#database.prepare(sql);
			this.#statements.set(sql, statement);
		}
		return statement;
	}
}
