/** More events than this in one go are cheaper looked at by a scan; the system's own queue may have overflowed, too. */
const eventLimit = 4000;
/** Milliseconds that a scan waits for such a storm to end. */
const stormLimit = 5000;

/** A folder of a share with those of its entries that something happened to; undefined: it is not known which. */
export type DirtyFolder = {rel: string; names: Set<string> | undefined};

/** Gathers what the watcher tells, so that a file that is written to is looked at a few times a second at most. */
export class DirtyEntries {
	readonly #gather: number;
	readonly #onReady: () => void;
	#folders = new Map<string, Set<string> | undefined>();
	#events = 0;
	#eventsBefore = 0;
	#since = 0;
	#timer: NodeJS.Timeout | undefined;
	#ready = false;
	#stopped = false;

	/** @param gather milliseconds to gather for @param onReady called when {@link take} has something */
	constructor(gather: number, onReady: () => void) {
		this.#gather = gather;
		this.#onReady = onReady;
	}

	add(rel: string, name: string | undefined): void {
		if (this.#stopped) return;
		if (this.#events === 0) this.#since = Date.now();
		if (this.#events++ < eventLimit) {
			const names = this.#folders.get(rel);
			if (name === undefined) this.#folders.set(rel, undefined);
			else if (names) names.add(name);
			else if (!this.#folders.has(rel)) this.#folders.set(rel, new Set([name]));
		}
		this.#timer ??= setTimeout(() => this.#fire(), this.#gather);
	}

	/** What was gathered, once; `too-many` when only a scan will do. */
	take(): DirtyFolder[] | 'too-many' | undefined {
		if (!this.#ready) return undefined;
		const folders = this.#events > eventLimit ? 'too-many' : [...this.#folders].map(([rel, names]) => ({rel, names}));
		this.#folders = new Map();
		this.#events = this.#eventsBefore = 0;
		this.#ready = false;
		return folders;
	}

	stop(): void {
		this.#stopped = true;
		clearTimeout(this.#timer);
	}

	#fire(): void {
		this.#timer = undefined;
		const storm = this.#events > eventLimit && this.#events !== this.#eventsBefore;
		this.#eventsBefore = this.#events;
		if (storm && Date.now() - this.#since < stormLimit) {
			this.#timer = setTimeout(() => this.#fire(), this.#gather);
			return;
		}
		this.#ready = true;
		this.#onReady();
	}
}
