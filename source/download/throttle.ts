/** Does something at once, and then at most once in so many milliseconds, however often it is asked for. */
export class Throttle {
	readonly #milliseconds: number;
	readonly #work: () => void;
	#timer: NodeJS.Timeout | undefined;
	#again = false;

	constructor(milliseconds: number, work: () => void) {
		this.#milliseconds = milliseconds;
		this.#work = work;
	}

	/** Asks for it. */
	ask(): void {
		if (this.#timer) {
			this.#again = true;
			return;
		}
		this.#again = false;
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			if (this.#again) this.ask();
		}, this.#milliseconds);
		this.#work();
	}

	/** Forgets what was asked for. */
	stop(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#again = false;
	}
}
