// A search: candidates from the full-text index in the order of popularity, compared with their names, page by page.
import type {DatabaseSync, StatementSync} from 'node:sqlite';
import type {ParsedQuery} from '../../api/query.ts';
import {matchRank, matchRanks, type PathWords, readPath} from '../../api/query-match.ts';
import {baseName} from '../../core/share-path.ts';
import {readCursor, writeCursor} from '../cursor.ts';
import type {ContentReader, RawContent, RawSource, StoredContent} from './content-reader.ts';
import {fileOfRow} from './fts-text.ts';
import {countExpression, matchExpression, type Step, steps} from './match-expression.ts';
import type {SharedPresence} from './shared-presence.ts';
import type {VocabularyReader} from './vocabulary.ts';

/** Rows that are counted for a total; past them it is "more than". */
const counted = 1000;
/** Contents that are read for one page: what is found but does not match in the end is bounded work. */
const readMost = 2000;
/** Rows of the full-text index that are passed over for one page, as nobody online has them. */
const passedMost = 200_000;
/** Rows that are looked through at once for those of some peers. */
const peerChunk = 20_000;
/** Paths that are remembered cut. */
const pathsRemembered = 20_000;

/** What a reader's thread answers; the store puts in who the peers are. */
export type RawSearch = {hits: RawContent[]; total: number; more: boolean; cursor?: string};
/** A search as it goes to a reader. `peers`: numbers, where the query has `peer:`. */
export type SearchRequest = {query: ParsedQuery; peers: number[] | undefined; limit: number; cursor?: string};

type Place = {step: number; row: number};
type Found = {rank: number; id: number; hit: RawContent};
/** What one page may still cost; `size` is how many rows are asked for next. */
type Budget = {read: number; passed: number; size: number};

export class IndexSearch {
	readonly #contents: ContentReader;
	readonly #presence: SharedPresence;
	readonly #vocabulary: VocabularyReader;
	readonly #rows: StatementSync;
	readonly #rowsOfPeers: StatementSync;
	readonly #rowAt: StatementSync;
	readonly #paths = new Map<string, PathWords>();

	constructor(database: DatabaseSync, contents: ContentReader, presence: SharedPresence, vocabulary: VocabularyReader) {
		this.#contents = contents;
		this.#presence = presence;
		this.#vocabulary = vocabulary;
		const match = 'SELECT rowid AS row FROM fts WHERE fts MATCH ? AND rowid > ? ORDER BY rowid LIMIT ?';
		this.#rows = database.prepare(match);
		this.#rows.setReturnArrays(true);
		this.#rowsOfPeers = database.prepare(
			`SELECT row FROM (${match}) WHERE EXISTS (SELECT 1 FROM share s JOIN folder f ON f.id=s.folder
				WHERE s.file=(row & 1099511627775) AND f.peer IN (SELECT value FROM json_each(?))) LIMIT ?`,
		);
		this.#rowsOfPeers.setReturnArrays(true);
		this.#rowAt = database.prepare(`${match.replace('LIMIT ?', 'LIMIT 1 OFFSET ?')}`);
		this.#rowAt.setReturnArrays(true);
	}

	/** One page; see IndexStore.search. */
	search({query, peers, limit, cursor}: SearchRequest): RawSearch {
		const before = readCursor(cursor, 'number', 'number', 'number', 'number');
		const found: Found[] = [];
		let place: Place | undefined = before ? {step: before[0], row: before[1]} : {step: 0, row: -1};
		const budget = {read: readMost, passed: passedMost, size: Math.max(64, limit * 2)};
		while (place && found.length < limit && budget.read > 0 && budget.passed > 0)
			place = this.#page(query, peers, place, limit - found.length, found, budget);
		const [total, more] = before ? [before[2], before[3] === 1] : this.#total(query, peers, found, place);
		found.sort((a, b) => a.rank - b.rank || b.hit.sourceCount - a.hit.sourceCount || a.id - b.id);
		return {
			hits: found.map(({hit}) => hit),
			total,
			more,
			...(place && {cursor: writeCursor([place.step, place.row, total, more ? 1 : 0])}),
		};
	}

	/** Reads on from a place until `wanted` more are found or the rows asked for end; returns where to go on, if anywhere. */
	#page(
		query: ParsedQuery,
		peers: number[] | undefined,
		place: Place,
		wanted: number,
		found: Found[],
		budget: Budget,
	): Place | undefined {
		const step = steps[place.step];
		if (!step) return undefined;
		const expression = this.#expression(query, step);
		if (expression === undefined) return this.#later(query, place.step + 1);
		const {rows, next} = this.#candidates(expression, place.row, budget.size, peers);
		budget.passed -= peers ? peerChunk : rows.length;
		budget.size = Math.min(8192, budget.size * 4);
		for (const [index, row] of rows.entries()) {
			const id = fileOfRow(row);
			if (this.#presence.shares(id) === 0) continue;
			budget.read--;
			const hit = this.#check(query, step, id, peers);
			if (hit) found.push(hit);
			if (budget.read > 0 && (!hit || --wanted > 0)) continue;
			const ended = index === rows.length - 1 && next === undefined;
			return ended ? this.#later(query, place.step + 1) : {step: place.step, row};
		}
		return next === undefined ? this.#later(query, place.step + 1) : {step: place.step, row: next};
	}

	#expression(query: ParsedQuery, step: Step): string | undefined {
		return matchExpression(query, step, inside => this.#vocabulary.wordsWith(inside));
	}

	/** The first step from there that finds anything: a page that is full should not promise an empty one. */
	#later(query: ParsedQuery, from: number): Place | undefined {
		for (let step = from; step < steps.length; step++) {
			const expression = this.#expression(query, steps[step] as Step);
			if (expression !== undefined && this.#rows.all(expression, -1, 1).length > 0) return {step, row: -1};
		}
		return undefined;
	}

	/** Rows after one, and from where to go on: undefined where there are no more. */
	#candidates(expression: string, after: number, size: number, peers: number[] | undefined) {
		const read = (statement: StatementSync, ...values: (string | number)[]) =>
			(statement.all(expression, after, ...values) as unknown as [number][]).map(([row]) => row);
		if (!peers) {
			const rows = read(this.#rows, size);
			return {rows, next: rows.length < size ? undefined : rows.at(-1)};
		}
		const rows = read(this.#rowsOfPeers, peerChunk, JSON.stringify(peers), size);
		return {rows, next: rows.length < size ? read(this.#rowAt, peerChunk - 1)[0] : rows.at(-1)};
	}

	/** Compares a candidate with the query by its names among online sources. */
	#check(query: ParsedQuery, step: Step, id: number, peers: number[] | undefined): Found | undefined {
		const stored = this.#contents.read(id);
		if (!stored) return undefined;
		const online = this.#contents.online(stored.shares).filter(({peer}) => peers?.includes(peer) ?? true);
		const best = this.#bestName(query, stored, online);
		if (!best || (best.rank === matchRanks.exact) !== (step === 'exact')) return undefined;
		return {rank: best.rank, id, hit: this.#contents.describe({...stored, shares: online}, baseName(best.path), false)};
	}

	#bestName(query: ParsedQuery, {size}: StoredContent, online: RawSource[]): {rank: number; path: string} | undefined {
		let best: {rank: number; path: string} | undefined;
		const seen = new Set<string>();
		for (const {path} of online) {
			if (seen.has(path)) continue;
			seen.add(path);
			const rank = matchRank(query, {path, size}, one => this.#words(one));
			if (rank !== undefined && (!best || rank < best.rank)) best = {rank, path};
		}
		return best;
	}

	#words(path: string): PathWords {
		const known = this.#paths.get(path);
		if (known) return known;
		if (this.#paths.size >= pathsRemembered) this.#paths.clear();
		const words = readPath(path);
		this.#paths.set(path, words);
		return words;
	}

	/** Exact when the first page holds everything; else what the index finds, up to a bound. */
	#total(
		query: ParsedQuery,
		peers: number[] | undefined,
		found: Found[],
		place: Place | undefined,
	): [total: number, more: boolean] {
		if (!place) return [found.length, false];
		const {rows, next} = this.#candidates(countExpression(query), -1, counted, peers);
		const inside = next === undefined ? this.#expression(query, 'inside') : undefined;
		if (inside !== undefined) rows.push(...this.#candidates(inside, -1, counted, peers).rows);
		const total = rows.filter(row => this.#presence.shares(fileOfRow(row)) > 0).length;
		return [Math.max(total, found.length), rows.length >= counted || next !== undefined || isCheckedLater(query)];
	}
}

/** Whether what the index finds for a query is more than what matches. */
function isCheckedLater({phrases, without, extensions, names, size}: ParsedQuery): boolean {
	return [phrases, without, extensions, names].some(list => list.length > 0) || size !== undefined;
}
