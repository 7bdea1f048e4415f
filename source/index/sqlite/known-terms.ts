// What several terms have in common, from lists of the common ones in memory; of a rare one all rows are read at once.
import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {idSpace} from './fts-text.ts';
import {expressionOf, type Terms} from './match-terms.ts';
import type {SharedPresence} from './shared-presence.ts';
import {bytesOf, LiveRows, OrderedRows, type SharedRows, type TermRows, termRows} from './term-rows.ts';

/** Rows up to which a term is rare: they are read anew by each search, in some 30 µs. */
export const rare = 256;
/** Bytes of all lists, which the threads that read share. */
export const mostBytes = 48 * 1024 * 1024;
/** What was asked for within so many milliseconds is not given up for something else. */
const settled = 30_000;
/** Milliseconds for each row of a list after which it may be made anew: a thousand times as long as that takes. */
const agePerRow = 0.5;
/** Rows that may be looked through for a page. */
const lookedThrough = 12_000;
/** Share of all contents that a list has at least whose word is left out of what is looked up: shorter ones sort out most of it. */
const filteredShare = 1 / 64;
/** Milliseconds for which a term is not learned that there was no room for. */
const refused = 600_000;
/** Terms that wait to be learned. */
const mostWanted = 512;

/** Rows of the full-text index; `next`: the one to go on from, where there are more. */
export type Rows = {rows: number[]; next: number | undefined};

type Kept = {rows: ReturnType<typeof termRows>; bytes: number; used: number; learned: number};

export class KnownTerms {
	readonly #presence: SharedPresence;
	readonly #rows: StatementSync;
	readonly #kept = new Map<string, Kept>();
	#bytes = 0;
	/** The highest ID of a content, about. */
	#highest = 0;
	/** Common terms that there is no list of, and since when. */
	readonly #unknown = new Map<string, number>();
	/** Those of them that are to be learned. */
	readonly #wanted = new Set<string>();
	/** Rare terms of this search. */
	readonly #rare = new Map<string, LiveRows>();
	#transaction = 0;

	constructor(database: DatabaseSync, presence: SharedPresence) {
		this.#presence = presence;
		this.#rows = database.prepare(
			rowsOf('SELECT rowid AS row FROM fts WHERE fts MATCH ? AND rowid > ? ORDER BY rowid LIMIT ?+0'),
		);
		this.#rows.setReturnArrays(true);
	}

	/** Called before the transaction of a search begins. */
	refresh(): void {
		this.#transaction = this.#presence.transaction;
		this.#rare.clear();
	}

	/** The rows after one that a step looks for, at most so many. */
	rows(terms: Terms, after: number, size: number): Rows {
		const known = this.find(terms, after, size);
		if (known) return known;
		const rows = this.#read(expressionOf(terms), after, size);
		return {rows, next: rows.length < size ? undefined : rows.at(-1)};
	}

	/** The same with the help of the lists; undefined where only the full-text index knows. */
	find({all, none}: Terms, after: number, size: number): Rows | undefined {
		if (all.length < 2) return undefined;
		const others = none.filter(term => !all.includes(term));
		// All that has the terms has those that are left out.
		if (none.length > 0 && others.length === 0) return {rows: [], next: undefined};
		if (this.#kept.size === 0) {
			// Before there are any lists, as while a first upload comes in, there is no use in looking for rare terms.
			for (const term of all) this.#want(term);
			return undefined;
		}
		const known = new Map<string, TermRows>();
		for (const term of all) {
			const list = this.#listOf(term);
			if (list?.count === 0) return {rows: [], next: undefined};
			if (list) known.set(term, list);
		}
		if (known.size === 0) return undefined;
		const left = others.map(term => this.#listOf(term)).filter(list => list !== undefined);
		const isLeftKnown = left.length === others.length;
		const [shortest, list] = [...known].reduce((a, b) => (b[1].count < a[1].count ? b : a));
		const isAllKnown = isLeftKnown && all.every(term => known.has(term));
		// Of a list that was made before the last change some rows may be missing.
		const isWhole = list instanceof LiveRows || (list instanceof OrderedRows && list.asOf === this.#transaction);
		if (isAllKnown && isWhole) {
			known.delete(shortest);
			return this.#common(list, [...known.values()], left, after, size);
		}
		// What there is no list of is looked up, together with what is rare.
		const least = this.#highest * filteredShare;
		const looked = all.filter(term => {
			const one = known.get(term);
			return !one || one instanceof LiveRows || one.count < least;
		});
		if (looked.length === 0 && list.count <= lookedThrough) looked.push(shortest);
		for (const term of looked) known.delete(term);
		if (looked.length === 0 || known.size === 0) return undefined;
		const expression = expressionOf({all: looked, none: isLeftKnown ? [] : none});
		return this.#filtered(expression, [...known.values()], isLeftKnown ? left : [], after, size);
	}

	/** Of what the full-text index finds the first `size` rows that are in all of some lists. */
	#filtered(expression: string, lists: TermRows[], left: TermRows[], after: number, size: number): Rows | undefined {
		const rows: number[] = [];
		let chunk = 2 * size;
		for (let [at, passed] = [after, 0]; passed < lookedThrough; passed += chunk, chunk = Math.min(4096, 4 * chunk)) {
			const read = this.#read(expression, at, chunk);
			const found = this.#common(new LiveRows(read), lists, left, -1, size - rows.length);
			if (!found) return undefined;
			rows.push(...found.rows);
			if (rows.length === size) return {rows, next: rows.at(-1)};
			if (read.length < chunk) return {rows, next: undefined};
			at = read.at(-1) ?? at;
		}
		return undefined;
	}

	/** Looks up what comes next in the full-text index. */
	#read(expression: string, after: number, size: number): number[] {
		return numbersOf(this.#rows.get(expression, after, size) as unknown as [string]);
	}

	/** Tells the highest ID of a content: lists with a good part of all are used in another way. */
	set highest(id: number) {
		this.#highest = id;
	}

	/** A term that was asked for and is to be learned. */
	take(): string | undefined {
		const [term] = this.#wanted;
		if (term !== undefined) this.#wanted.delete(term);
		return term;
	}

	/** A term that was taken was not learned. */
	giveBack(term: string): void {
		this.#wanted.add(term);
	}

	/** Bytes of all lists. */
	get bytes(): number {
		return this.#bytes;
	}

	/** How many rows a term has whose list is in memory; 0 for others. */
	countOf(term: string): number {
		return this.#kept.get(term)?.rows.count ?? 0;
	}

	/** A term turned out to be rare. */
	isRare(term: string): void {
		this.#unknown.delete(term);
		this.#drop(term);
	}

	#common(from: LiveRows | OrderedRows, rest: TermRows[], left: TermRows[], after: number, size: number) {
		const cursors = rest.map(list => list.cursor());
		const none = left.map(list => list.cursor());
		// What was written after a list was made may be there or not.
		const oldest = [...rest, ...left].reduce((least, {asOf}) => Math.min(least, asOf), this.#transaction);
		const isSure = oldest === this.#transaction;
		const rows: number[] = [];
		let isKnown = true;
		from.each(after, (at, id) => {
			if (!isSure && this.#presence.writtenAt(id) > oldest) isKnown = false;
			if (!isKnown) return false;
			for (const cursor of cursors) if (!cursor.has(at, id)) return true;
			if (none.length > 0 && none.every(cursor => cursor.has(at, id))) return true;
			rows.push(at * idSpace + id);
			return rows.length < size;
		});
		if (!isKnown) return undefined;
		return {rows, next: rows.length < size ? undefined : rows.at(-1)};
	}

	/** The rows of a term; undefined where they are many, and not in memory. */
	#listOf(term: string): TermRows | undefined {
		const kept = this.#kept.get(term);
		if (kept) {
			const {rows, learned} = kept;
			kept.used = performance.now();
			if (rows.asOf !== this.#transaction && kept.used - learned > agePerRow * rows.count) this.#wanted.add(term);
			return rows;
		}
		const live = this.#rare.get(term);
		if (live) return live;
		const rows = this.#unknown.has(term) ? undefined : this.#read(term, -1, rare + 1);
		if (!rows || rows.length > rare) {
			this.#want(term);
			return undefined;
		}
		const list = new LiveRows(rows);
		this.#rare.set(term, list);
		return list;
	}

	#want(term: string): void {
		const since = this.#unknown.get(term);
		if (since !== undefined && performance.now() - since < settled) return;
		if (this.#unknown.size >= 4 * mostWanted) this.#unknown.clear();
		this.#unknown.set(term, performance.now());
		if (this.#wanted.size < mostWanted) this.#wanted.add(term);
	}

	/**
	 * Keeps a list where there is room, or something that nobody has asked for lately to be given up.
	 *
	 * @param isAsked somebody has searched for it
	 * @returns whether it is kept
	 */
	keep(term: string, shared: SharedRows, isAsked: boolean): boolean {
		const now = performance.now();
		const bytes = bytesOf(shared);
		const before = this.#kept.get(term);
		if (before && before.rows.asOf >= shared.asOf) return false;
		this.#drop(term);
		while (this.#bytes + bytes > mostBytes) {
			let oldest: string | undefined;
			let used = now - settled;
			for (const [other, kept] of this.#kept) if (kept.used <= used) [oldest, used] = [other, kept.used];
			if (oldest === undefined) {
				this.#unknown.set(term, now + refused);
				return false;
			}
			this.#drop(oldest);
		}
		this.#unknown.delete(term);
		this.#wanted.delete(term);
		this.#kept.set(term, {rows: termRows(shared), bytes, used: isAsked ? now : now - settled, learned: now});
		this.#bytes += bytes;
		return true;
	}

	#drop(term: string): void {
		this.#bytes -= this.#kept.get(term)?.bytes ?? 0;
		this.#kept.delete(term);
	}
}

/** Rows as one text: a third cheaper to take over than one by one. */
export function rowsOf(select: string): string {
	return `SELECT json_group_array(row) FROM (${select})`;
}

/** The rows of such a text. */
export function numbersOf(row: [string] | undefined): number[] {
	return row ? (JSON.parse(row[0]) as number[]) : [];
}
