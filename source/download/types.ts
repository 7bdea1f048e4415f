import type {ErrorCode, P2pError} from '../core/errors.ts';
import type {Bottleneck} from '../core/events.ts';

/** A peer that holds a content, and where it listens. */
export type DownloadSource = {
	/** Peer ID. */
	peer: string;
	/** Its number at the index server; 0 where it has none. */
	number: number;
	name: string;
	host: string;
	port: number;
	/** Further addresses of it, as HOST:PORT. */
	addresses?: string[];
	/** It is downloading the content itself: it says which pieces it has. */
	partial?: boolean;
	/** Reached through its NAT by an encrypted stream, of which `host` and `port` are our end. */
	via?: 'stream';
};

/** What is there of a content that is being downloaded: others may fetch it from here. */
export type PartialDownload = {
	content: string;
	/** The name it will have. */
	name: string;
	/** The partial file and the downloads folder, absolute. */
	file: string;
	folder: string;
	size: number;
	/** Verified pieces, always up to date; another array when the download has begun anew. */
	have: Uint8Array;
	/** Hashes of all pieces. */
	layer: Uint8Array;
};

/** What to download. */
export type DownloadRequest = {
	content: string;
	/** The wanted name: anything the network sends; it is made safe before a file gets it. */
	name: string;
	size: number;
	/** Sources known already, such as those of the search hit. */
	sources?: DownloadSource[];
	/** Only from these: peer number, peer ID or its start, or nickname. */
	from?: string[];
};

/** A file of a folder to download. */
export type TreeFile = {
	/** Inside the folder, with `/`: anything the network sends; every part is made safe before a file gets it. */
	path: string;
	content: string;
	size: number;
};

/** A folder to download. `folders`: those in it that hold nothing, as {@link TreeFile.path}; `''`: the folder itself. */
export type FolderRequest = Omit<DownloadRequest, 'content' | 'size'> & {files: TreeFile[]; folders?: string[]};

/** `waiting`: for a source; `queued`: for its turn here. */
export type DownloadState = 'queued' | 'waiting' | 'running' | 'verifying' | 'paused' | 'done' | 'failed';

/** How many downloads are in which state. */
export type DownloadCounts = Record<DownloadState, number>;

/** A download as a screen shows it. */
export type DownloadRow = {
	/** Stable for the download's life, also across restarts. */
	key: string;
	content: string;
	name: string;
	size: number;
	/** Verified bytes. */
	done: number;
	/** Bytes per second, now. */
	speed: number;
	state: DownloadState;
	/** Why it failed or waits, in words. */
	message?: string;
	/** The code of a failure. */
	code?: ErrorCode;
	/** Peer IDs that bytes come from now. */
	peers: string[];
	/** Where the finished file lies. */
	path?: string;
	/** While it runs: what makes it no faster. */
	bottleneck?: Bottleneck;
	/** Of a folder: files that are there, of all. */
	files?: {done: number; total: number};
};

/** What one source gives to a download. */
export type SourceShare = {
	peer: string;
	name: string;
	/** Verified bytes from it, since the program started. */
	bytes: number;
	/** Bytes per second, now. */
	speed: number;
	state: 'active' | 'idle' | 'queued' | 'failing' | 'dropped';
	/** Its place in their queue, or what is wrong with it. */
	message?: string;
};

/** All about one download, for its page on the screen. */
export type DownloadDetails = {
	row: DownloadRow;
	/** Pieces of the file; of a folder, its files. */
	pieces: number;
	/** Per piece: 0 missing, n from source n (1 is the first, at most 254), 255 there from before or from this machine. */
	map: Uint8Array;
	sources: SourceShare[];
	/** Bytes per second, a sample a second, oldest first, at most 120. */
	speedHistory: number[];
	/** What happened to it lately, oldest first; times in Unix milliseconds. */
	log: {time: number; text: string}[];
};

/** A finished download. */
export type DownloadResult = {
	/** Where the file lies. */
	path: string;
	/** The same content was there before: nothing was fetched. */
	alreadyThere: boolean;
	/** Peer IDs that verified bytes came from. */
	sources: string[];
	/** Sources that were dropped on the way, and why. */
	dropped: {peer: string; name: string; reason: string}[];
};

/** Finds who holds a content. Rejects when nobody can be asked. */
export type FindSources = (content: string, signal: AbortSignal) => Promise<DownloadSource[]>;

/** A file of ours that had a content when it was looked at last. */
export type LocalCopy = {
	/** Absolute. */
	file: string;
	size: number;
	/** Where it comes from, in words: `your share music`. */
	where: string;
};

/** Files of ours with that content, the likeliest first. */
export type LocalCopies = (content: string) => LocalCopy[];

/** Why a run of bytes did not come in whole, as a transfer worker tells it. */
export type Fault =
	/** The connection failed, was cut, or nothing came for too long. */
	| {kind: 'network'; message: string}
	/** A piece does not have the hash it must have; `file`: the name of a small file of a folder. */
	| {kind: 'corrupt'; piece: number; file?: string}
	/** An answer that is not what was asked for: other range, other length, bytes past the end, not HTTP. */
	| {kind: 'lied'; message: string}
	/** All slots are taken: come back after `seconds`. */
	| {kind: 'busy'; seconds: number; place?: number}
	/** The source, or our check of its key, said no. */
	| {kind: 'refused'; code: ErrorCode; message: string}
	/** Our own disk; `code` as the system names it. */
	| {kind: 'disk'; code: string; message: string}
	/** Ended on our own wish. */
	| {kind: 'cancelled'};

/** A {@link Fault} on its way up the stack. */
export class FaultError extends Error {
	readonly fault: Fault;
	constructor(fault: Fault) {
		super('message' in fault ? fault.message : fault.kind);
		this.fault = fault;
	}
}

/** How a download ended, for those who wait for it. */
export type Outcome = {result: DownloadResult} | {error: P2pError};
