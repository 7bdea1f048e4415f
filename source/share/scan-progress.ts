import type {ScanTotals} from './shares.ts';

const every = 100;

/** Samples how far the scan is, ten times a second while it goes on; the last sample of each scan says that it is done. */
export class ScanProgress {
	readonly #sample: () => ScanTotals;
	readonly #tell: (totals: ScanTotals) => void;
	#told: ScanTotals | undefined;
	#timer: NodeJS.Timeout | undefined;
	#waiting: (() => void)[] = [];
	#stopped = false;

	constructor(sample: () => ScanTotals, tell: (totals: ScanTotals) => void) {
		this.#sample = sample;
		this.#tell = tell;
	}

	/** Something may have changed. */
	activity(): void {
		if (!this.#stopped) this.#timer ??= setTimeout(() => this.#look(), every);
	}

	/** Resolves when a scan is done, or when there will be none any more. */
	settled(): Promise<void> {
		if (this.#stopped || (this.#timer === undefined && this.#told?.done)) return Promise.resolve();
		const {promise, resolve} = Promise.withResolvers<void>();
		this.#waiting.push(resolve);
		this.activity();
		return promise;
	}

	stop(): void {
		this.#stopped = true;
		clearTimeout(this.#timer);
		for (const resolve of this.#waiting.splice(0)) resolve();
	}

	#look(): void {
		this.#timer = undefined;
		const totals = this.#sample();
		const {files, bytes, hashed, done} = totals;
		const told = this.#told;
		if (!told || told.files !== files || told.bytes !== bytes || told.hashed !== hashed || told.done !== done) {
			this.#told = totals;
			this.#tell(totals);
		}
		if (!done) this.activity();
		else for (const resolve of this.#waiting.splice(0)) resolve();
	}
}
