import {setImmediate as nextTurn} from 'node:timers/promises';
import {limits} from '../../api/limits.ts';
import {matchRank, type ParsedQuery} from '../../api/query.ts';
import type {CatalogChange, ContentSources, SearchResponse, Source} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import {baseName} from '../../core/share-path.ts';
import {browseFiles} from '../browse-files.ts';
import {checkRange, tooManyFiles} from '../change-range.ts';
import {readCursor, writeCursor} from '../cursor.ts';
import {seenFrom} from '../host-view.ts';
import {FoundPaths} from '../path-hash.ts';
import {type PeerRecord, PeerRegistry, peerInfo} from '../peer-registry.ts';
import type {
	AppliedChanges,
	ChangeRange,
	IndexStore,
	PageOptions,
	PathHashes,
	Registration,
	SearchOptions,
	SearchText,
	SearchTextOptions,
} from '../store.ts';

/** One file of one peer. `at`: when it was registered, in Unix milliseconds. */
type SharedFile = {path: string; content: string; size: number; at: number; peer: PeerRecord};
/** One content: its place in the order of first sight, and all files that have it. */
type Content = {content: string; size: number; age: number; files: Set<SharedFile>};

/** Paths that are looked at before others have a turn. */
const pathsAtOnce = 2000;

/** The reference: everything in maps, every search looks at every file. For tests, demos and small networks. */
export class MemoryStore implements IndexStore {
	readonly #peers = new PeerRegistry();
	readonly #catalogs = new Map<string, Map<string, SharedFile>>();
	/** By ID, one for each size that is claimed for it, oldest first. */
	readonly #contents = new Map<string, Content[]>();
	readonly #receiving = new Set<string>();
	readonly #filesPerPeer: number;
	#age = 0;

	/** @param options.filesPerPeer most files of one peer */
	constructor({filesPerPeer = limits.filesPerPeer}: {filesPerPeer?: number} = {}) {
		this.#filesPerPeer = filesPerPeer;
	}

	async open(): Promise<void> {}

	async close(): Promise<void> {}

	async register(peer: Registration) {
		const {record} = this.#peers.register(peer);
		return {number: record.number, have: record.have};
	}

	async applyChanges(id: string, range: ChangeRange, batches: AsyncIterable<CatalogChange[]>): Promise<AppliedChanges> {
		const peer = this.#peers.need(id);
		const mode = checkRange(range, peer.have);
		if (this.#receiving.has(id)) throw new P2pError('busy', 'Another upload of this catalog is running');
		this.#receiving.add(id);
		try {
			const seen = mode === 'replace' ? new Set<string>() : undefined;
			if (seen) peer.have = null;
			for await (const batch of batches) this.#applyBatch(peer, batch, {seen, at: range.at ?? Date.now()});
			if (seen) for (const path of this.#catalog(id).keys()) if (!seen.has(path)) this.#remove(peer, path);
			if (!peer.left) peer.have = {epoch: range.epoch, version: range.to};
			return {have: {epoch: range.epoch, version: range.to}, files: peer.files, bytes: peer.bytes};
		} finally {
			this.#receiving.delete(id);
		}
	}

	async findPaths(id: string, hashes: PathHashes) {
		this.#peers.need(id);
		const paths = new FoundPaths(hashes);
		let looked = 0;
		for (const path of this.#catalog(id).keys()) {
			paths.look(path);
			if (++looked % pathsAtOnce === 0) await nextTurn();
		}
		return paths.all;
	}

	async setOnline(id: string, online: boolean): Promise<void> {
		this.#peers.setOnline(id, online);
	}

	async leave(id: string): Promise<void> {
		const peer = this.#peers.leave(id);
		if (peer) for (const path of this.#catalog(id).keys()) this.#remove(peer, path);
	}

	async getPeer(reference: string) {
		return peerInfo(this.#peers.find(reference));
	}

	async listPeers(page?: PageOptions) {
		return this.#peers.list(page);
	}

	async search(
		query: ParsedQuery,
		{cursor, limit = limits.searchDefault, sources = limits.sourcesPerSearchHit}: SearchOptions = {},
	): Promise<SearchResponse> {
		const only = query.peers.length > 0 ? new Set(query.peers.map(peer => this.#peers.find(peer))) : undefined;
		const after = readCursor(cursor, 'number', 'number', 'number');
		// By all sources, so that nobody who comes or goes moves anything from one page to another; pages then by those online.
		const found: {place: [number, number, number]; inPage: [number, number, number]; hit: ContentSources}[] = [];
		for (const sizes of this.#contents.values()) {
			const content = believed(sizes);
			let best: SharedFile | undefined;
			let rank = Number.POSITIVE_INFINITY;
			const online = [...(content?.files ?? [])].filter(file => file.peer.online && (!only || only.has(file.peer)));
			for (const file of online) {
				const its = matchRank(query, file);
				if (its === undefined || its >= rank) continue;
				rank = its;
				best = file;
			}
			if (!content || !best) continue;
			const hit = this.#describe(
				content,
				baseName(best.path),
				Math.min(sources, limits.sourcesPerHit),
				only ?? 'online',
			);
			const all = new Set([...content.files].map(({peer}) => peer)).size;
			const {age} = content;
			found.push({place: [rank, -all, age], inPage: [rank, -hit.sourceCount, age], hit});
		}
		found.sort((a, b) => comparePlaces(a.place, b.place));
		const rest = after ? found.filter(({place}) => comparePlaces(place, after) > 0) : found;
		const page = rest.slice(0, Math.min(limit, limits.searchPage));
		const last = page.at(-1);
		return {
			hits: page.sort((a, b) => comparePlaces(a.inPage, b.inPage)).map(({hit}) => hit),
			total: found.length,
			more: false,
			...(last && rest.length > page.length && {cursor: writeCursor(last.place)}),
		};
	}

	async searchText(query: ParsedQuery, {here, ...page}: SearchTextOptions = {}): Promise<SearchText> {
		const {hits, ...rest} = await this.search(query, page);
		const shown = hits.map(hit => ({...hit, sources: hit.sources.map(source => seenFrom(source, here))}));
		return {json: Buffer.from(JSON.stringify({hits: shown, ...rest})), total: rest.total, more: rest.more};
	}

	async sources(content: string): Promise<ContentSources> {
		const known = believed(this.#contents.get(content) ?? []);
		const [first] = known?.files ?? [];
		if (!known || !first) throw new P2pError('not-found', `Nobody here has the content ${content.slice(0, 8)}`);
		const online = [...known.files].find(file => file.peer.online);
		return this.#describe(known, baseName((online ?? first).path), limits.sourcesPerHit);
	}

	async browse(reference: string, path: string, page: PageOptions = {}) {
		const peer = this.#peers.find(reference);
		return browseFiles(this.#catalog(peer.id).values(), path, page);
	}

	async counts() {
		return this.#peers.counts();
	}

	async forget(before: number): Promise<number> {
		let count = 0;
		for (const {id} of this.#peers.unseenSince(before)) {
			await this.leave(id);
			count++;
		}
		return count;
	}

	#catalog(id: string): Map<string, SharedFile> {
		const catalog = this.#catalogs.get(id) ?? new Map<string, SharedFile>();
		this.#catalogs.set(id, catalog);
		return catalog;
	}

	#applyBatch(peer: PeerRecord, batch: CatalogChange[], {seen, at}: {seen: Set<string> | undefined; at: number}): void {
		const catalog = this.#catalog(peer.id);
		// Of each path the last; what goes makes room for what comes.
		const last = [...new Map(batch.map(change => [change.path, change])).values()];
		for (const change of last.sort((a, b) => Number(b.op === 'remove') - Number(a.op === 'remove'))) {
			const before = catalog.get(change.path);
			if (change.op === 'remove') {
				seen?.delete(change.path);
				this.#remove(peer, change.path);
				continue;
			}
			seen?.add(change.path);
			// Of a list that replaces another only its own files count.
			if (seen && seen.size > this.#filesPerPeer) throw tooManyFiles(this.#filesPerPeer);
			if (before?.content === change.content && before.size === change.size) continue;
			this.#remove(peer, change.path);
			if (!seen && catalog.size >= this.#filesPerPeer) throw tooManyFiles(this.#filesPerPeer);
			this.#add({path: change.path, content: change.content, size: change.size, at, peer});
		}
	}

	#add(file: SharedFile): void {
		this.#catalog(file.peer.id).set(file.path, file);
		file.peer.files++;
		file.peer.bytes += file.size;
		const sizes = this.#contents.get(file.content) ?? [];
		let content = sizes.find(({size}) => size === file.size);
		if (!content) {
			content = {content: file.content, size: file.size, age: ++this.#age, files: new Set()};
			this.#contents.set(file.content, [...sizes, content]);
		}
		content.files.add(file);
	}

	#remove(peer: PeerRecord, path: string): void {
		const catalog = this.#catalog(peer.id);
		const file = catalog.get(path);
		if (!file) return;
		catalog.delete(path);
		peer.files--;
		peer.bytes -= file.size;
		const sizes = this.#contents.get(file.content) ?? [];
		for (const content of sizes) content.files.delete(file);
		const left = sizes.filter(content => content.files.size > 0);
		if (left.length > 0) this.#contents.set(file.content, left);
		else this.#contents.delete(file.content);
	}

	/** `only`: names online sources alone, of these peers where some are wanted. */
	#describe(content: Content, name: string, most: number, only?: Set<PeerRecord> | 'online'): ContentSources {
		const byPeer = new Map<PeerRecord, SharedFile>();
		for (const file of content.files) {
			const isWanted = only === undefined || (file.peer.online && (only === 'online' || only.has(file.peer)));
			if (isWanted && !byPeer.has(file.peer)) byPeer.set(file.peer, file);
		}
		const files = [...byPeer.values()].sort(
			(a, b) => Number(b.peer.online) - Number(a.peer.online) || a.at - b.at || a.peer.number - b.peer.number,
		);
		return {
			content: content.content,
			name,
			size: content.size,
			sources: files.slice(0, most).map(sourceOf),
			sourceCount: files.filter(file => file.peer.online).length,
		};
	}
}

/** Of the sizes that are claimed for a content the one with most online sources, then the oldest. */
function believed(sizes: Content[]): Content | undefined {
	if (sizes.length < 2) return sizes[0];
	const online = ({files}: Content) => [...files].filter(file => file.peer.online).length;
	return sizes.reduce((best, other) => (online(other) > online(best) ? other : best));
}

function sourceOf({peer, path, at}: SharedFile): Source {
	const {id, number, name, host, port, online, addresses} = peer;
	const more = addresses.length > 0 && {addresses};
	return {peer: id, number, name, host, port, path, sharedAt: new Date(at).toISOString(), online, ...more};
}

function comparePlaces(a: readonly number[], b: readonly number[]): number {
	for (const [index, value] of a.entries()) {
		const difference = value - (b[index] ?? 0);
		if (difference !== 0) return difference;
	}
	return 0;
}
