/**
 * Remembers the shares of contents in blocks of numbers, of which the newest overwrite the oldest: as lists of their own
 * they would be most of what the garbage collector moves about.
 */
export class KeptShares {
	/** By the place in the blocks: the peer, its folder, and seconds since that was made. */
	readonly peers: Uint32Array;
	readonly folders: Uint32Array;
	readonly times: Float64Array;
	/** Shares that were ever kept, gaps included. */
	#end = 0;

	/** @param most shares; what of the room was never written takes no memory */
	constructor(most: number) {
		this.peers = new Uint32Array(most);
		this.folders = new Uint32Array(most);
		this.times = new Float64Array(most);
	}

	/**
	 * Makes room for so many shares, which lie side by side and are the caller's to write.
	 *
	 * @param count far fewer than are kept
	 * @returns `from`: where the first one lies; `until`: what {@link has} is asked with
	 */
	reserve(count: number): {from: number; until: number} {
		const most = this.peers.length;
		// What is left at the end of the blocks stays empty.
		const rest = most - (this.#end % most);
		if (rest < count) this.#end += rest;
		const from = this.#end % most;
		const until = this.#end + most;
		this.#end += count;
		return {from, until};
	}

	/** Whether what was kept is still there. */
	has(until: number): boolean {
		return this.#end <= until;
	}
}
