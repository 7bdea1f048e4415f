import fs from 'node:fs/promises';
import path from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {P2pError} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';
import type {Catalog, CatalogWriter} from './catalog.ts';
import {FolderReader} from './folder-reader.ts';
import type {HashPool} from './hash-pool.ts';
import {HashQueue} from './hash-queue.ts';
import {ScanProgress} from './scan-progress.ts';
import {checkShareFolder, isInside, type ShareFolder, shareName} from './share-folder.ts';
import {ShareTracker} from './share-tracker.ts';
import {openCatalog} from './sqlite-catalog.ts';
import {type TrackerTimes, trackerTimes} from './tracker-times.ts';
import type {WatchFunction} from './watch.ts';

/** How far the shares are known. `hashed`: bytes whose content ID is known or being found out. */
export type ScanTotals = {files: number; bytes: number; hashed: number; done: boolean};

/** A shared folder as the screens show it. */
export type ShareState = {
	name: string;
	/** Absolute, on this machine. */
	folder: string;
	files: number;
	bytes: number;
	hashed: number;
	state: 'scanning' | 'watching' | 'failed';
	/** Why it failed, or what does not work as it should. */
	message?: string;
};

/** What {@link createShares} takes. */
export type SharesOptions = {
	/** Where `catalog.db` lies. The folder is never shared itself. */
	dataDir: string;
	/** Folders to share from the start. Others that the catalog holds are forgotten. */
	folders: readonly string[];
	bus: EngineBus;
	/** Stays the caller's: it is not closed. */
	hashPool: HashPool;
	times?: Partial<TrackerTimes>;
	/** In place of `fs.watch`. */
	watch?: WatchFunction;
};

/** The folders that this peer shares, kept in step with the disk from `start` to `stop`. */
export interface Shares {
	readonly catalog: Catalog;
	readonly scan: ScanTotals;
	/** Checks the folders and begins to scan them. @throws P2pError not-found, usage, not-readable, in-use, bad-database */
	start(): Promise<void>;
	/** Ends scanning and closes the catalog. */
	stop(): Promise<void>;
	/** Shares one more folder. @returns the share's name @throws P2pError as `start` does */
	add(folder: string): Promise<string>;
	/** Stops sharing a folder. @throws P2pError not-found */
	remove(name: string): Promise<void>;
	/** Looks at a share, or at all, again; resolves when that has begun. @throws P2pError not-found */
	rescan(name?: string): Promise<void>;
	list(): ShareState[];
	/** A served file is not what the catalog says (absolute path): it is looked at soon. */
	touch(file: string): void;
	/** Called after the catalog's version grew, at most ten times a second; returns the stop. */
	onChange(listener: () => void): () => void;
	/** Resolves when every share has been gone through and every quiet file hashed, or has failed. */
	settled(): Promise<void>;
}

/** Opens the catalog of a data folder. @throws P2pError bad-database, in-use, not-writable, disk-full */
export function createShares(options: SharesOptions): Shares {
	return new ShareRoom(options, openCatalog(options.dataDir));
}

const changeEvery = 100;
const removeStep = 100;

class ShareRoom implements Shares {
	readonly #options: SharesOptions;
	readonly #catalog: CatalogWriter;
	readonly #queue: HashQueue;
	readonly #reader = new FolderReader();
	readonly #progress: ScanProgress;
	readonly #trackers = new Map<string, ShareTracker>();
	readonly #listeners = new Set<() => void>();
	#changeTimer: NodeJS.Timeout | undefined;
	/** Adding and removing happen one after the other. */
	#turn: Promise<unknown> = Promise.resolve();
	#started = false;
	#stopped = false;

	constructor(options: SharesOptions, catalog: CatalogWriter) {
		this.#options = options;
		this.#catalog = catalog;
		this.#queue = new HashQueue(options.hashPool);
		this.#progress = new ScanProgress(
			() => this.scan,
			totals => options.bus.emit('scan', totals),
		);
		catalog.onCommit(() => this.#changed());
		catalog.onFailure(error => {
			for (const tracker of this.#trackers.values()) tracker.fail(error);
		});
	}

	get catalog(): Catalog {
		return this.#catalog;
	}

	get scan(): ScanTotals {
		const sum = {files: 0, bytes: 0, hashed: 0, done: this.#started};
		for (const tracker of this.#trackers.values()) {
			const {files, bytes, hashed} = tracker.totals;
			sum.files += files;
			sum.bytes += bytes;
			sum.hashed += hashed;
			sum.done &&= tracker.isDone;
		}
		return sum;
	}

	start(): Promise<void> {
		return this.#inTurn(async () => {
			const given: ShareFolder[] = [];
			for (const folder of this.#options.folders) given.push(await this.#checkNew(folder, given));
			for (const {name, folder, root} of this.#catalog.shares()) {
				if (given.some(share => share.folder === folder)) continue;
				await this.#forget(name, root);
			}
			for (const share of given) await this.#track(share);
			this.#started = true;
			this.#progress.activity();
		});
	}

	async stop(): Promise<void> {
		if (this.#stopped) return;
		this.#stopped = true;
		await this.#turn.catch(() => undefined);
		await Promise.all([...this.#trackers.values()].map(tracker => tracker.stop()));
		await this.#reader.close();
		this.#progress.stop();
		clearTimeout(this.#changeTimer);
		this.#catalog.close();
	}

	add(folder: string): Promise<string> {
		return this.#inTurn(async () => this.#track(await this.#checkNew(folder, [])));
	}

	remove(name: string): Promise<void> {
		return this.#inTurn(async () => {
			const tracker = this.#find(name);
			await tracker.stop();
			this.#trackers.delete(name);
			await this.#forget(name, tracker.root);
			this.#progress.activity();
		});
	}

	async rescan(name?: string): Promise<void> {
		for (const tracker of name === undefined ? this.#trackers.values() : [this.#find(name)]) tracker.rescan();
	}

	list(): ShareState[] {
		return [...this.#trackers.values()].map(({name, folder, totals, state, message}) => ({
			...{name, folder, ...totals, state},
			...(message !== undefined && {message}),
		}));
	}

	touch(file: string): void {
		for (const tracker of this.#trackers.values()) {
			if (file === tracker.folder || !isInside(file, tracker.folder)) continue;
			tracker.touch(path.relative(tracker.folder, file).split(path.sep).join('/'));
		}
	}

	onChange(listener: () => void): () => void {
		const own = () => listener();
		this.#listeners.add(own);
		return () => this.#listeners.delete(own);
	}

	settled(): Promise<void> {
		return this.#progress.settled();
	}

	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const turn = this.#turn.then(() => {
			if (this.#stopped) throw new P2pError('cancelled', 'Sharing has ended');
			return work();
		});
		this.#turn = turn.catch(() => undefined);
		return turn;
	}

	#find(name: string): ShareTracker {
		const tracker = this.#trackers.get(name);
		if (tracker) return tracker;
		throw new P2pError('not-found', `Nothing is shared under the name ${name}`);
	}

	/** A folder that may be shared beside those that are. */
	async #checkNew(folder: string, others: ShareFolder[]): Promise<ShareFolder> {
		const share = await checkShareFolder(folder);
		const dataDir = await fs.realpath(this.#options.dataDir);
		if (isInside(share.folder, dataDir))
			throw new P2pError('usage', `Cannot share ${folder}: p2p-tui keeps its private key there`, {
				hint: 'Share another folder, or choose another --data-dir',
			});
		for (const other of [...others, ...this.#trackers.values()]) {
			if (other.folder === share.folder) throw new P2pError('usage', `${folder} is shared already`);
			const inner = isInside(share.folder, other.folder);
			if (!inner && !isInside(other.folder, share.folder)) continue;
			throw new P2pError(
				'usage',
				`Cannot share ${folder}: ${inner ? `it lies in ${other.folder}` : `${other.folder} lies in it`}, which is shared already`,
				{hint: inner ? 'Its files are shared with the folder above' : 'Unshare the inner folder first'},
			);
		}
		return share;
	}

	async #track(share: ShareFolder): Promise<string> {
		const stored = this.#catalog.shares();
		const known = stored.find(other => other.folder === share.folder);
		const name =
			known?.name ??
			shareName(
				share.folder,
				stored.map(other => other.name),
			);
		const tracker = new ShareTracker({
			...{...share, name, root: known?.root ?? this.#catalog.addShare(name, share.folder)},
			...{catalog: this.#catalog, queue: this.#queue, reader: this.#reader, watch: this.#options.watch},
			excluded: [await fs.realpath(this.#options.dataDir)],
			log: (level, message) => this.#options.bus.emit('log', {level, message}),
			onActivity: () => this.#progress.activity(),
			times: {...trackerTimes, ...this.#options.times},
		});
		this.#trackers.set(name, tracker);
		tracker.start();
		return name;
	}

	async #forget(name: string, root: number): Promise<void> {
		const {files} = this.#catalog.sums(root);
		this.#options.bus.emit('log', {level: 'info', message: `Share ${name} is not shared any more (${files} files)`});
		while (!this.#catalog.removeTree(root, removeStep)) await nextTurn();
		this.#catalog.dropShare(root);
	}

	#changed(): void {
		this.#changeTimer ??= setTimeout(() => {
			this.#changeTimer = undefined;
			for (const listener of this.#listeners) listener();
		}, changeEvery);
	}
}
