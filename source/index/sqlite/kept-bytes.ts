/**
 * Remembers pieces of bytes in one block of memory, of which the newest overwrite the oldest: ten thousand answers kept one
 * by one would each be an object for the garbage collector.
 */
export class KeptBytes {
	readonly #block: Buffer;
	/** Bytes that were ever kept, gaps included: the place of the next piece. */
	#end = 0;

	/** @param size of the block; what of it was never written takes no memory */
	constructor(size: number) {
		this.#block = Buffer.allocUnsafeSlow(size);
	}

	/** Keeps a copy of a part of `bytes`; returns its place, undefined where it is too large to keep. */
	keep(bytes: Buffer, from: number, to: number): number | undefined {
		const size = this.#block.length;
		if (to - from > size / 64) return undefined;
		// A piece lies in one: what is left at the end of the block stays empty.
		const rest = size - (this.#end % size);
		if (rest < to - from) this.#end += rest;
		const place = this.#end;
		bytes.copy(this.#block, place % size, from, to);
		this.#end = place + to - from;
		return place;
	}

	/** Copies what was kept to `at` in `target`; returns whether it was still there. */
	copy(place: number, length: number, target: Buffer, at: number): boolean {
		const size = this.#block.length;
		if (place < this.#end - size) return false;
		this.#block.copy(target, at, place % size, (place % size) + length);
		return true;
	}
}
