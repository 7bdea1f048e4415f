// From a content that the full-text index found to a hit: how well its names answer the query, and its JSON.
import type {ParsedQuery} from '../../api/query.ts';
import {hasFilters, isNamed, matchRanks, wordsRank} from '../../api/query-match.ts';
import type {ContentReader} from './content-reader.ts';
import {type Found, HitPage} from './hit-page.ts';
import {KeptBytes} from './kept-bytes.ts';
import type {Step} from './match-terms.ts';
import type {PeerTexts} from './peer-texts.ts';
import {quickRank} from './quick-rank.ts';
import type {SharedPresence} from './shared-presence.ts';
import {jsonOf, nameOf, type StoredContent, type StoredFolder, type StoredName} from './stored-content.ts';

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

/** The best match of a step: no name that the index finds in that step can do better, whole names aside. */
const bestOf: Record<Step, number> = {
	exact: matchRanks.exact,
	whole: matchRanks.whole,
	start: matchRanks.start,
	inside: matchRanks.inside,
};

/** Bytes of hits that are kept ready in each thread that reads. */
const bytesKept = 24 * 1024 * 1024;

/** A name that answers the query, and how well. */
type Named = {rank: number; name: StoredName};

export class SearchHits {
	readonly #contents: ContentReader;
	readonly #peers: PeerTexts;
	readonly #presence: SharedPresence;
	readonly #kept = new KeptBytes(bytesKept);
	/** The page that hits are written to. */
	readonly page = new HitPage();

	constructor(contents: ContentReader, peers: PeerTexts, presence: SharedPresence) {
		this.#contents = contents;
		this.#peers = peers;
		this.#presence = presence;
	}

	/**
	 * Compares a candidate with the query by its names among online sources, and writes it to the page if it is a hit.
	 *
	 * @param step the step that found it; undefined: any but the last
	 */
	check(asked: Asked, step: Step | undefined, id: number): Found | undefined {
		const stored = this.#contents.read(id);
		if (!stored || !this.#contents.isBelieved(stored)) return undefined;
		const best = this.#bestName(asked, stored, bestOf[step ?? 'whole']);
		if (!best) return undefined;
		if (step ? (best.rank === matchRanks.exact) !== (step === 'exact') : best.rank >= matchRanks.inside)
			return undefined;
		// An earlier step had it already.
		if (step === 'inside' && best.rank < matchRanks.inside) return undefined;
		const from = this.page.end;
		const sources = this.#write(asked, stored, best.name);
		return {rank: best.rank, id, sources, from, to: this.page.end};
	}

	/** The name among wanted shares that matches best. `top`: no name can do better, whole names aside. */
	#bestName(asked: Asked, stored: StoredContent, top: number): Named | undefined {
		const {query, peers: wanted} = asked;
		const {shares, names} = stored;
		const different = names?.different.length ?? 1;
		let best: Named | undefined;
		/** The first path that was compared, and all of them once there are two. */
		let first: {folder: StoredFolder; name: StoredName} | undefined;
		let seen: Set<string> | undefined;
		/** Names that were compared in some folder, and those that match in one. */
		let looked: Set<StoredName> | undefined;
		let tried: Set<StoredName> | undefined;
		let hasNamed: boolean | undefined;
		for (let share = 0; share < shares; share++) {
			const peer = this.#contents.peerOf(stored, share);
			if (!this.#presence.isOnline(peer) || (wanted && !wanted.has(peer))) continue;
			const name = nameOf(stored, share);
			// What a name needed its folders for once, it does not do better in others.
			if (best && best.rank <= top + 1) {
				if (different === 1 || tried?.size === different) break;
				if (tried?.has(name)) continue;
			}
			// After the best of this step only a whole name could do better: that one was found in the first step.
			const isEnough = best !== undefined && best.rank <= top;
			if (isEnough || (seen && seen.size >= pathsCompared)) {
				hasNamed ??= (names?.different ?? [stored.name]).some(({folded}) => isNamed(query, folded));
				// Past those paths each other name is compared once more, in the first folder that it is in.
				const isLast = isEnough || looked === undefined || looked.size === different;
				if (!hasNamed && isLast) break;
				if (!isNamed(query, name.folded) && (isLast || looked?.has(name))) continue;
			}
			const folder = this.#contents.folderOf(stored, share);
			if (first) {
				seen ??= new Set([first.folder.pathOf(first.name.text)]);
				const path = folder.pathOf(name.text);
				if (seen.has(path)) continue;
				seen.add(path);
			} else if (shares > 1) first = {folder, name};
			if (different > 1) looked = (looked ?? new Set()).add(name);
			if (!hasFilters(query, name.text, stored.size)) continue;
			const rank =
				quickRank(query, name, folder) ?? wordsRank(query, {name: name.folded, folders: folder.words, own: name.words});
			if (rank === undefined) continue;
			if (different > 1) tried = (tried ?? new Set()).add(name);
			if (!best || rank < best.rank) best = {rank, name};
			if (best.rank === matchRanks.exact) break;
		}
		return best;
	}

	/** Writes a content as it is told, and returns its sources; most are told again and again, with other words asked for. */
	#write({peers, named, here, clock}: Asked, stored: StoredContent, name: StoredName): number {
		const {hit} = stored;
		const unread = peers ? 0 : this.#contents.unread(stored);
		const isSame = hit?.clock === clock && hit.name === name && hit.named === named;
		if (!peers && isSame && hit.here === here && hit.unread === unread) {
			const bytes = this.page.reserve(hit.length);
			if (this.#kept.copy(hit.place, hit.length, bytes, this.page.end)) {
				this.page.skip(hit.length);
				return hit.sources;
			}
		}
		const from = this.page.end;
		const json = jsonOf(name.text);
		const {text, online} = this.#sourcesOf(stored, peers, named, here, stored.names ? undefined : json);
		const sources = online + unread;
		this.page.write(
			`{"content":"${stored.content}","name":"${json}","size":${stored.size},"sources":[${text}],"sourceCount":${sources}}`,
		);
		if (peers) return sources;
		const place = this.#kept.keep(this.page.bytes, from, this.page.end);
		stored.hit =
			place === undefined
				? undefined
				: {clock, named, here, name, sources, unread, place, length: this.page.end - from};
		return sources;
	}

	/** The JSON of the first wanted sources, and how many there are. `name`: the only one, as it stands in JSON. */
	#sourcesOf(
		stored: StoredContent,
		wanted: Set<number> | undefined,
		named: number,
		here: string | undefined,
		name: string | undefined,
	): {text: string; online: number} {
		const {byPeer, shares} = stored;
		const count = byPeer ? byPeer.length : shares;
		let online = 0;
		let text = '';
		for (let index = 0; index < count; index++) {
			const share = byPeer ? (byPeer[index] as number) : index;
			const peer = this.#contents.peerOf(stored, share);
			if (!this.#presence.isOnline(peer) || (wanted && !wanted.has(peer))) continue;
			if (++online > named) continue;
			text += `${online > 1 ? ',' : ''}${this.#peers.text(peer, here)}${this.#contents.textOf(stored, share, name ?? jsonOf(nameOf(stored, share).text))}`;
		}
		return {text, online};
	}
}
