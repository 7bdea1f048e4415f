// Who is online, in memory that the threads of one store share: a bit per peer, and per content how many shares of
// online peers it has. Searches pass over the rest without asking the database.

/** The two pieces of memory, as they go to a worker. */
export type PresenceMemory = {peers: SharedArrayBuffer; files: SharedArrayBuffer};

/** Highest numbers of peers and contents. Only what is used takes memory. */
const mostPeers = 16 * 1024 * 1024;
const mostFiles = 256 * 1024 * 1024;

/** Fresh memory, with nobody online. */
export function createPresenceMemory(): PresenceMemory {
	return {
		peers: new SharedArrayBuffer(1024, {maxByteLength: mostPeers}),
		files: new SharedArrayBuffer(64 * 1024, {maxByteLength: 2 * mostFiles}),
	};
}

/** One thread's view of it. */
export class SharedPresence {
	readonly #memory: PresenceMemory;
	readonly #peers: Uint8Array<SharedArrayBuffer>;
	readonly #files: Uint16Array<SharedArrayBuffer>;

	constructor(memory: PresenceMemory) {
		this.#memory = memory;
		this.#peers = new Uint8Array(memory.peers);
		this.#files = new Uint16Array(memory.files);
	}

	/** Whether the peer of that number is online. */
	isOnline(peer: number): boolean {
		return this.#peers[peer] === 1;
	}

	setOnline(peer: number, online: boolean): void {
		grow(this.#memory.peers, peer + 1);
		this.#peers[peer] = online ? 1 : 0;
	}

	/** How many shares of online peers a content has; stays at 65,535 once it was reached. */
	shares(file: number): number {
		return this.#files[file] ?? 0;
	}

	/** Counts shares of online peers that came or went. */
	count(file: number, change: number): void {
		if (change > 0) grow(this.#memory.files, 2 * (file + 1));
		const now = this.#files[file] ?? 0;
		if (now !== 0xffff) this.#files[file] = Math.max(0, Math.min(0xffff, now + change));
	}
}

function grow(memory: SharedArrayBuffer, bytes: number): void {
	if (bytes <= memory.byteLength) return;
	memory.grow(Math.min(memory.maxByteLength, 4096 * Math.ceil((bytes * 1.25) / 4096)));
}
