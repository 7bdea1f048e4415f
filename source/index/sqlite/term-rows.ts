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

/** Rows in their order, in memory that threads share: of each but the first of a block how far it is from the one before. */
type PackedRows = {
	/** Those distances as numbers of variable length (LEB128), block after block. */
	bytes: Uint8Array;
	/** Of each block its first content and where its distances begin. */
	blocks: Uint32Array;
	/** The first block of each class of popularity: none has rows of two. */
	starts: Uint32Array;
};
/** A list as it goes from thread to thread: packed, or with a bit for each content. */
export type SharedRows = {asOf: number; count: number; rows: PackedRows | Uint32Array};

/** Classes of popularity in row IDs, and one more for where the last ends. */
const classes = 42;
/** Rows of a block. */
const blockSize = 64;
/** Bytes that a distance takes at most. */
const longestDistance = 5;
/** Rows, as a share of all contents, from which a bit for each content takes no more room than a byte for each row. */
const denseShare = 1 / 8;
/** Rows up to which they are kept in their order all the same: only what is in order can be gone through. */
const alwaysOrdered = 128 * 1024;

/** Gathers the rows of a term, which come in ascending order. */
export class TermRowsBuilder {
	readonly #asOf: number;
	readonly #highest: number;
	readonly #ordered: number;
	#bytes = new Uint8Array(1024);
	#end = 0;
	#blocks = new Uint32Array(64);
	#blockCount = 0;
	/** Rows in the last block, and the last of them. */
	#inBlock = blockSize;
	#last = 0;
	readonly #starts = new Uint32Array(classes);
	#class = 0;
	#bits: Uint32Array | undefined;
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

	/** Takes in the next row. */
	add(row: number): void {
		const at = Math.floor(row / idSpace);
		const id = row - at * idSpace;
		this.#count++;
		if (this.#bits) {
			setBit(this.#bits, id);
			return;
		}
		if (at > this.#class || this.#inBlock === blockSize) this.#beginBlock(at, id);
		else this.#append(id - this.#last);
		this.#inBlock++;
		this.#last = id;
		if (this.#count > this.#ordered) this.#toBits();
	}

	/** What was gathered, in memory that threads share. */
	build(): SharedRows {
		const [asOf, count] = [this.#asOf, this.#count];
		return {asOf, count, rows: this.#bits ? shared(this.#bits) : this.#packed()};
	}

	#beginBlock(at: number, id: number): void {
		while (this.#class < at) this.#starts[++this.#class] = this.#blockCount;
		const place = 2 * this.#blockCount;
		if (place === this.#blocks.length) this.#blocks = doubled(this.#blocks, new Uint32Array(2 * place));
		this.#blocks[place] = id;
		this.#blocks[place + 1] = this.#end;
		this.#blockCount++;
		this.#inBlock = 0;
	}

	#append(distance: number): void {
		if (this.#end + longestDistance > this.#bytes.length)
			this.#bytes = doubled(this.#bytes, new Uint8Array(2 * this.#bytes.length));
		let rest = distance;
		for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#end++] = (rest & 0x7f) | 0x80;
		this.#bytes[this.#end++] = rest;
	}

	#packed(): PackedRows {
		while (this.#class < classes - 1) this.#starts[++this.#class] = this.#blockCount;
		const bytes = new Uint8Array(new SharedArrayBuffer(this.#end));
		bytes.set(this.#bytes.subarray(0, this.#end));
		return {bytes, blocks: shared(this.#blocks.subarray(0, 2 * this.#blockCount)), starts: this.#starts};
	}

	#toBits(): void {
		const bits = new Uint32Array((this.#highest >>> 5) + 1);
		new OrderedRows(this.#asOf, this.#count, this.#packed()).each(-1, (_at, id) => setBit(bits, id));
		this.#bits = bits;
	}
}

/** A list that was gathered, here or in another thread. */
export function termRows({asOf, count, rows}: SharedRows): DenseRows | OrderedRows {
	return rows instanceof Uint32Array ? new DenseRows(asOf, count, rows) : new OrderedRows(asOf, count, rows);
}

/** The memory that a list takes. */
export function bytesOf({rows}: SharedRows): number {
	if (rows instanceof Uint32Array) return rows.byteLength;
	return rows.bytes.byteLength + rows.blocks.byteLength + rows.starts.byteLength;
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
	readonly count: number;
	readonly #rows: PackedRows;

	constructor(asOf: number, count: number, rows: PackedRows) {
		this.asOf = asOf;
		this.count = count;
		this.#rows = rows;
	}

	/** Tells the rows after one, until it is told to stop. */
	each(after: number, tell: (at: number, id: number) => boolean): void {
		const {blocks, starts} = this.#rows;
		const first = after < 0 ? 0 : Math.floor(after / idSpace);
		const cursor = new OrderedCursor(this.#rows);
		for (let at = first; at < classes - 1; at++) {
			const end = starts[at + 1] as number;
			let from = starts[at] as number;
			const least = at === first && after >= 0 ? after - at * idSpace + 1 : 0;
			if (from < end && least > 0) from = lastUpTo(blocks, least, from, end);
			for (let block = from; block < end; block++) {
				for (let id = cursor.open(block); id >= 0; id = cursor.next()) if (id >= least && !tell(at, id)) return;
			}
		}
	}

	cursor(): RowCursor {
		return new OrderedCursor(this.#rows);
	}
}

/** Reads blocks. */
class OrderedCursor implements RowCursor {
	readonly #bytes: Uint8Array;
	readonly #blocks: Uint32Array;
	readonly #starts: Uint32Array;
	#at = -1;
	/** The block that is open, and the one after the last of the class. */
	#block = -1;
	#end = 0;
	/** The content that was read last, where the next distance begins, and where the block ends. */
	#id = -1;
	#place = 0;
	#blockEnd = 0;

	constructor({bytes, blocks, starts}: PackedRows) {
		this.#bytes = bytes;
		this.#blocks = blocks;
		this.#starts = starts;
	}

	/** Opens a block; returns its first content. */
	open(block: number): number {
		this.#block = block;
		this.#place = this.#blocks[2 * block + 1] as number;
		this.#blockEnd = this.#blocks[2 * block + 3] ?? this.#bytes.length;
		this.#id = this.#blocks[2 * block] as number;
		return this.#id;
	}

	/** The next content of the block; -1 after the last. */
	next(): number {
		if (this.#place === this.#blockEnd) return -1;
		const bytes = this.#bytes;
		let place = this.#place;
		let byte = bytes[place++] as number;
		let distance = byte & 0x7f;
		for (let shift = 7; byte > 0x7f; shift += 7) {
			byte = bytes[place++] as number;
			distance |= (byte & 0x7f) << shift;
		}
		this.#place = place;
		this.#id += distance;
		return this.#id;
	}

	has(at: number, id: number): boolean {
		const blocks = this.#blocks;
		if (at !== this.#at) {
			this.#at = at;
			this.#end = this.#starts[at + 1] as number;
			const first = this.#starts[at] as number;
			if (first < this.#end) this.open(first);
			else this.#block = this.#end;
		}
		if (this.#block >= this.#end) return false;
		// From the block where the last one was, in steps that grow, as most are not far.
		let block = this.#block;
		let step = 1;
		while (block + step < this.#end && (blocks[2 * (block + step)] as number) <= id) {
			block += step;
			step *= 2;
		}
		if (step > 1) block = lastUpTo(blocks, id, block, Math.min(this.#end, block + step));
		if (block !== this.#block) this.open(block);
		while (this.#id < id && this.next() >= 0);
		return this.#id === id;
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

/** The last block from `low` on, before `high`, that begins with that content or an earlier one; `low` where there is none. */
function lastUpTo(blocks: Uint32Array, id: number, low: number, high: number): number {
	let [from, to] = [low, high];
	while (to - from > 1) {
		const middle = (from + to) >>> 1;
		if ((blocks[2 * middle] as number) <= id) from = middle;
		else to = middle;
	}
	return from;
}

/** What is newer than the list is not for it: it was written later. */
function setBit(bits: Uint32Array, id: number): boolean {
	const place = id >>> 5;
	if (place < bits.length) bits[place] = (bits[place] as number) | (1 << (id & 31));
	return true;
}

function doubled<T extends Uint8Array | Uint32Array>(from: T, into: T): T {
	into.set(from);
	return into;
}

function shared(words: Uint32Array): Uint32Array {
	const copy = new Uint32Array(new SharedArrayBuffer(words.byteLength));
	copy.set(words);
	return copy;
}
