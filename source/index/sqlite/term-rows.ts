// Rows of the full-text table that have a term, in memory: going through two lists side by side costs FTS5 a step for each
// row that it passes over, so that a rare word beside one that millions of names have costs as much as the latter.
import {idSpace} from './fts-text.ts';

/** Looks contents up that are asked for in the order of their rows. `at`: their class of popularity in the row ID. */
export type RowCursor = {has(at: number, id: number): boolean};

/** Rows of a term. `asOf`: the transaction that they are no older than; contents that were written later may differ. */
export type TermRows = {
	readonly asOf: number;
	readonly count: number;
	/** A cursor of its own for each search. */
	cursor(): RowCursor;
};

/** A list as it goes from thread to thread: memory that they share. `starts`: undefined where there is a bit for each content. */
export type SharedRows = {asOf: number; count: number; words: Uint32Array; starts: Uint32Array | undefined};

/** Classes of popularity in row IDs, and one more for where the last ends. */
const classes = 42;
/** Rows, as a share of all contents, from which a bit for each content takes less room than four bytes for each row. */
const denseShare = 1 / 32;
/** Rows up to which they are kept in their order all the same: only what is in order can be gone through. */
const alwaysOrdered = 128 * 1024;

/** Gathers the rows of a term, which come in ascending order. */
export class TermRowsBuilder {
	readonly #asOf: number;
	readonly #highest: number;
	readonly #ordered: number;
	#ids = new Uint32Array(1024);
	#bits: Uint32Array | undefined;
	readonly #starts = new Uint32Array(classes);
	#class = 0;
	#count = 0;

	/**
	 * @param highest ID of a content when the first rows were read
	 * @param ordered rows up to which they are kept in their order in any case
	 */
	constructor(asOf: number, highest: number, ordered = alwaysOrdered) {
		this.#asOf = asOf;
		this.#highest = highest;
		this.#ordered = Math.max(ordered, highest * denseShare);
	}

	get count(): number {
		return this.#count;
	}

	/** Takes in the next row. */
	add(row: number): void {
		const at = Math.floor(row / idSpace);
		const id = row - at * idSpace;
		if (this.#bits) this.#set(id);
		else {
			while (this.#class < at) this.#starts[++this.#class] = this.#count;
			if (this.#count === this.#ids.length) this.#grow();
			this.#ids[this.#count] = id;
		}
		this.#count++;
		if (!this.#bits && this.#count > this.#ordered) this.#toBits();
	}

	/** What was gathered, in memory that threads share. */
	build(): SharedRows {
		const [asOf, count] = [this.#asOf, this.#count];
		if (this.#bits) return {asOf, count, words: shared(this.#bits), starts: undefined};
		while (this.#class < classes - 1) this.#starts[++this.#class] = count;
		return {asOf, count, words: shared(this.#ids.subarray(0, count)), starts: this.#starts};
	}

	#grow(): void {
		const larger = new Uint32Array(this.#ids.length * 2);
		larger.set(this.#ids);
		this.#ids = larger;
	}

	#toBits(): void {
		this.#bits = new Uint32Array((this.#highest >>> 5) + 1);
		for (let index = 0; index < this.#count; index++) this.#set(this.#ids[index] as number);
		this.#ids = new Uint32Array(0);
	}

	/** What came after the first rows were read is not for this list: it was written later. */
	#set(id: number): void {
		const bits = this.#bits as Uint32Array;
		if (id >>> 5 < bits.length) bits[id >>> 5] = (bits[id >>> 5] as number) | (1 << (id & 31));
	}
}

/** A list that was gathered, here or in another thread. */
export function termRows({asOf, count, words, starts}: SharedRows): DenseRows | OrderedRows {
	return starts ? new OrderedRows(asOf, words, starts) : new DenseRows(asOf, count, words);
}

/** A bit for each content. */
export class DenseRows implements TermRows {
	readonly asOf: number;
	readonly count: number;
	readonly #bits: Uint32Array;

	constructor(asOf: number, count: number, bits: Uint32Array) {
		this.asOf = asOf;
		this.count = count;
		this.#bits = bits;
	}

	cursor(): RowCursor {
		return this;
	}

	has(_at: number, id: number): boolean {
		return (((this.#bits[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;
	}
}

/** Rows in their order. */
export class OrderedRows implements TermRows {
	readonly asOf: number;
	readonly #ids: Uint32Array;
	/** Where the rows of each class begin. */
	readonly #starts: Uint32Array;

	constructor(asOf: number, ids: Uint32Array, starts: Uint32Array) {
		this.asOf = asOf;
		this.#ids = ids;
		this.#starts = starts;
	}

	get count(): number {
		return this.#ids.length;
	}

	/** Tells the rows after one, until it is told to stop. */
	each(after: number, tell: (at: number, id: number) => boolean): void {
		const first = after < 0 ? 0 : Math.floor(after / idSpace);
		for (let at = first; at < classes - 1; at++) {
			const end = this.#starts[at + 1] as number;
			let index = this.#starts[at] as number;
			if (at === first && after >= 0) index = firstFrom(this.#ids, after - at * idSpace + 1, index, end);
			for (; index < end; index++) if (!tell(at, this.#ids[index] as number)) return;
		}
	}

	cursor(): RowCursor {
		return new OrderedCursor(this.#ids, this.#starts);
	}
}

class OrderedCursor implements RowCursor {
	readonly #ids: Uint32Array;
	readonly #starts: Uint32Array;
	#at = -1;
	#place = 0;
	#end = 0;

	constructor(ids: Uint32Array, starts: Uint32Array) {
		this.#ids = ids;
		this.#starts = starts;
	}

	has(at: number, id: number): boolean {
		const ids = this.#ids;
		if (at !== this.#at) {
			this.#at = at;
			this.#place = this.#starts[at] as number;
			this.#end = this.#starts[at + 1] as number;
		}
		const end = this.#end;
		let place = this.#place;
		// From where the last one was, in steps that grow, as most are not far.
		let step = 1;
		while (place + step < end && (ids[place + step] as number) <= id) {
			place += step;
			step *= 2;
		}
		if (place < end && (ids[place] as number) < id) place = firstFrom(ids, id, place + 1, Math.min(end, place + step));
		this.#place = place;
		return place < end && ids[place] === id;
	}
}

/** The few rows of a rare term, as they are in the state of the database that is being read. */
export class LiveRows implements TermRows {
	readonly asOf = Number.POSITIVE_INFINITY;
	readonly #rows: number[];

	constructor(rows: number[]) {
		this.#rows = rows;
	}

	get count(): number {
		return this.#rows.length;
	}

	/** Tells the rows after one, until it is told to stop. */
	each(after: number, tell: (at: number, id: number) => boolean): void {
		for (const row of this.#rows) {
			if (row <= after) continue;
			const at = Math.floor(row / idSpace);
			if (!tell(at, row - at * idSpace)) return;
		}
	}

	cursor(): RowCursor {
		const rows = this.#rows;
		let place = 0;
		return {
			has: (at, id) => {
				const row = at * idSpace + id;
				while (place < rows.length && (rows[place] as number) < row) place++;
				return rows[place] === row;
			},
		};
	}
}

/** The first place from `low` on, before `high`, with that ID or a higher one; `high` where there is none. */
function firstFrom(ids: Uint32Array, id: number, low: number, high: number): number {
	let [from, to] = [low, high];
	while (from < to) {
		const middle = (from + to) >>> 1;
		if ((ids[middle] as number) < id) from = middle + 1;
		else to = middle;
	}
	return from;
}

function shared(words: Uint32Array): Uint32Array {
	const copy = new Uint32Array(new SharedArrayBuffer(words.byteLength));
	copy.set(words);
	return copy;
}
