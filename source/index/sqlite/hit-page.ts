/** A hit on a page that is being put together, with what it is ranked by. `from`, `to`: where its JSON lies. */
export type Found = {rank: number; id: number; sources: number; from: number; to: number};

const start = '{"hits":[';
/** Bytes at first, and bytes above which the room is given back after a page. */
const firstSize = 64 * 1024;
const largest = 1024 * 1024;

/** Room in which the hits of one page are written as they are found; they are put in order at the end. */
export class HitPage {
	#bytes = Buffer.allocUnsafeSlow(firstSize);
	#end = 0;

	/** Begins a new page. */
	clear(): void {
		this.#end = 0;
		if (this.#bytes.length > largest) this.#bytes = Buffer.allocUnsafeSlow(firstSize);
	}

	get bytes(): Buffer {
		return this.#bytes;
	}

	get end(): number {
		return this.#end;
	}

	/** Makes sure of so many bytes more; what is written there by others is taken in by {@link skip}. */
	reserve(more: number): Buffer {
		if (this.#end + more > this.#bytes.length) {
			const larger = Buffer.allocUnsafeSlow(2 * (this.#end + more));
			this.#bytes.copy(larger, 0, 0, this.#end);
			this.#bytes = larger;
		}
		return this.#bytes;
	}

	/** Takes in bytes that were written at the end. */
	skip(length: number): void {
		this.#end += length;
	}

	/** Writes a text at the end. */
	write(text: string): void {
		this.#end += this.reserve(3 * text.length).write(text, this.#end);
	}

	/** The page as the JSON of a SearchResponse, in memory of its own; `rest`: what comes after the hits. */
	take(found: Found[], rest: string): Buffer {
		const end = `]${rest}}`;
		let size = start.length + end.length + Math.max(0, found.length - 1);
		for (const {from, to} of found) size += to - from;
		const page = Buffer.allocUnsafeSlow(size);
		let at = page.write(start, 0, 'latin1');
		for (let index = 0; index < found.length; index++) {
			const {from, to} = found[index] as Found;
			if (index > 0) page[at++] = 0x2c;
			at += this.#bytes.copy(page, at, from, to);
		}
		page.write(end, at, 'latin1');
		return page;
	}
}
