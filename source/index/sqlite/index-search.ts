// A search: candidates from the full-text index in the order of popularity, compared with their names, page by page.
import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {limits} from '../../api/limits.ts';
import type {ParsedQuery} from '../../api/query.ts';
import type {SizeRange} from '../../api/query-filters.ts';
import {insideLength} from '../../api/query-match.ts';
import {readCursor, writeCursor} from '../cursor.ts';
import type {SearchText} from '../store.ts';
import type {ContentReader} from './content-reader.ts';
import {fileOfRow, sizeClass} from './fts-text.ts';
import type {Found} from './hit-page.ts';
import {type KnownTerms, numbersOf, type Rows, rowsOf} from './known-terms.ts';
import {
	comparedSizes,
	countTerms,
	expressionOf,
	isOneTerm,
	matchTerms,
	type Step,
	steps,
	type Terms,
} from './match-terms.ts';
import type {PeerTexts} from './peer-texts.ts';
import {type Asked, SearchHits} from './search-hits.ts';
import type {SharedPresence} from './shared-presence.ts';
import type {VocabularyReader} from './vocabulary.ts';

/** Rows that are counted for a total; past them it is "more than". Of several words each row costs ten times as much. */
const counted = {one: 100, several: 50};
/** Hits with which a page may end before words are looked into: with several words that is the dearest step by far. */
const enough = {one: 10, several: 1};
/** Rows that a step reads at first for each hit that is wanted, as some may not match in the end. */
const rowsPerHit = 2;
/** Rows that are looked through at once for those of some peers. */
const peerChunk = 20_000;
/** The same for those of some sizes, and how many of them at a time. */
const sizeChunk = 4000;
const sizesAtOnce = 200;

/**
 * A search as it goes to a reader. `peers`: numbers, where the query has `peer:`. `here`: see PeerTexts.
 */
export type SearchRequest = {
	query: ParsedQuery;
	peers: number[] | undefined;
	limit: number;
	/** Sources named for each hit. */
	sources: number;
	cursor?: string;
	here?: string;
};

type Place = {step: number; row: number};
/** What one page may still cost; `size` is how many rows are asked for next. */
type Budget = {read: number; passed: number; size: number};
type Total = {total: number; more: boolean};
/** What the first page knows: the most popular of all that has the words from their start, and of them what has them whole. */
type Overview = {expression: string; all: Rows; whole?: Rows};

export class IndexSearch {
	readonly #hits: SearchHits;
	readonly #presence: SharedPresence;
	readonly #vocabulary: VocabularyReader;
	readonly #peers: PeerTexts;
	readonly #terms: KnownTerms;
	readonly #rowsOfPeers: StatementSync;
	readonly #sizeOf: StatementSync;
	readonly #rowAt: StatementSync;

	constructor(
		database: DatabaseSync,
		contents: ContentReader,
		peers: PeerTexts,
		presence: SharedPresence,
		vocabulary: VocabularyReader,
		terms: KnownTerms,
	) {
		this.#hits = new SearchHits(contents, peers, presence);
		this.#peers = peers;
		this.#presence = presence;
		this.#vocabulary = vocabulary;
		this.#terms = terms;
		// `?+0`: SQLite prepares a statement anew for every binding of a plain LIMIT, which takes as long as a short search.
		const match = 'SELECT rowid AS row FROM fts WHERE fts MATCH ? AND rowid > ? ORDER BY rowid LIMIT ?+0';
		const prepare = (sql: string) => {
			const statement = database.prepare(sql);
			statement.setReturnArrays(true);
			return statement;
		};
		const listOf = (rows: string) => prepare(rowsOf(rows));
		const file = '(row & 1099511627775)';
		this.#rowsOfPeers = listOf(
			`SELECT row FROM (${match}) WHERE EXISTS (SELECT 1 FROM holder h JOIN folder f
				ON f.id=h.folder WHERE h.file=${file} AND f.peer IN (SELECT value FROM json_each(?))) LIMIT ?+0`,
		);
		this.#sizeOf = prepare('SELECT size FROM file WHERE id=?');
		this.#rowAt = prepare(match.replace('LIMIT ?+0', 'LIMIT 1 OFFSET ?+0'));
	}

	/** One page; see IndexStore.search. */
	search({query, peers: numbers, limit, sources, cursor, here}: SearchRequest): SearchText {
		const clock = this.#peers.clock + this.#presence.onlineClock;
		const asked: Asked = {query, peers: numbers && new Set(numbers), named: sources, here, clock};
		const before = readCursor(cursor, 'number', 'number', 'number', 'number', 'number');
		const [step = 0, row = -1, counted = 0, isMore = 0, given = 0] = before ?? [];
		const found: Found[] = [];
		this.#hits.page.clear();
		const overview = before ? undefined : this.#overview(asked);
		let place: Place | undefined = {step, row};
		if (overview && !asked.peers && overview.all.next === undefined && overview.all.rows.length <= limit)
			place = this.#takeAll(asked, overview.all.rows, found);
		const budget = {read: limits.searchReads, passed: limits.searchPassed, size: rowsPerHit * limit};
		const isPlenty = query.words.length > 1 ? enough.several : enough.one;
		while (place && found.length < limit && budget.read > 0 && budget.passed > 0) {
			// Looking inside words is the dear step: whoever has some better hits gets it with the next page.
			if (steps[place.step] === 'inside' && found.length >= isPlenty) break;
			place = this.#page(asked, place, limit - found.length, found, budget, overview);
		}
		if (place?.row === -1) place = this.#later(asked, place.step);
		const so: Total = overview ? this.#total(query, overview, found.length) : {total: counted, more: isMore === 1};
		// Whoever comes to the end knows how many there were.
		const {total, more} = place ? so : {total: given + found.length, more: false};
		found.sort((a, b) => a.rank - b.rank || b.sources - a.sources || a.id - b.id);
		const after = place && [place.step, place.row, total, more ? 1 : 0, given + found.length];
		const next = after ? `,"cursor":"${writeCursor(after)}"` : '';
		return {json: this.#hits.page.take(found, `,"total":${total},"more":${more}${next}`), total, more};
	}

	/** The most popular of what has the words from their start: enough to count it, and all that there is of a rare one. */
	#overview(asked: Asked): Overview {
		const size = isOneTerm(asked.query) ? counted.one : counted.several;
		const terms = countTerms(asked.query, this.#vocabulary);
		return {expression: expressionOf(terms), all: this.#candidates(asked, terms, -1, size)};
	}

	/**
	 * A search with few answers gets all that it has but those inside words at once: that is one lookup where the steps one
	 * by one are three.
	 */
	#takeAll(asked: Asked, rows: number[], found: Found[]): Place {
		for (const row of rows) {
			const id = fileOfRow(row);
			const hit = this.#presence.shares(id) > 0 && this.#hits.check(asked, undefined, id);
			if (hit) found.push(hit);
		}
		return {step: steps.indexOf('inside'), row: -1};
	}

	/** Reads on from a place until `wanted` more are found or the rows asked for end; returns where to go on, if anywhere. */
	#page(
		asked: Asked,
		place: Place,
		wanted: number,
		found: Found[],
		budget: Budget,
		overview: Overview | undefined,
	): Place | undefined {
		const {peers, query} = asked;
		const step = steps[place.step];
		if (!step) return undefined;
		// Each step begins small: what its first rows are not enough for asks for more of them.
		if (place.row === -1) budget.size = rowsPerHit * wanted;
		const read = this.#rowsOf(asked, step, place.row, budget.size, found.length < enough.one, overview);
		if (!read) return nextStep(place);
		const {rows, next} = read;
		budget.passed -= peers ? peerChunk : comparedSizes(query) ? sizeChunk : rows.length;
		budget.size = Math.min(8192, budget.size * 4);
		for (const [index, row] of rows.entries()) {
			const id = fileOfRow(row);
			if (this.#presence.shares(id) === 0) continue;
			budget.read--;
			const hit = this.#hits.check(asked, step, id);
			if (hit) found.push(hit);
			if (budget.read > 0 && (!hit || --wanted > 0)) continue;
			const ended = index === rows.length - 1 && next === undefined;
			return ended ? nextStep(place) : {step: place.step, row};
		}
		return next === undefined ? nextStep(place) : {step: place.step, row: next};
	}

	/** The next rows of a step; undefined when it can find nothing. */
	#rowsOf(
		asked: Asked,
		step: Step,
		after: number,
		size: number,
		few: boolean,
		overview: Overview | undefined,
	): Rows | undefined {
		const {query} = asked;
		const whole = overview?.whole;
		if (overview && step === 'start' && after === -1 && whole && whole.next === undefined) {
			// All that has the words whole is known: the rest of what was found first is this step's.
			if (query.words.every(({start}) => start === undefined)) return undefined;
			const known = new Set(whole.rows);
			return {rows: overview.all.rows.filter(row => !known.has(row)), next: overview.all.next};
		}
		const terms = matchTerms(query, step, this.#vocabulary, few && after === -1);
		if (terms === undefined) return undefined;
		// Nothing begins with the words but they themselves: what was found first is what has them whole.
		const isKnown = after === -1 && overview?.expression === expressionOf(terms);
		const read = isKnown ? overview.all : this.#candidates(asked, terms, after, size);
		if (overview && step === 'whole' && after === -1) overview.whole = read;
		return read;
	}

	/**
	 * The first step from there that finds anything: a page that is full should not promise an empty one. What several
	 * words are inside of is not looked up for that.
	 */
	#later(asked: Asked, from: number): Place | undefined {
		for (let step = from; step < steps.length; step++) {
			const terms = matchTerms(asked.query, steps[step] as Step, this.#vocabulary);
			if (terms !== undefined && steps[step] === 'inside' && asked.query.words.length > 1) return {step, row: -1};
			if (terms !== undefined && this.#candidates(asked, terms, -1, 1).rows.length > 0) return {step, row: -1};
		}
		return undefined;
	}

	/** Rows after one, and from where to go on: undefined where there are no more. */
	#candidates({query, peers}: Asked, terms: Terms, after: number, size: number): Rows {
		if (peers) return this.#rowsWith(peers, expressionOf(terms), after, size);
		const sizes = comparedSizes(query);
		return sizes ? this.#rowsOfSizes(sizes, terms, after, size) : this.#terms.rows(terms, after, size);
	}

	#rowsWith(peers: Set<number>, expression: string, after: number, size: number): Rows {
		const read = this.#rowsOfPeers.get(expression, after, peerChunk, JSON.stringify([...peers]), size);
		const rows = numbersOf(read as unknown as [string]);
		if (rows.length === size) return {rows, next: rows.at(-1)};
		const last = this.#rowAt.get(expression, after, peerChunk - 1) as unknown as [number] | undefined;
		return {rows, next: last?.[0]};
	}

	#rowsOfSizes(sizes: SizeRange, terms: Terms, after: number, size: number): Rows {
		const rows: number[] = [];
		let next: number | undefined = after;
		for (let passed = 0; passed < sizeChunk && next !== undefined; passed += sizesAtOnce) {
			const read: Rows = this.#terms.rows(terms, next, sizesAtOnce);
			for (const row of read.rows) {
				if (!this.#isOfSize(fileOfRow(row), sizes)) continue;
				rows.push(row);
				if (rows.length === size) return {rows, next: row};
			}
			next = read.next;
		}
		return {rows, next};
	}

	/** By its class, and by the size itself only at the ends of the range. */
	#isOfSize(file: number, {min, max}: SizeRange): boolean {
		const [least, most, known] = [sizeClass(min), sizeClass(max), this.#presence.sizeClassOf(file)];
		if (known !== undefined && known !== least && known !== most) return known > least && known < most;
		const [size = 0] = (this.#sizeOf.get(file) ?? []) as unknown as [number?];
		if (known === undefined) this.#presence.setSizeClass(file, sizeClass(size));
		return size >= min && size <= max;
	}

	/** How many there are where there are more pages: what the index finds, up to a bound. */
	#total(query: ParsedQuery, {all: {rows, next}}: Overview, found: number): Total {
		const total = rows.filter(row => this.#presence.shares(fileOfRow(row)) > 0).length;
		return {total: Math.max(total, found), more: next !== undefined || isCountedInPart(query)};
	}
}

function nextStep({step}: Place): Place | undefined {
	return step + 1 < steps.length ? {step: step + 1, row: -1} : undefined;
}

/** Whether what is counted for a query may be less than what matches (inside words), or more (what is compared later). */
function isCountedInPart({words, phrases, without, extensions, names, size}: ParsedQuery): boolean {
	const inside = words.some(({start}) => start !== undefined && start.length >= insideLength);
	return inside || [phrases, without, extensions, names].some(list => list.length > 0) || size !== undefined;
}
