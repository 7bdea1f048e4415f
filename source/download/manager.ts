import {setImmediate as nextTurn} from 'node:timers/promises';
import {limits} from '../api/limits.ts';
import {emptyContentId, isContentId} from '../content/content-id.ts';
import {P2pError} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';
import type {Identity} from '../identity/identity.ts';
import {DownloadQueue} from './download-queue.ts';
import {Journal} from './journal.ts';
import {RateLimit} from './rate-limit.ts';
import {TransferPool} from './transfer-pool.ts';
import {contentOfTree, sortTree} from './tree-content.ts';
import type {
	DownloadCounts,
	DownloadDetails,
	DownloadRequest,
	DownloadResult,
	DownloadRow,
	DownloadState,
	FindSources,
	FolderRequest,
	LocalCopies,
	LocalCopy,
	PartialDownload,
} from './types.ts';

/** What a download manager is made with. */
export type DownloadManagerOptions = {
	/** Who we are to the sources. */
	identity: Identity;
	bus: EngineBus;
	/** The file that remembers downloads: `<data-dir>/downloads.db`. Several processes may use one. */
	database: string;
	/** Absolute folder for finished files. */
	folder: string;
	/** Put before the name of a finished file. */
	prefix: string;
	/** Asks content routing who holds a content. */
	findSources: FindSources;
	/** Looks for a content among our own files, so that it is copied instead of fetched. Must be quick. */
	localCopies?: LocalCopies;
	/** Whether a peer is to be asked for nothing any more; asked a few times a second, so that what runs ends too. */
	barred?(peer: string): boolean;
	/** What proves to other members of private networks that we are one. */
	membership?: {current(): string | undefined; onChange(listener: () => void): () => void};
	/** Downloads that run at once. Default 4. */
	running?: number;
	/** Bytes per second, all downloads together; undefined: no limit. */
	limit?: number;
	/**
	 * For one-shot commands: start() goes on with nothing from before, and a download that nobody offers, or whose last
	 * source is lost, fails after some seconds of trying instead of waiting. What was verified is kept for the next time.
	 */
	once?: boolean;
};

/** A peer's downloads. Methods that take a key throw P2pError not-found for one that does not exist. */
export type DownloadManager = {
	/** Opens the list and goes on with what was unfinished. @throws P2pError bad-database */
	start(): Promise<void>;
	/** Ends all transfers; resolves when what came is safely on the disk. Unfinished downloads go on at the next start. */
	stop(): Promise<void>;
	/**
	 * Puts a download at the queue's end.
	 *
	 * @returns its key; `existed`: the same content is being fetched, or was finished before and is looked at again
	 * @throws P2pError usage for a content ID or size that is none; too-large
	 */
	add(request: DownloadRequest): Promise<{key: string; existed: boolean}>;
	/**
	 * Puts the download of a folder at the queue's end. Its content is that of tree-content.ts.
	 *
	 * @throws P2pError usage for a file that cannot be one; too-large for more files than `limits.folderFiles`
	 */
	addFolder(request: FolderRequest): Promise<{key: string; existed: boolean}>;
	/** Stops a download until {@link DownloadManager.resume}; also across restarts. */
	pause(key: string): Promise<void>;
	/** Goes on with a paused download. */
	resume(key: string): Promise<void>;
	/** Ends a download and deletes its partial file; of a finished one, forgets it and leaves the file. */
	cancel(key: string): Promise<void>;
	/** Goes on with a failed download, or at once with a waiting one. */
	retry(key: string): Promise<void>;
	/** Moves a download one or more places up (negative) or down in the queue. */
	reorder(key: string, by: number): void;
	/** The downloads in the order of the queue. */
	list(offset?: number, limit?: number): DownloadRow[];
	/** Some of the downloads in one state, in the order of the queue: quick, however many there are. */
	inState(state: DownloadState, offset: number, limit: number): DownloadRow[];
	counts(): DownloadCounts;
	/** Pieces, sources, speeds and the latest events of one. */
	details(key: string): DownloadDetails;
	/** What is there of a content that is being downloaded; undefined when it is not. */
	partial(content: string): PartialDownload | undefined;
	/** The contents of running and waiting downloads, also files of folders, of which at least one piece is there. */
	partials(): PartialDownload[];
	/** Body bytes received since the start; never less than before. */
	received(): number;
	/** The verified file once it has its name. @throws P2pError what the download fails with; cancelled */
	finished(key: string): Promise<DownloadResult>;
	/** Somebody joined or shares more: downloads that wait or run short of sources look again. */
	sourcesChanged(): void;
	/** Bytes per second, all downloads together; undefined: no limit. */
	setLimit(bytesPerSecond: number | undefined): void;
	/** How many downloads run at once. */
	setRunning(count: number): void;
};

const defaultRunning = 4;
/** Files of a folder that are written down between two turns of the event loop. */
const treePage = 1000;
const noDownloads: DownloadCounts = {queued: 0, waiting: 0, running: 0, verifying: 0, paused: 0, failed: 0, done: 0};

/** Makes a download manager. Its transfers run in worker threads; the calling thread only decides and keeps the list. */
export function createDownloadManager(options: DownloadManagerOptions): DownloadManager {
	const {identity, bus, database, folder, prefix, findSources, running = defaultRunning, once = false} = options;
	const {membership} = options;
	let offMembership: (() => void) | undefined;
	const limit = new RateLimit();
	let journal: Journal | undefined;
	let pool: TransferPool | undefined;
	let opened: DownloadQueue | undefined;
	let receivedBefore = 0;
	/** Those of the other rooms, and what was downloaded before as far as it is remembered. */
	const localCopies = (content: string): LocalCopy[] => {
		const copies = options.localCopies?.(content) ?? [];
		const before = journal?.finished(content);
		return before ? [...copies, {...before, where: 'an earlier download'}] : copies;
	};
	const queue = () => {
		if (!opened) throw new P2pError('cancelled', 'Downloads have not started, or have ended');
		return opened;
	};

	return {
		async start() {
			if (opened) return;
			limit.set(options.limit);
			journal = new Journal(database);
			pool = new TransferPool(identity, limit, membership?.current(), error => {
				bus.emit('error', {code: 'internal', message: `A transfer worker ended: ${error.stack ?? error.message}`});
			});
			offMembership = membership?.onChange(() => pool?.setMembership(membership.current()));
			// A one-shot command serves nothing, so the peer that runs under its key is a source like any other.
			const self = once ? '' : identity.id;
			const shared = {self, folder, prefix, journal, pool, bus, findSources, localCopies, once, barred: options.barred};
			opened = new DownloadQueue(shared, running);
			await opened.load();
		},
		async stop() {
			offMembership?.();
			const ending = opened;
			opened = undefined;
			await ending?.stop();
			receivedBefore += ending?.received ?? 0;
			await pool?.close();
			journal?.close();
			limit.stop();
		},
		async add({content, name, size, sources = [], from}) {
			checkFile(content, size);
			await queue().cancelled(content);
			return queue().add({content, name, size, sources, from});
		},
		async addFolder({name, files, folders = [], sources = [], from}) {
			const entries = files.length + folders.length;
			if (entries === 0) throw new P2pError('not-found', 'There is nothing in this folder');
			if (entries > limits.folderFiles)
				throw new P2pError('too-large', `A folder of ${entries} files is too large`, {
					hint: `${limits.folderFiles} is the most: get the folders inside one by one`,
				});
			let size = 0;
			for (const file of files) {
				checkFile(file.content, file.size);
				size += file.size;
			}
			const sorted = sortTree(files);
			const content = contentOfTree(sorted, folders);
			await queue().cancelled(content);
			for (let at = 0; at < sorted.length; at += treePage) {
				if (at > 0) await nextTurn();
				queue();
				journal!.addTree(content, at, sorted.slice(at, at + treePage));
			}
			journal!.addEmptyFolders(content, folders);
			return queue().add({content, name, size, files: sorted.length, sources, from});
		},
		pause: key => queue().pause(key),
		resume: key => queue().resume(key),
		cancel: key => queue().cancel(key),
		retry: key => queue().retry(key),
		reorder: (key, by) => queue().reorder(key, by),
		list: (offset = 0, most) => opened?.list(offset, most) ?? [],
		inState: (state, offset, most) => opened?.inState(state, offset, most) ?? [],
		counts: () => opened?.counts() ?? {...noDownloads},
		details: key => queue().details(key),
		partial: content => opened?.partial(content),
		partials: () => opened?.partials() ?? [],
		received: () => receivedBefore + (opened?.received ?? 0),
		finished: key => queue().finished(key),
		sourcesChanged: () => opened?.sourcesChanged(),
		setLimit: bytesPerSecond => limit.set(bytesPerSecond),
		setRunning: count => queue().setRunning(count),
	};
}

function checkFile(content: string, size: number): void {
	if (!isContentId(content)) throw new P2pError('usage', 'A content ID is 64 lower-case hex digits');
	if (!Number.isSafeInteger(size) || size < 0) throw new P2pError('usage', `A file cannot have ${size} bytes`);
	if (size > limits.downloadSize)
		throw new P2pError('too-large', `A file of ${size} bytes is larger than any that can be downloaded`);
	if ((size === 0) !== (content === emptyContentId))
		throw new P2pError('usage', 'Only an empty file has the content ID of one, and it has no other');
}
