/** What {@link Presence} tells, and how long it waits. Milliseconds. */
export type PresenceOptions = {
	/** How long a registration stands without being renewed. */
	lease: number;
	/** How long a lost peer has to come back before others are told. */
	grace: number;
	/** Writes down whether a peer is there. */
	setOnline(id: string, online: boolean): Promise<void>;
	/** A peer came, or went, for all that others need to know. */
	changed(id: string, online: boolean): void;
	failed(error: unknown): void;
};

type Here = {streams: Set<() => void>; renewed: number};

/**
 * Who is there: a peer is online while it holds an event stream open and renews its lease. A connection that closes
 * ends it at once, a dead one (pulled cable) when the lease lapses. What others hear is calmer: who is back within the
 * grace time never left.
 */
export class Presence {
	readonly #options: PresenceOptions;
	readonly #here = new Map<string, Here>();
	readonly #told = new Set<string>();
	readonly #leaving = new Map<string, NodeJS.Timeout>();
	readonly #sweep: NodeJS.Timeout;
	#isClosed = false;
	/** One write at a time and in order, so that the last word is the newest. */
	#writes: Promise<void> = Promise.resolve();

	constructor(options: PresenceOptions) {
		this.#options = options;
		this.#sweep = setInterval(() => this.#endLapsed(), Math.min(1000, options.lease / 4));
		this.#sweep.unref();
	}

	/** A peer opened an event stream; `end` closes it. Resolves when its files are found. Returns what to call at its close. */
	async opened(id: string, end: () => void): Promise<() => void> {
		const here = this.#here.get(id) ?? {streams: new Set(), renewed: Date.now()};
		here.renewed = Date.now();
		here.streams.add(end);
		this.#here.set(id, here);
		try {
			if (here.streams.size === 1) await this.#write(id, true);
		} catch (error) {
			here.streams.delete(end);
			if (here.streams.size === 0) this.#here.delete(id);
			throw error;
		}
		return () => {
			if (!here.streams.delete(end) || here.streams.size > 0 || this.#here.get(id) !== here) return;
			this.#here.delete(id);
			this.#write(id, false).catch(this.#options.failed);
		};
	}

	/** A peer renewed its registration. */
	renewed(id: string): void {
		const here = this.#here.get(id);
		if (here) here.renewed = Date.now();
	}

	/** Whether a peer is there. */
	isHere(id: string): boolean {
		return this.#here.has(id);
	}

	/** Ends all of a peer's streams, as it leaves for good; nothing is told of it. */
	async drop(id: string): Promise<void> {
		const here = this.#here.get(id);
		this.#here.delete(id);
		clearTimeout(this.#leaving.get(id));
		this.#leaving.delete(id);
		this.#told.delete(id);
		for (const end of here?.streams ?? []) end();
		if (here) await this.#write(id, false);
	}

	/** Tells nothing more; resolves when all is written. Connections that close after it are of peers that a stop cut off. */
	async close(): Promise<void> {
		this.#isClosed = true;
		clearInterval(this.#sweep);
		for (const timer of this.#leaving.values()) clearTimeout(timer);
		await this.#writes;
	}

	#write(id: string, online: boolean): Promise<void> {
		if (this.#isClosed) return this.#writes;
		const write = this.#writes.then(async () => {
			await this.#options.setOnline(id, online);
			if (online) this.#came(id);
			else this.#went(id);
		});
		this.#writes = write.catch(() => undefined);
		return write;
	}

	#came(id: string): void {
		clearTimeout(this.#leaving.get(id));
		this.#leaving.delete(id);
		if (this.#told.has(id)) return;
		this.#told.add(id);
		this.#options.changed(id, true);
	}

	#went(id: string): void {
		if (!this.#told.has(id) || this.#leaving.has(id)) return;
		const tell = () => {
			this.#leaving.delete(id);
			this.#told.delete(id);
			this.#options.changed(id, false);
		};
		const timer = setTimeout(tell, this.#options.grace);
		timer.unref();
		this.#leaving.set(id, timer);
	}

	#endLapsed(): void {
		const border = Date.now() - this.#options.lease;
		for (const here of this.#here.values()) if (here.renewed < border) for (const end of [...here.streams]) end();
	}
}
