// From a content that the full-text index found to a hit: how well its names answer the query, and its JSON.
import type {ParsedQuery} from '../../api/query.ts';
import {hasFilters, isNamed, matchRanks, wordsRank} from '../../api/query-match.ts';
import type {ContentReader} from './content-reader.ts';
import type {Step} from './match-expression.ts';
import type {PeerTexts} from './peer-texts.ts';
import {quickRank} from './quick-rank.ts';
import type {SharedPresence} from './shared-presence.ts';
import type {StoredContent, StoredHit, StoredName} from './stored-content.ts';

/** Different paths of a content that are compared with a query. */
const pathsCompared = 20;

/** What was asked, for all steps of a search. `named`: sources of each hit; `clock`: of all that a hit's text depends on. */
export type Asked = {
	query: ParsedQuery;
	peers: Set<number> | undefined;
	named: number;
	here: string | undefined;
	clock: number;
};

/** A hit, with what it is ranked by. */
export type Found = {rank: number; id: number; sources: number; json: Uint8Array};

const encoder = new TextEncoder();

/** The best match of a step: no name that the index finds in that step can do better, whole names aside. */
const bestOf: Record<Step, number> = {
	exact: matchRanks.exact,
	whole: matchRanks.whole,
	start: matchRanks.start,
	inside: matchRanks.inside,
};

export class SearchHits {
	readonly #contents: ContentReader;
	readonly #peers: PeerTexts;
	readonly #presence: SharedPresence;

	constructor(contents: ContentReader, peers: PeerTexts, presence: SharedPresence) {
		this.#contents = contents;
		this.#peers = peers;
		this.#presence = presence;
	}

	/**
	 * Compares a candidate with the query by its names among online sources.
	 *
	 * @param step the step that found it; undefined: any but the last
	 */
	check(asked: Asked, step: Step | undefined, id: number): Found | undefined {
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
		const {sources, json} = this.#hit(asked, stored, best.name, isWanted);
		return {rank: best.rank, id, sources, json};
	}

	/** The name among wanted shares that matches best. */
	#bestName(
		query: ParsedQuery,
		{size, shares, names}: StoredContent,
		isWanted: (peer: number) => boolean,
		step: Step,
	): {rank: number; name: StoredName} | undefined {
		const top = bestOf[step];
		let best: {rank: number; name: StoredName} | undefined;
		let seen: Set<string> | undefined;
		for (const {peer, name, folder: id} of shares) {
			if (!isWanted(peer)) continue;
			// What a name needed its folders for once, it does not do better in others.
			if (best && best.rank <= top + 1) {
				if (names.length === 1) break;
				if (name === best.name) continue;
			}
			// After the best of this step only a whole name could do better: that one was found in the first step.
			const isDone = (best && best.rank <= top) || (seen && seen.size >= pathsCompared);
			if (isDone && !isNamed(query, name.folded)) continue;
			const folder = this.#contents.folder(id);
			if (shares.length > 1) {
				const path = folder.pathOf(name.text);
				if (seen?.has(path)) continue;
				seen = (seen ?? new Set()).add(path);
			}
			if (!hasFilters(query, name.text, size)) continue;
			const rank =
				quickRank(query, name, folder) ?? wordsRank(query, {name: name.folded, folders: folder.words, own: name.words});
			if (rank !== undefined && (!best || rank < best.rank)) best = {rank, name};
			if (best?.rank === matchRanks.exact) break;
		}
		return best;
	}

	/** A content as it is told; most are told again and again, with other words asked for. */
	#hit(
		{peers, named, here, clock}: Asked,
		stored: StoredContent,
		name: StoredName,
		isWanted: (peer: number) => boolean,
	): Pick<StoredHit, 'sources' | 'json'> {
		const {hit} = stored;
		const unread = peers ? 0 : this.#contents.unread(stored);
		const isSame = hit?.clock === clock && hit.name === name && hit.named === named;
		if (!peers && isSame && hit.here === here && hit.unread === unread) return hit;
		let sources = 0;
		let text = '';
		for (const share of stored.byPeer) {
			if (!isWanted(share.peer)) continue;
			if (++sources > named) continue;
			text += `${sources > 1 ? ',' : ''}${this.#peers.text(share.peer, here)}${this.#contents.textOf(share)}`;
		}
		sources += unread;
		const json = encoder.encode(
			`{"content":"${stored.content}","name":${JSON.stringify(name.text)},"size":${stored.size},"sources":[${text}],"sourceCount":${sources}}`,
		);
		if (!peers) stored.hit = {clock, named, here, name, sources, unread, json};
		return {sources, json};
	}
}

/** A page of hits as the JSON of a SearchResponse; `rest`: what comes after the hits. */
export function pageOf(found: Found[], rest: string): Uint8Array {
	const start = '{"hits":[';
	const end = `]${rest}}`;
	let size = start.length + end.length + Math.max(0, found.length - 1);
	for (const {json} of found) size += json.byteLength;
	// Memory of its own, as it goes to another thread.
	const page = Buffer.allocUnsafeSlow(size);
	let at = page.write(start, 0, 'latin1');
	for (const [index, {json}] of found.entries()) {
		if (index > 0) page[at++] = 0x2c;
		page.set(json, at);
		at += json.byteLength;
	}
	page.write(end, at, 'latin1');
	return page;
}
