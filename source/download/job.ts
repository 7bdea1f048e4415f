import type {Bottleneck, DownloadEvent, EngineBus} from '../core/events.ts';
import type {Journal} from './journal.ts';
import type {TransferPool} from './transfer-pool.ts';
import type {
	DownloadDetails,
	DownloadResult,
	DownloadSource,
	DownloadState,
	FindSources,
	LocalCopies,
	PartialDownload,
} from './types.ts';

/** What all downloads share. */
export type DownloadHost = {
	/** Our own peer ID. */
	self: string;
	folder: string;
	prefix: string;
	journal: Journal;
	pool: TransferPool;
	bus: EngineBus;
	findSources: FindSources;
	localCopies: LocalCopies;
	/** Whether a peer is to be asked for nothing any more, and what it is sending is to be ended. */
	barred?: (peer: string) => boolean;
	/** A download with no source left fails, instead of waiting for one. */
	once: boolean;
};

/** How an attempt ended: finished, or to be tried again at a time (performance.now()) or when sources come. */
export type AttemptEnd = {result: DownloadResult} | {wakeAt: number};

/** The work on one download, of a file or of a folder, as the queue sees it. */
export type Job = {
	state: DownloadState;
	message: string | undefined;
	/** Bytes per second, now. */
	readonly speed: number;
	/** Verified bytes. */
	readonly done: number;
	/** Body bytes received over its life. */
	readonly received: number;
	/** Peers that bytes come from now. */
	readonly peers: string[];
	/** What makes it no faster, while it runs. */
	readonly bottleneck: Bottleneck | undefined;
	/** Of a folder: files that are there, of all. */
	readonly files: {done: number; total: number} | undefined;
	/** Whether it would be faster with more sources. */
	readonly wantsSources: boolean;

	/** What is there of one content, for others to fetch: the download's own, or that of a file in its folder. */
	partial(content: string): PartialDownload | undefined;
	/** All that others can fetch of it already, with at least one verified piece. */
	partials(): PartialDownload[];
	/** Works until it is finished or has to wait. @throws P2pError what it fails with; the signal's reason */
	attempt(signal: AbortSignal): Promise<AttemptEnd>;
	/** Sources may have come: ends a wait, and joins them to a running transfer. */
	sourcesChanged(signal: AbortSignal): Promise<void>;
	/** Further sources, known to whoever asked for the same content again. */
	addSources(sources: DownloadSource[]): void;
	/** Closes its files. No attempt may be under way. */
	close(options?: {remove?: boolean}): Promise<void>;
	/** Measures; to be called a few times a second. @returns whether anything changed since */
	sample(now: number): boolean;
	/** As the events tell it. */
	event(): DownloadEvent;
	/** All about it but its row. */
	details(): Omit<DownloadDetails, 'row'>;
};
