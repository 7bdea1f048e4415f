// A search: candidates from the full-text index in the order of popularity, compared with their names, page by page.
import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {limits} from '../../api/limits.ts';
import type {ParsedQuery} from '../../api/query.ts';
import {hasFilters, insideLength, isNamed, matchRanks, wordsRank} from '../../api/query-match.ts';
import {readCursor, writeCursor} from '../cursor.ts';
import type {SearchText} from '../store.ts';
import type {ContentReader} from './content-reader.ts';
import {fileOfRow} from './fts-text.ts';
import {countExpression, matchExpression, type Step, steps} from './match-expression.ts';
import type {PeerTexts} from './peer-texts.ts';
import type {SharedPresence} from './shared-presence.ts';
import type {StoredContent, StoredHit, StoredName} from './stored-content.ts';
import type {VocabularyReader} from './vocabulary.ts';

/** Rows that are counted for a total; past them it is "more than". */
const counted = 250;
/** Hits with which a page may end before words are looked into. */
const enough = 10;
/** Different paths of a content that are compared with a query. */
const pathsCompared = 20;
/** Rows that are looked through at once for those of some peers. */
const peerChunk = 20_000;

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
type Found = {rank: number; id: number; sources: number; text: string};
/** What all of a search's steps need. */
type Asked = {
	query: ParsedQuery;
	peers: Set<number> | undefined;
	named: number;
	here: string | undefined;
	clock: number;
};
/** What one page may still cost; `size` is how many rows are asked for next, `isMany` whether a step has found that many. */
type Budget = {read: number; passed: number; size: number; isMany: boolean};

export class IndexSearch {
	readonly #contents: ContentReader;
	readonly #presence: SharedPresence;
	readonly #vocabulary: VocabularyReader;
	readonly #rows: StatementSync;
	readonly #rowsOfPeers: StatementSync;
	readonly #rowAt: StatementSync;
	readonly #peers: PeerTexts;

	constructor(
		database: DatabaseSync,
		contents: ContentReader,
		peers: PeerTexts,
		presence: SharedPresence,
		vocabulary: VocabularyReader,
	) {
		this.#peers = peers;
		this.#contents = contents;
		this.#presence = presence;
		this.#vocabulary = vocabulary;
		// `?+0`: SQLite prepares a statement anew for every binding of a plain LIMIT, which takes as long as a short search.
		const match = 'SELECT rowid AS row FROM fts WHERE fts MATCH ? AND rowid > ? ORDER BY rowid LIMIT ?+0';
		// One text is cheaper than a hundred rows to take over.
		this.#rows = database.prepare(`SELECT group_concat(row) FROM (${match})`);
		this.#rows.setReturnArrays(true);
		this.#rowsOfPeers = database.prepare(
			`SELECT group_concat(row) FROM (SELECT row FROM (${match}) WHERE EXISTS (SELECT 1 FROM holder h JOIN folder f
				ON f.id=h.folder WHERE h.file=(row & 1099511627775) AND f.peer IN (SELECT value FROM json_each(?))) LIMIT ?+0)`,
		);
		this.#rowsOfPeers.setReturnArrays(true);
		this.#rowAt = database.prepare(`${match.replace('LIMIT ?', 'LIMIT 1 OFFSET ?')}`);
		this.#rowAt.setReturnArrays(true);
	}

	/** One page; see IndexStore.search. */
	search({query, peers: numbers, limit, sources, cursor, here}: SearchRequest): SearchText {
		const asked: Asked = {
			query,
			peers: numbers && new Set(numbers),
			named: sources,
			here,
			clock: this.#peers.clock + this.#presence.onlineClock,
		};
		const before = readCursor(cursor, 'number', 'number', 'number', 'number');
		const found: Found[] = [];
		let place: Place | undefined = before ? {step: before[0], row: before[1]} : this.#begin(asked, limit, found);
		const budget = {read: limits.searchReads, passed: limits.searchPassed, size: counted, isMany: false};
		while (place && found.length < limit && budget.read > 0 && budget.passed > 0) {
			// Looking inside words is the dear step: whoever has some better hits gets it with the next page.
			if (steps[place.step] === 'inside' && found.length >= enough) break;
			place = this.#page(asked, place, limit - found.length, found, budget);
		}
		if (place?.row === -1) place = this.#later(query, place.step);
		const [total, more] = before ? [before[2], before[3] === 1] : this.#total(asked, found, place, budget.isMany);
		found.sort((a, b) => a.rank - b.rank || b.sources - a.sources || a.id - b.id);
		const hits = found.map(({text}) => text).join();
		const next = place ? `,"cursor":"${writeCursor([place.step, place.row, total, more ? 1 : 0])}"` : '';
		const json = new TextEncoder().encode(`{"hits":[${hits}],"total":${total},"more":${more}${next}}`);
		return {json, total, more};
	}

	/**
	 * Where a search begins. One with few answers gets all that it has but those inside words at once: that is one lookup
	 * where the steps one by one are three.
	 */
	#begin(asked: Asked, limit: number, found: Found[]): Place {
		const first = {step: 0, row: -1};
		if (asked.peers) return first;
		const {rows, next} = this.#candidates(countExpression(asked.query, this.#vocabulary), -1, limit + 1, undefined);
		if (next !== undefined) return first;
		for (const row of rows) {
			const id = fileOfRow(row);
			const hit = this.#presence.shares(id) > 0 && this.#check(asked, undefined, id);
			if (hit) found.push(hit);
		}
		return {step: steps.indexOf('inside'), row: -1};
	}

	/** Reads on from a place until `wanted` more are found or the rows asked for end; returns where to go on, if anywhere. */
	#page(asked: Asked, place: Place, wanted: number, found: Found[], budget: Budget): Place | undefined {
		const {query, peers} = asked;
		const step = steps[place.step];
		if (!step) return undefined;
		const expression = this.#expression(query, step, place.row === -1 && found.length < enough);
		if (expression === undefined) return nextStep(place);
		// Each step begins small: what its first rows are not enough for asks for more of them.
		if (place.row === -1) budget.size = counted;
		const {rows, next} = this.#candidates(expression, place.row, budget.size, peers);
		budget.passed -= peers ? peerChunk : rows.length;
		budget.isMany ||= place.row === -1 && !peers && rows.length >= counted;
		budget.size = Math.min(8192, budget.size * 4);
		for (const [index, row] of rows.entries()) {
			const id = fileOfRow(row);
			if (this.#presence.shares(id) === 0) continue;
			budget.read--;
			const hit = this.#check(asked, step, id);
			if (hit) found.push(hit);
			if (budget.read > 0 && (!hit || --wanted > 0)) continue;
			const ended = index === rows.length - 1 && next === undefined;
			return ended ? nextStep(place) : {step: place.step, row};
		}
		return next === undefined ? nextStep(place) : {step: place.step, row: next};
	}

	#expression(query: ParsedQuery, step: Step, few = false): string | undefined {
		return matchExpression(query, step, this.#vocabulary, few);
	}

	/** The first step from there that finds anything: a page that is full should not promise an empty one. */
	#later(query: ParsedQuery, from: number): Place | undefined {
		for (let step = from; step < steps.length; step++) {
			const expression = this.#expression(query, steps[step] as Step);
			if (expression !== undefined && this.#candidates(expression, -1, 1, undefined).rows.length > 0)
				return {step, row: -1};
		}
		return undefined;
	}

	/** Rows after one, and from where to go on: undefined where there are no more. */
	#candidates(expression: string, after: number, size: number, peers: Set<number> | undefined) {
		const read = (statement: StatementSync, ...values: (string | number)[]) =>
			numbersOf(statement.get(expression, after, ...values) as unknown as [string | null] | undefined);
		if (!peers) {
			const rows = read(this.#rows, size);
			return {rows, next: rows.length < size ? undefined : rows.at(-1)};
		}
		const rows = read(this.#rowsOfPeers, peerChunk, JSON.stringify([...peers]), size);
		return {rows, next: rows.length < size ? read(this.#rowAt, peerChunk - 1)[0] : rows.at(-1)};
	}

	/** Compares a candidate with the query by its names among online sources. `step` undefined: of any but the last. */
	#check(asked: Asked, step: Step | undefined, id: number): Found | undefined {
		const {query, peers} = asked;
		const stored = this.#contents.read(id);
		if (!stored || !this.#contents.isBelieved(stored)) return undefined;
		const isWanted = (peer: number) => this.#presence.isOnline(peer) && (peers === undefined || peers.has(peer));
		const best = this.#bestName(query, stored, isWanted, step ?? 'whole');
		if (!best) return undefined;
		if (step ? (best.rank === matchRanks.exact) !== (step === 'exact') : best.rank >= matchRanks.inside)
			return undefined;
		// An earlier step had it already.
		if (step === 'inside' && best.rank < matchRanks.inside) return undefined;
		const {sources, text} = this.#hit(asked, stored, best.name, isWanted);
		return {rank: best.rank, id, sources, text};
	}

	/** A content as it is told; most are told again and again, with other words asked for. */
	#hit(
		{peers, named, here, clock}: Asked,
		stored: StoredContent,
		name: StoredName,
		isWanted: (peer: number) => boolean,
	): Pick<StoredHit, 'sources' | 'text'> {
		const {hit} = stored;
		if (!peers && hit?.clock === clock && hit.name === name && hit.named === named && hit.here === here) return hit;
		let sources = 0;
		let text = '';
		for (const share of stored.byPeer) {
			if (!isWanted(share.peer)) continue;
			if (++sources > named) continue;
			text += `${sources > 1 ? ',' : ''}${this.#peers.text(share.peer, here)}${this.#contents.textOf(share)}`;
		}
		if (!peers) sources += this.#contents.unread(stored);
		text = `{"content":"${stored.content}","name":${JSON.stringify(name.text)},"size":${stored.size},"sources":[${text}],"sourceCount":${sources}}`;
		// How many were not read changes without the clock.
		if (!peers && !stored.isPart) stored.hit = {clock, named, here, name, sources, text};
		return {sources, text};
	}

	/** The name among wanted shares that matches best. */
	#bestName(
		query: ParsedQuery,
		{size, shares}: StoredContent,
		isWanted: (peer: number) => boolean,
		step: Step,
	): {rank: number; name: StoredName} | undefined {
		let best: {rank: number; name: StoredName} | undefined;
		let seen: Set<string> | undefined;
		for (const {peer, name, folder: id} of shares) {
			if (!isWanted(peer)) continue;
			if (best && name === best.name && best.rank === bestOf[step]) continue;
			// After the best of this step only a whole name could do better: that one was found in the first step.
			const isDone = best?.rank === bestOf[step] || (seen && seen.size >= pathsCompared);
			if (isDone && !isNamed(query, name.folded)) continue;
			const folder = this.#contents.folder(id);
			const path = folder.pathOf(name.text);
			if (seen?.has(path)) continue;
			if (shares.length > 1) seen = (seen ?? new Set()).add(path);
			if (!hasFilters(query, name.text, size)) continue;
			const rank = wordsRank(query, {name: name.folded, folders: folder.words, own: name.words});
			if (rank !== undefined && (!best || rank < best.rank)) best = {rank, name};
			if (best?.rank === matchRanks.exact) break;
		}
		return best;
	}

	/** Exact when the first page holds everything; else what the index finds, up to a bound. */
	#total(
		{query, peers}: Asked,
		found: Found[],
		place: Place | undefined,
		isMany: boolean,
	): [total: number, more: boolean] {
		if (!place) return [found.length, false];
		if (isMany) return [counted, true];
		const {rows, next} = this.#candidates(countExpression(query, this.#vocabulary), -1, counted, peers);
		const total = rows.filter(row => this.#presence.shares(fileOfRow(row)) > 0).length;
		return [Math.max(total, found.length), rows.length >= counted || next !== undefined || isCountedInPart(query)];
	}
}

/** Row IDs as group_concat writes them. */
function numbersOf(row: [string | number | null] | undefined): number[] {
	const list = row?.[0];
	if (list === null || list === undefined) return [];
	return typeof list === 'number' ? [list] : list.split(',').map(Number);
}

function nextStep({step}: Place): Place | undefined {
	return step + 1 < steps.length ? {step: step + 1, row: -1} : undefined;
}

/** The best match of a step: no name that the index finds in that step can do better. */
const bestOf: Record<Step, number> = {
	exact: matchRanks.exact,
	whole: matchRanks.whole,
	start: matchRanks.start,
	inside: matchRanks.inside,
};

/** Whether what is counted for a query may be less than what matches (inside words), or more (what is compared later). */
function isCountedInPart({words, phrases, without, extensions, names, size}: ParsedQuery): boolean {
	const inside = words.some(({start}) => start !== undefined && start.length >= insideLength);
	return inside || [phrases, without, extensions, names].some(list => list.length > 0) || size !== undefined;
}
