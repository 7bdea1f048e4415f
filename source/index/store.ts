// What an index keeps and answers, whatever it is made of. Every implementation passes test/conformance/index-store.ts.
import type {ParsedQuery} from '../api/query.ts';
import type {
	BrowseResponse,
	CatalogChange,
	CatalogPoint,
	ContentSources,
	Counts,
	PeerInfo,
	PeersResponse,
	SearchResponse,
} from '../api/schemas.ts';
import type {Emitter} from '../core/emitter.ts';

/** Who registers, and under which address others reach it. */
export type Registration = {
	/** Peer ID. */
	id: string;
	name: string;
	host: string;
	port: number;
	/** Further addresses, as HOST:PORT. */
	addresses?: string[];
	/** Its number, where something above this store gives them: a cluster's servers number their peers together. */
	number?: number;
};

/**
 * Which part of a peer's catalog a stream of changes covers: everything after version `from` up to version `to`. `at`: when
 * it was sent, in Unix milliseconds, for all servers of a cluster the same; without it what is added is dated now.
 */
export type ChangeRange = {epoch: string; from: number; to: number; at?: number};

/** Short hashes of paths (path-hash.ts), of so many bits, ascending, in memory that threads share. */
export type PathHashes = {hashes: Float64Array; bits: number};

/** How the server stands with a peer's catalog after changes were taken in. */
export type AppliedChanges = {have: CatalogPoint; files: number; bytes: number};

/** A page of a list: `cursor` comes from the page before. */
export type PageOptions = {cursor?: string; limit?: number};

/** A page of a search. `sources`: how many of each hit are named; the rest are counted. */
export type SearchOptions = PageOptions & {sources?: number};

/**
 * The same for a search whose answer goes out as it is. `here`: the host that stands for loopback addresses of sources.
 * `isWanted`: whether the asker still waits; a store may ask before it begins, and throw P2pError cancelled.
 */
export type SearchTextOptions = SearchOptions & {here?: string; isWanted?: () => boolean};

/** A page of hits as the JSON of a SearchResponse in UTF-8, which a server passes on without looking into it. */
export type SearchText = {json: Uint8Array; total: number; more: boolean};

/**
 * How complete the answers of one server of a cluster are: `catching-up` while it reads what happened before it came,
 * `stale` when it has not heard of the others for long. Only a `whole` one answers searches.
 */
export type IndexState = 'whole' | 'catching-up' | 'stale';

/** What other servers of the same cluster did, as it becomes known here. */
export type ClusterNews = {'peer-joined': PeerInfo; 'peer-left': PeerInfo; 'peer-updated': PeerInfo};

/** The side of a store that several servers share. */
export type ClusterSide = {
	readonly news: Emitter<ClusterNews>;
	state(): IndexState;
	/** Says where this server listens, for the others. */
	announce(server: {host: string; port: number; name: string}): void;
	/** Index servers that are there now, this one included. */
	servers(): number;
	/** For `GET /metrics`: values by name, with what they say. */
	gauges(): Record<string, {help: string; value: number}>;
	/**
	 * Counts a peer that an invite lets in, over all servers; one that was counted before is not again.
	 *
	 * @returns how often the invite was used so far, this time included; undefined when others have used it up
	 */
	spendInvite(
		invite: {id: string; uses: number; used: number; expires: number},
		peer: string,
	): Promise<number | undefined>;
	/** A copy of this server's index as a file, for another server of the cluster. @throws P2pError refused, catching-up */
	replicaFor(server: string): Promise<{file: string; remove(): Promise<void>}>;
};

/**
 * Peers, what they share, and the search over it. Only what online peers hold is found or counted; what the others
 * registered is kept until they come back or are forgotten.
 *
 * All methods throw P2pError `bad-request` for a cursor that this store did not make.
 */
export interface IndexStore {
	/** There when several servers share the store. */
	readonly cluster?: ClusterSide;
	/** What the operator should know after {@link open}. */
	readonly notice?: string | undefined;

	/** Opens what is stored. Nobody is online then. @throws P2pError bad-database when it is damaged or newer */
	open(): Promise<void>;

	/** Finishes what runs and writes everything down. Further calls fail. */
	close(): Promise<void>;

	/**
	 * Registers a peer or renews it. Its number never changes, nor is it given to another, also after it left.
	 *
	 * @returns the number, and up to where its catalog is known: null when it must be sent whole
	 */
	register(peer: Registration): Promise<{number: number; have: CatalogPoint | null}>;

	/**
	 * Takes in changes of a peer's catalog as they stream in. Those that came before a stream broke stay; `have` moves
	 * only at the end, so that sending the same range again heals. `from` 0 replaces everything the peer had before:
	 * until the end is there the old files stay.
	 *
	 * @throws P2pError not-found for a peer that never registered; version-mismatch with `details.have` when the range
	 * does not continue what is known; busy while another stream of that peer runs; too-large above the
	 * files that one peer may have; whatever the stream throws
	 */
	applyChanges(id: string, range: ChangeRange, batches: AsyncIterable<CatalogChange[]>): Promise<AppliedChanges>;

	/**
	 * The path of a peer's file behind each hash; undefined where it has none, or several. A guess: another path of the
	 * peer may have the hash of the one that was meant. It takes a second for a million files, during which others are
	 * answered.
	 *
	 * @throws P2pError not-found for a peer that never registered
	 */
	findPaths(id: string, hashes: PathHashes): Promise<(string | undefined)[]>;

	/** Says whether a peer is there now. Its files are found while it is. @throws P2pError not-found */
	setOnline(id: string, online: boolean): Promise<void>;

	/** Takes a peer and all it shared out for good; unknown peers are no error. Its number stays its own. */
	leave(id: string): Promise<void>;

	/**
	 * A registered peer by number, peer ID, unique start of an ID (4 digits or more) or unique nickname.
	 *
	 * @throws P2pError not-found, or ambiguous with `details.candidates` ({id, number, name})
	 */
	getPeer(reference: string): Promise<PeerInfo>;

	/** The registered peers by number, online or not. */
	listPeers(page?: PageOptions): Promise<PeersResponse>;

	/**
	 * The contents with a name that answers the query and at least one online source: best match first, then most
	 * online sources, then known for longest. An implementation may order within pages rather than across all of them,
	 * as long as worse matches never come before better ones and no content comes twice.
	 *
	 * @throws P2pError not-found or ambiguous for a `peer:` that names none or several
	 */
	search(query: ParsedQuery, page?: SearchOptions): Promise<SearchResponse>;

	/**
	 * The same as JSON. What an index has made itself is not checked again on its way out: the conformance suite
	 * checks it against its schema instead.
	 */
	searchText(query: ParsedQuery, page?: SearchTextOptions): Promise<SearchText>;

	/** Who holds a content, online first. @throws P2pError not-found when nobody ever registered it */
	sources(content: string): Promise<ContentSources>;

	/**
	 * What a peer shares directly below a folder: folders first, then files, each by name. The empty path lists its
	 * shares; the path of a file lists that file.
	 *
	 * @throws P2pError not-found for a peer or path that is not there
	 */
	browse(peer: string, path: string, page?: PageOptions): Promise<BrowseResponse>;

	/** How many peers are registered and online, and what the online ones share together. */
	counts(): Promise<Counts>;

	/** Takes out every peer that was last seen before that time, in Unix milliseconds; returns how many. */
	forget(before: number): Promise<number>;
}
