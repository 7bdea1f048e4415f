import type {Worker} from 'node:worker_threads';
import {startWorker} from '../core/worker-url.ts';
import type {OnSkip, ScannedFile, ScannedFolder, ScanRules} from './scan.ts';
import type {ScanOutcome, ScanReply, ScanRequest} from './scan-messages.ts';

const idleMilliseconds = 10_000;

/** What is shared of a folder's own entries. */
export type FolderContents = {outcome: ScanOutcome; files: ScannedFile[]; folders: ScannedFolder[]};

type Pending = FolderContents & {onSkip: OnSkip; resolve: (contents: FolderContents) => void};

/** Reads folders for all shares in one worker thread, which is started when it is needed and ended when long idle. */
export class FolderReader {
	readonly #pending = new Map<number, Pending>();
	#worker: Worker | undefined;
	#ids = 0;
	#idle: NodeJS.Timeout | undefined;

	/** Reads one folder. Never rejects: see {@link ScanOutcome}. */
	read(rules: ScanRules, rel: string, onSkip: OnSkip): Promise<FolderContents> {
		clearTimeout(this.#idle);
		this.#worker ??= this.#start();
		const worker = this.#worker;
		if (this.#pending.size === 0) worker.ref();
		const id = ++this.#ids;
		return new Promise(resolve => {
			this.#pending.set(id, {outcome: 'unknown', files: [], folders: [], onSkip, resolve});
			worker.postMessage({id, rules, rel} satisfies ScanRequest);
		});
	}

	/** Ends the thread; what it was reading becomes `unknown`. */
	async close(): Promise<void> {
		clearTimeout(this.#idle);
		await this.#worker?.terminate();
	}

	#start(): Worker {
		const worker = startWorker('share/scan-worker', {
			name: 'scan',
			resourceLimits: {maxYoungGenerationSizeMb: 4},
		});
		worker.unref();
		worker.on('message', (reply: ScanReply) => this.#receive(reply));
		let failure = 'the reading thread ended';
		worker.on('error', error => {
			failure = String(error);
		});
		worker.on('exit', () => {
			// One that was idle has left its place already, and another may be at work in it.
			if (this.#worker !== worker) return;
			this.#worker = undefined;
			for (const {onSkip, resolve} of this.#pending.values()) {
				onSkip(`Cannot read a folder: ${failure}`);
				resolve({outcome: 'unknown', files: [], folders: []});
			}
			this.#pending.clear();
		});
		return worker;
	}

	#receive({id, files, folders, skipped, outcome}: ScanReply): void {
		const pending = this.#pending.get(id);
		if (!pending) return;
		for (const file of files) pending.files.push(file);
		for (const folder of folders) pending.folders.push(folder);
		for (const message of skipped) pending.onSkip(message);
		if (!outcome) return;
		this.#pending.delete(id);
		pending.resolve({outcome, files: pending.files, folders: pending.folders});
		if (this.#pending.size > 0) return;
		this.#worker?.unref();
		this.#idle = setTimeout(() => this.#endIdle(), idleMilliseconds).unref();
	}

	/** What comes from now on is for a new thread: to end this one takes some time. */
	#endIdle(): void {
		const worker = this.#worker;
		this.#worker = undefined;
		void worker?.terminate();
	}
}
