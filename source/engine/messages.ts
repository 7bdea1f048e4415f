// What crosses between an engine and a screen: snapshots of visible windows and totals one way, commands the other.
// Plain data only, so that it passes between threads by structured clone.
import type {BrowseResponse, ContentSources, PeerInfo, SearchResponse} from '../api/schemas.ts';
import type {ErrorCode} from '../core/errors.ts';
import type {Bottleneck, LogLevel} from '../core/events.ts';
import type {DownloadDetails} from '../download/types.ts';

/** Bytes per second now, and one sample a second for the last minute, oldest first. */
export type Rate = {now: number; history: number[]};

/** The part of a long list that a screen shows: rows from `offset`, of `total`. */
export type Window<T> = {offset: number; total: number; rows: T[]};

/** A line of the live log. `seq` grows by one; `time` is Unix milliseconds. */
export type LogLine = {
	seq: number;
	time: number;
	level: LogLevel;
	/** What kind of line, for its sign: a download, an upload, a peer, the server, a share, a search, or other. */
	kind: 'down' | 'up' | 'peer' | 'server' | 'share' | 'search' | 'done' | 'other';
	text: string;
};

/** What a transfer is doing. `waiting`: for a source; `queued`: for its turn. */
export type TransferState = 'queued' | 'waiting' | 'running' | 'verifying' | 'paused' | 'done' | 'failed';

/** A row of the transfers pane. */
export type TransferRow = {
	/** Unique among all rows; stable for the transfer's life. */
	key: string;
	direction: 'down' | 'up';
	content: string;
	name: string;
	size: number;
	/** Verified bytes of a download, sent bytes of an upload. */
	done: number;
	speed: number;
	state: TransferState;
	/** Why it failed or waits, in words. */
	message?: string;
	/** Peer IDs on the other side. */
	peers: string[];
	/** Where a finished download lies. */
	path?: string;
	/** A running download: what makes it no faster. */
	bottleneck?: Bottleneck;
	/** Of a folder: files that are there, of all. */
	files?: {done: number; total: number};
};

/** What the details of one download show. */
export type TransferDetails = DownloadDetails;

/** How many transfers are in which state. */
export type TransferCounts = {down: number; up: number; waiting: number; paused: number; failed: number; done: number};

/** A registered peer with the round trip to it, in milliseconds, where it was measured. */
export type PeerRow = PeerInfo & {rtt?: number /** This peer itself. */; self: boolean};

/** A shared folder. */
export type ShareRow = {
	name: string;
	/** Absolute, on this machine: for its own screen only. */
	folder: string;
	files: number;
	bytes: number;
	/** Bytes whose content ID is known. */
	hashed: number;
	/** Bytes sent from it since the start. */
	sent: number;
	state: 'scanning' | 'watching' | 'failed';
	message?: string;
	/** The peer IDs that it is for alone, none: nobody; undefined: everybody in the network. */
	audience?: string[];
};

/** How it stands with one index server. */
export type ServerLink = {
	/** HOST:PORT. */
	address: string;
	state: 'connecting' | 'online' | 'lost' | 'refused';
	/** Our number there. */
	number?: number;
	/** Round trip in milliseconds. */
	rtt?: number;
	message?: string;
};

/** All that the peer's screen shows. */
export type PeerSnapshot = {
	mode: 'peer';
	id: string;
	name: string;
	host: string;
	port: number;
	servers: ServerLink[];
	down: Rate;
	up: Rate;
	scan: {files: number; bytes: number; hashed: number; done: boolean};
	shares: ShareRow[];
	transfers: Window<TransferRow> & {counts: TransferCounts};
	peers: Window<PeerRow> & {online: number};
	/** The newest lines, oldest first, at most {@link logKept}. */
	log: LogLine[];
	downloads: {folder: string; freeBytes: number};
};

/** A call that the server answered, with its time in Unix milliseconds. */
export type RequestRow = {
	seq: number;
	time: number;
	verb: string;
	peer: string;
	argument: string;
	result: string;
	ok: boolean;
	ms: number;
};

/** All that the server's dashboard shows. */
export type ServerSnapshot = {
	mode: 'server';
	id: string;
	name: string;
	host: string;
	port: number;
	/** Unix milliseconds. */
	startedAt: number;
	/** Members only. */
	private?: boolean;
	counts: {peers: number; online: number; files: number; bytes: number; joinedLastMinute: number};
	/** Requests a second. */
	requests: Rate;
	/** Milliseconds, over the last minute. `history`: p99 of each second. */
	latency: {p50: number; p99: number; history: number[]};
	/** Searches a second: history for the big graph, five minutes of one sample a second; the highest seen. */
	searches: Rate & {max: number};
	traffic: {in: number; out: number};
	/** Event-loop delay p99 in milliseconds over the last minute. */
	loopDelay: number;
	/** Share of answers that were errors, 0 to 1. */
	errorShare: number;
	log: RequestRow[];
	peers: Window<PeerRow> & {online: number};
	/** There when the index lies in a cluster: how whole this server's is, and how many servers there are. */
	cluster?: {state: 'whole' | 'catching-up' | 'stale'; servers: number};
};

/** Lines of log that a snapshot carries. */
export const logKept = 500;

/** Which rows of the long lists the screen can see. */
export type VisibleWindows = {
	transfers?: {offset: number; rows: number /** Which of them; all where absent. */; filter?: TransferFilter};
	peers?: {offset: number; rows: number};
};

/** Which transfers a list holds: all, those one way, those still to come, or those that ended one way. */
export type TransferFilter = 'all' | 'down' | 'up' | 'unfinished' | 'failed' | 'done';

/** A search's answer with the milliseconds it took, measured at the peer. */
export type SearchAnswer = SearchResponse & {ms: number};

/** What to download, and from whom: all sources where `from` is absent. */
export type GetRequest = {content: string; name: string; size: number; from?: string[]};

/** A folder to download with all below it: the catalog path of a peer (its number, ID or nickname). */
export type GetFolderRequest = {peer: string; path: string};

/** Limits to change: bytes per second (null: none), downloads that run at once, peers that are sent to at once. */
export type LimitsRequest = {down?: number | null; up?: number | null; running?: number; slots?: number};

/** What a screen can ask of a peer. Every failure is a P2pError. */
export type PeerCommands = {
	/** `typed`: as somebody types; the one before that is not answered yet ends with P2pError cancelled. */
	search(request: {query: string; limit?: number; cursor?: string; typed?: boolean}): Promise<SearchAnswer>;
	sources(request: {content: string}): Promise<ContentSources>;
	/** Queues a download; `existed`: the same content is being fetched, or lies in the downloads folder, already. */
	get(request: GetRequest): Promise<{key: string; existed: boolean}>;
	/** Queues the download of a folder (or file) by its path at a peer. @throws P2pError not-found, no-source */
	getFolder(request: GetFolderRequest): Promise<{key: string; existed: boolean}>;
	/** Pieces, sources, speeds and the latest events of one download. @throws P2pError not-found; usage for an upload */
	transferDetails(request: {key: string}): Promise<TransferDetails>;
	/** Moves a download up (negative) or down in the queue, by so many places. */
	move(request: {key: string; by: number}): Promise<void>;
	/** Sets all that is given, or nothing. @throws P2pError usage for what is out of range */
	setLimits(request: LimitsRequest): Promise<void>;
	pause(request: {key: string}): Promise<void>;
	resume(request: {key: string}): Promise<void>;
	/** Ends a download and deletes its partial file. */
	cancel(request: {key: string}): Promise<void>;
	retry(request: {key: string}): Promise<void>;
	browse(request: {peer: string; path: string; cursor?: string}): Promise<BrowseResponse>;
	addShare(request: {folder: string}): Promise<ShareRow>;
	removeShare(request: {name: string}): Promise<void>;
	rescan(request: {name?: string}): Promise<void>;
	/** Whom a share is for from now on: those peer IDs alone, none of them, or (null) everybody. @throws P2pError not-found */
	setAudience(request: {name: string; peers: string[] | null}): Promise<void>;
	/** Round trips in milliseconds to those of the peers that answer. */
	ping(request: {peers: string[]}): Promise<Record<string, number>>;
	windows(request: VisibleWindows): Promise<void>;
};

/** What a dashboard can ask of an index server. */
export type ServerCommands = {
	/** Ends a peer's registration and its connection; it may register again. @throws P2pError not-found */
	kick(request: {peer: string}): Promise<void>;
	/** Writes the registered peers with their counts as JSON and CSV into the data folder; tells where. */
	export(): Promise<{json: string; csv: string; peers: number}>;
	windows(request: VisibleWindows): Promise<void>;
};

/** A running engine as a screen sees it, in the same thread or another. */
export type EngineHandle<Snapshot, Commands> = {
	/** The newest snapshot. */
	snapshot(): Snapshot;
	/** Called after each new snapshot, at most ten times a second and only when something changed; returns the stop. */
	subscribe(listener: () => void): () => void;
	commands: Commands;
	/** Ends transfers and connections in order; resolves when all is on disk. */
	stop(): Promise<void>;
	/** Settles when the engine ended: with its error when it was not stopped by {@link EngineHandle.stop}. */
	ended: Promise<void>;
};

/** A peer engine. */
export type PeerEngine = EngineHandle<PeerSnapshot, PeerCommands>;
/** An index server engine. */
export type ServerEngine = EngineHandle<ServerSnapshot, ServerCommands>;

/** A P2pError on its way between threads. */
export type PlainError = {code: ErrorCode; message: string; hint?: string; details?: Record<string, unknown>};
