import {errorLine} from '../core/errors.ts';
import type {LogLevel} from '../core/events.ts';
import type {CatalogWriter} from './catalog.ts';
import {DirtyEntries} from './dirty-entries.ts';
import type {FolderReader} from './folder-reader.ts';
import type {HashQueue} from './hash-queue.ts';
import type {ScanRules} from './scan.ts';
import {ShareFiles} from './share-files.ts';
import {checkShareFolder, type ShareFolder} from './share-folder.ts';
import {ShareWalk} from './share-walk.ts';
import {SkipLog} from './skip-log.ts';
import type {TrackerTimes} from './tracker-times.ts';
import {FolderWatcher, type WatchFunction} from './watch.ts';

/** Files that may wait for their hash before the scan waits: bounds memory. */
const pendingLimit = 20_000;

/** What a tracker needs from the room. */
export type TrackerOptions = ShareFolder & {
	name: string;
	/** Number of its top folder in the catalog. */
	root: number;
	catalog: CatalogWriter;
	queue: HashQueue;
	reader: FolderReader;
	/** Absolute folders that are never shared. */
	excluded: readonly string[];
	log: (level: LogLevel, message: string) => void;
	/** What `state` or `totals` tell may be different now. */
	onActivity: () => void;
	times: TrackerTimes;
	watch?: WatchFunction | undefined;
};

/**
 * Keeps the catalog in step with one shared folder. One loop does all the looking, so that an older look at a folder
 * never undoes a newer one; what happened comes before what is not scanned yet.
 */
export class ShareTracker {
	readonly name: string;
	readonly folder: string;
	readonly root: number;
	readonly #options: TrackerOptions;
	readonly #files: ShareFiles;
	readonly #walk: ShareWalk;
	readonly #skips: SkipLog;
	readonly #dirty: DirtyEntries;
	#identity: string;
	#watcher: FolderWatcher;
	#watching = true;
	#stopped = false;
	/** Why nothing is tracked now, and when that is tried again. `gone`: the files are not there either. */
	#failure: {message: string; gone: boolean; retryAt: number} | undefined;
	#wantScan = true;
	#scanned = false;
	#lastScan = 0;
	#wake: (() => void) | undefined;
	#loop: Promise<void> | undefined;
	#rootTimer: NodeJS.Timeout | undefined;

	constructor(options: TrackerOptions) {
		const {name, folder, root, catalog, queue, excluded, times, onActivity} = options;
		this.#options = options;
		this.name = name;
		this.folder = folder;
		this.root = root;
		this.#identity = options.identity;
		this.#skips = new SkipLog(options.log);
		const rules: ScanRules = {name, root: folder, excluded};
		const onSkip = (message: string) => this.#skips.skip(message);
		this.#files = new ShareFiles({
			...{root: folder, onSkip, catalog, queue, quiet: times.quiet, patience: times.patience},
			onActivity: () => {
				onActivity();
				if (!this.#walk.isDone && this.#files.pending < pendingLimit) this.#wake?.();
			},
			onStale: rel => this.touch(rel),
			onFailure: error => this.fail(error),
		});
		this.#walk = new ShareWalk({
			...{rules, root, catalog, onSkip, files: this.#files, reader: options.reader},
			watcher: () => this.#watcher,
		});
		this.#dirty = new DirtyEntries(times.gather, () => this.#wake?.());
		this.#watcher = this.#newWatcher();
	}

	start(): void {
		this.#loop = this.#run();
		this.#rootTimer = setInterval(() => void this.#checkRoot(), this.#options.times.rootCheck).unref();
	}

	/** Ends looking and hashing; what is in the catalog stays. */
	async stop(): Promise<void> {
		this.#stopped = true;
		clearInterval(this.#rootTimer);
		this.#dirty.stop();
		this.#watcher.close();
		this.#files.stop();
		this.#wake?.();
		await this.#loop;
		this.#files.stop();
	}

	/** Looks at everything again. */
	rescan(): void {
		this.#wantScan = true;
		this.#options.onActivity();
		this.#wake?.();
	}

	/** Looks at one entry again. @param rel its path inside the share */
	touch(rel: string): void {
		const at = rel.lastIndexOf('/');
		this.#dirty.add(at < 0 ? '' : rel.slice(0, at), rel.slice(at + 1));
	}

	/** Something that is not about one file does not work: nothing is tracked until it does. */
	fail(error: unknown): void {
		if (this.#stopped || this.#failure) return;
		this.#setFailure({message: errorLine(error), gone: false, retryAt: Date.now() + this.#options.times.retry});
	}

	get state(): 'scanning' | 'watching' | 'failed' {
		if (this.#failure) return 'failed';
		return this.isDone ? 'watching' : 'scanning';
	}

	get message(): string | undefined {
		if (this.#failure) return this.#failure.message;
		return this.#watching ? undefined : `too many folders to watch: looked at again every ${this.#unwatchedSeconds} s`;
	}

	/** Whether the catalog says what the folder holds, but for files that are being written to. */
	get isDone(): boolean {
		if (this.#failure) return true;
		return this.#scanned && !this.#wantScan && this.#walk.isDone && !this.#files.isBusy;
	}

	get totals(): {files: number; bytes: number; hashed: number} {
		return this.#files.totals(this.root);
	}

	get #unwatchedSeconds(): number {
		return Math.round(this.#options.times.rescanUnwatched / 1000);
	}

	async #run(): Promise<void> {
		while (!this.#stopped) {
			try {
				await this.#turn();
			} catch (error) {
				// What fails while all has failed already waits for the next try.
				if (this.#failure) await this.#sleep();
				else this.fail(error);
			}
			this.#options.onActivity();
		}
	}

	async #turn(): Promise<void> {
		if (this.#failure) {
			if (this.#failure.gone) await this.#files.folderGone('', this.root);
			return this.#sleep();
		}
		const dirty = this.#dirty.take();
		if (dirty === 'too-many') this.#wantScan = true;
		else for (const {rel, names} of dirty ?? []) await this.#walk.look(rel, names);
		if (this.#wantScan) {
			this.#wantScan = this.#scanned = false;
			this.#lastScan = Date.now();
			this.#walk.restart(this.#identity);
		}
		if (this.#walk.isDone) {
			if (!this.#scanned) this.#scanEnded();
		} else if (this.#files.pending < pendingLimit) return this.#walk.step(() => this.#stopped);
		if (!dirty) await this.#sleep();
	}

	/** Until there is something to do. */
	async #sleep(): Promise<void> {
		const woken = Promise.withResolvers<void>();
		this.#wake = woken.resolve;
		this.#options.onActivity();
		await woken.promise;
		this.#wake = undefined;
	}

	#scanEnded(): void {
		this.#scanned = true;
		this.#skips.finish(this.name);
		if (this.totals.files === 0) this.#options.log('info', `Share ${this.name} (${this.folder}) holds no files`);
	}

	#setFailure(failure: {message: string; gone: boolean; retryAt: number}): void {
		this.#failure = failure;
		this.#options.log('error', `Share ${this.name}: ${failure.message}`);
		this.#watcher.close();
		this.#walk.restart(undefined);
		this.#files.stop();
		this.#options.onActivity();
		this.#wake?.();
	}

	/** Whether the folder is there, and still the same one; whether it is time to look at everything again. */
	async #checkRoot(): Promise<void> {
		const found = await checkShareFolder(this.folder).catch((error: unknown) => errorLine(error));
		if (this.#stopped) return;
		if (typeof found === 'string') {
			if (!this.#failure?.gone) this.#setFailure({message: found, gone: true, retryAt: 0});
			return;
		}
		if (this.#failure ? Date.now() >= this.#failure.retryAt : found.identity !== this.#identity) {
			if (this.#failure) this.#options.log('info', `Share ${this.name} is looked at again: ${this.folder}`);
			this.#failure = undefined;
			this.#identity = found.identity;
			this.#watcher.close();
			this.#watcher = this.#newWatcher();
			this.#watching = true;
			return this.rescan();
		}
		const {rescanWatched, rescanUnwatched} = this.#options.times;
		const every = this.#watching ? rescanWatched : rescanUnwatched;
		if (this.#scanned && Date.now() - this.#lastScan >= every) this.rescan();
	}

	#newWatcher(): FolderWatcher {
		const onLimit = () => {
			this.#watching = false;
			const hint = process.platform === 'linux' ? ' (raise fs.inotify.max_user_watches)' : '';
			this.#options.log(
				'warn',
				`Share ${this.name}: the system cannot watch that many folders${hint}, so changes are looked for every ${this.#unwatchedSeconds} s`,
			);
		};
		const onEvent = (rel: string, name: string | undefined) => this.#dirty.add(rel, name);
		return new FolderWatcher(this.folder, {onEvent, onLimit}, this.#options.watch);
	}
}
