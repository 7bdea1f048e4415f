import {setTimeout as sleep} from 'node:timers/promises';

/** Work in the background that is done again and again, with a pause between, until it is stopped. */
export class Rounds {
	readonly #pause: number;
	readonly #round: () => Promise<void>;
	readonly #failed: (error: unknown) => void;
	readonly #stop = new AbortController();
	#running: Promise<void> | undefined;

	/**
	 * @param pause milliseconds between two rounds
	 * @param round ends early when the signal says so
	 * @param failed told of a round that failed, not of one that was stopped; the next one comes all the same
	 */
	constructor(pause: number, round: () => Promise<void>, failed: (error: unknown) => void) {
		this.#pause = pause;
		this.#round = round;
		this.#failed = failed;
	}

	/** Aborted when it is stopped. */
	get signal(): AbortSignal {
		return this.#stop.signal;
	}

	start(): void {
		this.#running ??= this.#run();
	}

	/** Resolves when the round under way has ended. */
	async stop(): Promise<void> {
		this.#stop.abort();
		await this.#running;
	}

	async #run(): Promise<void> {
		const {signal} = this.#stop;
		while (!signal.aborted) {
			try {
				await this.#round();
			} catch (error) {
				if (!signal.aborted) this.#failed(error);
			}
			await sleep(this.#pause, undefined, {signal}).catch(() => undefined);
		}
	}
}
