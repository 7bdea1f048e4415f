import type {LogLevel} from '../core/events.ts';

const toldPerScan = 20;

/** Tells what is left out of a share, without flooding the log: the first lines of a scan, then how many more. */
export class SkipLog {
	readonly #log: (level: LogLevel, message: string) => void;
	#told = 0;

	constructor(log: (level: LogLevel, message: string) => void) {
		this.#log = log;
	}

	skip(message: string): void {
		if (this.#told++ < toldPerScan) this.#log('warn', message);
	}

	/** At the end of a scan. */
	finish(share: string): void {
		if (this.#told > toldPerScan)
			this.#log('warn', `${this.#told - toldPerScan} more entries of ${share} are not shared`);
		this.#told = 0;
	}
}
