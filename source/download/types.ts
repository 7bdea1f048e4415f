import type {ErrorCode, P2pError} from '../core/errors.ts';

/** A peer that holds a content, and where it listens. */
export type DownloadSource = {
	/** Peer ID. */
	peer: string;
	/** Its number at the index server; 0 where it has none. */
	number: number;
	name: string;
	host: string;
	port: number;
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

/** `waiting`: for a source; `queued`: for its turn here. */
export type DownloadState = 'queued' | 'waiting' | 'running' | 'verifying' | 'paused' | 'done' | 'failed';

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

/** Why a run of bytes did not come in whole, as a transfer worker tells it. */
export type Fault =
	/** The connection failed, was cut, or nothing came for too long. */
	| {kind: 'network'; message: string}
	/** A piece does not have the hash it must have. */
	| {kind: 'corrupt'; piece: number}
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
