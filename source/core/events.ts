// The one typed event map: what the engines tell, and what headless mode prints (DESIGN section 2, "Headless events").
// Sizes are bytes, speeds bytes/s, durations seconds unless a name says milliseconds.
import {Emitter} from './emitter.ts';
import type {ErrorCode} from './errors.ts';

/** A peer as the events name it. */
export type PeerEvent = {id: string; number: number; name: string; address: string; files: number};

/** An upload: somebody fetches from us. `peer` is their peer ID, or `guest` for one without a key. */
export type UploadEvent = {peer: string; content: string; name: string; bytes: number; seconds: number};

/** The stage of a transfer that everything else waits for. */
export type BottleneckStage =
	| 'their-slot'
	| 'their-limit'
	| 'their-disk'
	| 'link'
	| 'our-disk'
	| 'our-hashing'
	| 'our-limit'
	| 'no-source';

/** Why a transfer is not faster, for programs and in words. */
export type Bottleneck = {stage: BottleneckStage; text: string};

/** A download's state, in every download event. */
export type DownloadEvent = {
	content: string;
	name: string;
	size: number;
	/** Verified bytes on disk. */
	done: number;
	speed: number;
	/** Peer IDs that the bytes come from. */
	sources: string[];
	/** What makes it no faster, while it runs. */
	bottleneck?: Bottleneck;
};

/** How loud a log line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A call that the index server answered, for its dashboard. */
export type RequestEvent = {
	/** What was done, in capitals: SEARCH, REGISTER, RENEW, PUBLISH, LOOKUP, BROWSE, PEERS, EVENTS, LEAVE, INFO. */
	verb: string;
	/** Peer ID of the caller, or `guest`. */
	peer: string;
	/** The query, the address, `+467 -3 files`… */
	argument: string;
	/** `213 hits`, `ok`, or the error's code. */
	result: string;
	ok: boolean;
	/** Milliseconds until the answer was ready. */
	ms: number;
};

/** Everything an engine tells, by event name. */
export type EngineEvents = {
	/** `private`: of a server whose network only members may use. */
	listening: {mode: 'server' | 'peer'; host: string; port: number; id: string; private?: boolean};
	registered: {server: string; number: number; files: number; bytes: number};
	scan: {files: number; bytes: number; hashed: number; done: boolean};
	'peer-joined': PeerEvent;
	'peer-left': PeerEvent;
	search: {query: string; hits: number; ms: number};
	'upload-started': UploadEvent;
	'upload-finished': UploadEvent;
	'upload-failed': UploadEvent & {message: string};
	'download-started': DownloadEvent;
	'download-progress': DownloadEvent;
	/** `path` is where the file lies now; `alreadyThere`: the same content was there before, nothing was fetched. */
	'download-finished': DownloadEvent & {path: string; alreadyThere: boolean};
	'download-failed': DownloadEvent & {code: ErrorCode; message: string};
	'server-lost': {server: string; message: string};
	'server-back': {server: string};
	/** A place in the network without a server: its UDP port, and how many other nodes it knows. */
	'dht-joined': {network: string; port: number; nodes: number};
	error: {code: ErrorCode; message: string};
	log: {level: LogLevel; message: string};
	request: RequestEvent;
};

/** The emitter that an engine and all its parts speak through. */
export class EngineBus extends Emitter<EngineEvents> {}
