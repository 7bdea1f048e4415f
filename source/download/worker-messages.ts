// What crosses between the manager's thread and a transfer worker. A lane is one connection's worth of work for one
// download; a run is one request on it for consecutive pieces.
import type {Target} from '../net/secure-client.ts';
import type {Fault} from './types.ts';

/** What a transfer worker is told before anything else. */
export type WorkerStart = {
	type: 'start';
	keyPem: string;
	certificatePem: string;
	limit: SharedArrayBuffer;
	writes: SharedArrayBuffer;
	/** What is shown to other members of private networks. */
	membership: string | undefined;
};

/** Consecutive pieces to fetch in one request, verify and write. */
export type RunOrder = {
	type: 'run';
	lane: number;
	run: number;
	content: string;
	/** The partial file's descriptor: valid in every thread of the process. */
	fd: number;
	size: number;
	pieceSize: number;
	first: number;
	count: number;
	/** `count` × 32 bytes of the piece layer. */
	hashes: Uint8Array;
	/** Milliseconds without a byte after which the source is given up. */
	stallMs: number;
};

/** The piece layer to fetch and check. */
export type LayerOrder = {type: 'layer'; lane: number; run: number; content: string; size: number; stallMs: number};

/** Whole files of one piece to fetch one after the other, verify and write. Those written are told as pieces are. */
export type FilesOrder = {
	type: 'files';
	lane: number;
	run: number;
	/** The downloads folder. */
	root: string;
	/** `path`: absolute, in a folder that is there. */
	files: {n: number; content: string; size: number; path: string}[];
	stallMs: number;
};

/** A file of ours to copy and check: `copied` follows. */
export type CopyOrder = {type: 'copy'; task: number; from: string; to: string; content: string; size: number};

/** Files that should be there: `checked` follows. */
export type CheckOrder = {type: 'check'; task: number; files: {path: string; content: string; size: number}[]};

/** Pieces of a partial file to look at. */
export type VerifyOrder = {
	type: 'verify';
	task: number;
	fd: number;
	content: string;
	size: number;
	layer: Uint8Array;
	/** Which pieces to look at; a piece that reads as zeros counts as missing. */
	candidates: Uint8Array;
};

export type ToWorker =
	| WorkerStart
	| {type: 'open'; lane: number; target: Target}
	| RunOrder
	| LayerOrder
	| FilesOrder
	| CopyOrder
	| CheckOrder
	/** Files and folders to bring to the disk, the files first. */
	| {type: 'sync'; task: number; files: string[]; folders: string[]}
	/** Ends a run that is waiting or under way; `ended` follows when it was not over already. */
	| {type: 'cancel'; lane: number; run: number}
	/** Ends all of a lane; `closed` follows, and after it nothing of that lane touches its file. */
	| {type: 'close'; lane: number}
	/** Closes the connections that are kept to a target, and keeps none to it from now on. */
	| {type: 'forget'; target: Target}
	/** What is shown to other members of private networks from now on. */
	| {type: 'membership'; text: string | undefined}
	| VerifyOrder
	| {type: 'hash'; task: number; file: string}
	| {type: 'stop-task'; task: number};

export type FromWorker =
	/** Verified and written pieces since the last message: lane, run, piece, lane, run, piece… */
	| {type: 'pieces'; list: number[]}
	| {type: 'layer'; lane: number; run: number; layer: Uint8Array; have?: Uint8Array}
	| {type: 'ended'; lane: number; run: number; fault?: Fault}
	/** What lanes have counted so far, a few times a second while it changes: lane and then as in {@link laneCounts}. */
	| {type: 'times'; counts: number[]}
	| {type: 'refused'; lane: number; run: number; file: number; fault: Fault}
	| {type: 'copied'; task: number; ok: boolean}
	/** One byte a file: 1 when it is there as it should be. */
	| {type: 'checked'; task: number; good: Uint8Array}
	| {type: 'synced'; task: number}
	| {type: 'closed'; lane: number}
	| {type: 'verifying'; task: number; bytes: number}
	| {type: 'verified'; task: number; have: Uint8Array}
	| {type: 'hashed'; task: number; content: string | undefined}
	| {type: 'task-failed'; task: number; code?: string; message: string};

/** Numbers per lane in a `times` message, after the lane's own. */
export const laneCounts = ['bytes', 'hash', 'write', 'limit', 'answers', 'theirDisk', 'theirLimit'] as const;
