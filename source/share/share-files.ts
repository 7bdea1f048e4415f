import {setImmediate as nextTurn} from 'node:timers/promises';
import {displayText} from '../core/display.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import {pathIn} from '../core/share-path.ts';
import type {CatalogWriter, KnownFile} from './catalog.ts';
import type {HashedFile} from './hash-pool.ts';
import type {HashQueue, HashTask, HashTaskOwner} from './hash-queue.ts';
import {type PendingFile, PendingFiles} from './pending-files.ts';
import type {OnSkip, ScannedFile} from './scan.ts';
import {stampOf} from './stamp.ts';

/** Files removed between two turns of the event loop. */
const step = 100;

/** What {@link ShareFiles} needs. Times are milliseconds. */
export type ShareFilesOptions = {
	/** Absolute folder of the share. */
	root: string;
	onSkip: OnSkip;
	catalog: CatalogWriter;
	queue: HashQueue;
	/** A file is hashed when nothing was written to it for this long. */
	quiet: number;
	/** A file that is written to for longer than this is taken out of the catalog until it is quiet. */
	patience: number;
	/** Totals have changed. */
	onActivity: () => void;
	/** This file must be looked at again. */
	onStale: (rel: string) => void;
	/** The catalog failed while a hash was put in. */
	onFailure: (error: unknown) => void;
};

/** Decides for each file of one share: unchanged, known under another name, to be hashed, or gone. */
export class ShareFiles {
	readonly #options: ShareFilesOptions;
	readonly #catalog: CatalogWriter;
	readonly #pending: PendingFiles;
	// The queue gives back the tasks that it was given, and those are this share's pending files.
	readonly #owner: HashTaskOwner = {
		onProgress: (task, bytes) => {
			this.#pending.progress(task as PendingFile, bytes);
			this.#options.onActivity();
		},
		onHashed: (task, hashed) => this.#hashed(task as PendingFile, hashed),
		onFailed: (task, error) => this.#failed(task as PendingFile, error),
	};

	constructor(options: ShareFilesOptions) {
		this.#options = options;
		this.#catalog = options.catalog;
		this.#pending = new PendingFiles(options.queue);
	}

	/** Files that wait for their hash. */
	get pending(): number {
		return this.#pending.size;
	}

	/** Whether a file is on its way, but for those that are being written to for long. */
	get isBusy(): boolean {
		return this.#pending.isBusy(this.#options.patience);
	}

	/** Files and bytes found, and bytes whose content is known or being found out. */
	totals(root: number): {files: number; bytes: number; hashed: number} {
		const {files, bytes} = this.#catalog.sums(root);
		const pending = this.#pending.totals;
		const all = bytes + pending.growth;
		return {files: files + pending.newFiles, bytes: all, hashed: all - pending.bytes + pending.progress};
	}

	/**
	 * A file that is there.
	 *
	 * @param old its row in the catalog
	 * @param eventAt when something was last heard of it, in Unix milliseconds; 0: never
	 */
	found(folderRel: string, folder: number, found: ScannedFile, old: KnownFile | undefined, eventAt: number): void {
		const rel = pathIn(folderRel, found.name);
		const same = (other: {stamp: string; size: number} | undefined) =>
			other !== undefined && other.stamp === found.stamp && other.size === found.size;
		if (same(old)) {
			this.#pending.delete(rel);
			return;
		}
		const before = this.#pending.get(rel);
		// While it is being hashed, whatever happens to it shows in its stamp afterwards.
		const goesOn = before && !before.spent && (eventAt === 0 || !this.#pending.isWaiting(before));
		if (goesOn && same(before.found)) return;
		const content = this.#catalog.contentOf(found.stamp, found.size);
		if (content !== undefined) {
			this.#pending.delete(rel);
			this.#catalog.put({...found, folder, content});
			return;
		}
		const since = before?.since ?? Date.now();
		let row = old;
		if (row && Date.now() - since > this.#options.patience) {
			this.#catalog.removeFile(row.id);
			row = undefined;
		}
		this.#pending.add(this.#pendingFile({rel, folder, found, old: row, since}, eventAt));
	}

	/** A file that is not there any more. @param old its row, where it has one */
	gone(folderRel: string, name: string, old: KnownFile | undefined): void {
		this.#pending.delete(pathIn(folderRel, name));
		if (old) this.#catalog.removeFile(old.id);
	}

	/** A folder that is not there any more. */
	async folderGone(rel: string, folder: number): Promise<void> {
		this.#pending.deleteBelow(rel);
		while (!this.#catalog.removeTree(folder, step)) await nextTurn();
	}

	/** Drops what is not hashed yet. */
	stop(): void {
		this.#pending.deleteBelow('');
	}

	#pendingFile(file: Omit<PendingFile, keyof HashTask | 'progress' | 'spent'>, eventAt: number): PendingFile {
		const {found, rel} = file;
		// A time in the future says nothing about when it was written.
		const written = Math.max(eventAt, found.mtime > Date.now() ? 0 : found.mtime);
		return {
			...file,
			file: `${this.#options.root}/${rel}`,
			size: found.size,
			dueAt: written + this.#options.quiet,
			owner: this.#owner,
			progress: 0,
			spent: false,
		};
	}

	#hashed(pending: PendingFile, hashed: HashedFile): void {
		if (!this.#pending.has(pending)) return;
		const {rel, folder, found} = pending;
		// Another file of that size has taken its place since it was seen.
		if (stampOf(hashed) !== found.stamp) {
			this.#again(pending);
			return;
		}
		this.#pending.delete(rel);
		this.#store(() => this.#catalog.put({...found, folder, content: hashed.content, layer: hashed.pieceLayer}));
	}

	#failed(pending: PendingFile, error: unknown): void {
		if (!this.#pending.has(pending)) return;
		const code = error instanceof P2pError ? error.code : undefined;
		if (code === 'changed' || code === 'not-found') {
			this.#again(pending);
			return;
		}
		this.#pending.delete(pending.rel);
		this.#store(() => pending.old && this.#catalog.removeFile(pending.old.id));
		this.#options.onSkip(`Not shared. ${displayText(errorLine(error))}`);
	}

	#again(pending: PendingFile): void {
		pending.spent = true;
		this.#pending.progress(pending, 0);
		this.#options.onStale(pending.rel);
	}

	#store(work: () => void): void {
		try {
			work();
		} catch (error) {
			this.#options.onFailure(error);
		}
		this.#options.onActivity();
	}
}
