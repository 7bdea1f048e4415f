// Who is online, in memory that the threads of one store share: a byte per peer, and per content how many shares of
// online peers it has. Searches pass over the rest without asking the database. Beside it, when each content was last
// written, so that readers know which of the contents that they remember are still so, and about how large it is.

/** The pieces of memory, as they go to a worker. */
export type PresenceMemory = {
	peers: SharedArrayBuffer;
	files: SharedArrayBuffer;
	written: SharedArrayBuffer;
	folders: SharedArrayBuffer;
	sizes: SharedArrayBuffer;
	clocks: SharedArrayBuffer;
};

/** Highest numbers of peers, contents and folders. Only what is used takes memory. */
const mostPeers = 16 * 1024 * 1024;
const mostFiles = 256 * 1024 * 1024;
const mostFolders = 256 * 1024 * 1024;

/** Fresh memory, with nobody online. */
export function createPresenceMemory(): PresenceMemory {
	return {
		peers: new SharedArrayBuffer(1024, {maxByteLength: mostPeers}),
		files: new SharedArrayBuffer(64 * 1024, {maxByteLength: 2 * mostFiles}),
		written: new SharedArrayBuffer(64 * 1024, {maxByteLength: 4 * mostFiles}),
		folders: new SharedArrayBuffer(64 * 1024, {maxByteLength: 4 * mostFolders}),
		sizes: new SharedArrayBuffer(64 * 1024, {maxByteLength: mostFiles}),
		clocks: new SharedArrayBuffer(12),
	};
}

/** One thread's view of it. */
export class SharedPresence {
	readonly #memory: PresenceMemory;
	readonly #peers: Uint8Array<SharedArrayBuffer>;
	readonly #files: Uint16Array<SharedArrayBuffer>;
	readonly #written: Uint32Array<SharedArrayBuffer>;
	/** The peer of each folder. */
	readonly #folders: Uint32Array<SharedArrayBuffer>;
	/** The class of each content's size, and one; 0: not known here. */
	readonly #sizes: Uint8Array<SharedArrayBuffer>;
	/** How many transactions changed contents, how often peers' names or addresses changed, and how often who is online. */
	readonly #clocks: Uint32Array<SharedArrayBuffer>;

	constructor(memory: PresenceMemory) {
		this.#memory = memory;
		this.#peers = new Uint8Array(memory.peers);
		this.#files = new Uint16Array(memory.files);
		this.#written = new Uint32Array(memory.written);
		this.#folders = new Uint32Array(memory.folders);
		this.#sizes = new Uint8Array(memory.sizes);
		this.#clocks = new Uint32Array(memory.clocks);
	}

	/** Whether the peer of that number is online. */
	isOnline(peer: number): boolean {
		return this.#peers[peer] === 1;
	}

	setOnline(peer: number, online: boolean): void {
		grow(this.#memory.peers, peer + 1);
		this.#peers[peer] = online ? 1 : 0;
		this.onlineChanged();
	}

	/** The number of the peer that a folder is of. */
	peerOf(folder: number): number {
		return this.#folders[folder] ?? 0;
	}

	/** Tells whose a folder is, before anybody can see it. IDs of folders are never given again. */
	setPeerOf(folder: number, peer: number): void {
		grow(this.#memory.folders, 4 * (folder + 1));
		this.#folders[folder] = peer;
	}

	/** The class of a content's size, which never changes; undefined: not known here. */
	sizeClassOf(file: number): number | undefined {
		const known = this.#sizes[file] ?? 0;
		return known === 0 ? undefined : known - 1;
	}

	/** Tells the class of a content's size. */
	setSizeClass(file: number, sizeClass: number): void {
		if (file >= this.#sizes.length) grow(this.#memory.sizes, file + 1);
		this.#sizes[file] = sizeClass + 1;
	}

	/** How many shares of online peers a content has; stays at 65,535 once it was reached. */
	shares(file: number): number {
		return this.#files[file] ?? 0;
	}

	/**
	 * The transaction that was the last to be whole. What is read from the database after this call is at least as new:
	 * it stays true for as long as {@link writtenAt} of its content is not later.
	 */
	get transaction(): number {
		return Atomics.load(this.#clocks, 0);
	}

	/** The transaction that last changed a content. */
	writtenAt(file: number): number {
		return this.#written[file] ?? 0;
	}

	/** Marks contents as changed by a transaction that stands. */
	wrote(files: Iterable<number>): void {
		const now = this.transaction + 1;
		for (const file of files) {
			grow(this.#memory.written, 4 * (file + 1));
			this.#written[file] = now;
		}
		Atomics.store(this.#clocks, 0, now);
	}

	/** Grows with each change of a peer's name or address. */
	get peersClock(): number {
		return Atomics.load(this.#clocks, 1);
	}

	/** A peer's name or address changed. */
	peerChanged(): void {
		Atomics.add(this.#clocks, 1, 1);
	}

	/** Grows with each change of who is online, and after the counts of contents followed. */
	get onlineClock(): number {
		return Atomics.load(this.#clocks, 2);
	}

	/** Who is online changed, or how many shares they have. */
	onlineChanged(): void {
		Atomics.add(this.#clocks, 2, 1);
	}

	/** Differs whenever an answer that was made before may differ: every clock only grows. */
	get clock(): number {
		return this.transaction + this.peersClock + this.onlineClock;
	}

	/** Counts shares of online peers that came or went. */
	count(file: number, change: number): void {
		if (change > 0) grow(this.#memory.files, 2 * (file + 1));
		const now = this.#files[file] ?? 0;
		if (now !== 0xffff) this.#files[file] = Math.max(0, Math.min(0xffff, now + change));
	}
}

function grow(memory: SharedArrayBuffer, bytes: number): void {
	while (bytes > memory.byteLength) {
		const larger = Math.min(memory.maxByteLength, 4096 * Math.ceil((bytes * 1.25) / 4096));
		try {
			memory.grow(larger);
		} catch (error) {
			// Unless another thread has made it larger still.
			if (bytes > memory.byteLength) throw error;
		}
	}
}
