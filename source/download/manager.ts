import {isContentId} from '../content/content-id.ts';
import {P2pError} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';
import type {Identity} from '../identity/identity.ts';
import {DownloadQueue} from './download-queue.ts';
import {Journal} from './journal.ts';
import {RateLimit} from './rate-limit.ts';
import {TransferPool} from './transfer-pool.ts';
import type {DownloadRequest, DownloadResult, DownloadRow, FindSources} from './types.ts';

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

/** How many downloads are in which state; `waiting` also counts those that wait for their turn. */
export type DownloadCounts = {running: number; waiting: number; paused: number; failed: number; done: number};

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
	 * @throws P2pError usage for a content ID or size that is none
	 */
	add(request: DownloadRequest): Promise<{key: string; existed: boolean}>;
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
	counts(): DownloadCounts;
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

/** Makes a download manager. Its transfers run in worker threads; the calling thread only decides and keeps the list. */
export function createDownloadManager(options: DownloadManagerOptions): DownloadManager {
	const {identity, bus, database, folder, prefix, findSources, running = defaultRunning, once = false} = options;
	const limit = new RateLimit();
	let journal: Journal | undefined;
	let pool: TransferPool | undefined;
	let opened: DownloadQueue | undefined;
	const queue = () => {
		if (!opened) throw new P2pError('cancelled', 'Downloads have not started, or have ended');
		return opened;
	};

	return {
		async start() {
			if (opened) return;
			limit.set(options.limit);
			journal = new Journal(database);
			pool = new TransferPool(identity, limit, error => {
				bus.emit('error', {code: 'internal', message: `A transfer worker ended: ${error.stack ?? error.message}`});
			});
			opened = new DownloadQueue({self: identity.id, folder, prefix, journal, pool, bus, findSources, once}, running);
			opened.load();
		},
		async stop() {
			const ending = opened;
			opened = undefined;
			await ending?.stop();
			await pool?.close();
			journal?.close();
			limit.stop();
		},
		async add(request) {
			if (!isContentId(request.content)) throw new P2pError('usage', 'A content ID is 64 lower-case hex digits');
			if (!Number.isSafeInteger(request.size) || request.size < 0)
				throw new P2pError('usage', `A file cannot have ${request.size} bytes`);
			return queue().add(request);
		},
		pause: key => queue().pause(key),
		resume: key => queue().resume(key),
		cancel: key => queue().cancel(key),
		retry: key => queue().retry(key),
		reorder: (key, by) => queue().reorder(key, by),
		list: (offset = 0, most) => opened?.list(offset, most) ?? [],
		counts: () => opened?.counts() ?? {running: 0, waiting: 0, paused: 0, failed: 0, done: 0},
		finished: key => queue().finished(key),
		sourcesChanged: () => opened?.sourcesChanged(),
		setLimit: bytesPerSecond => limit.set(bytesPerSecond),
		setRunning: count => queue().setRunning(count),
	};
}
