import {pieceCount, pieceLength, pieceSizeFor} from '../content/content-id.ts';
import {countBits, hasBit, makeBitmap, setBit} from './bitmap.ts';
import type {Journal} from './journal.ts';
import type {PartFile} from './part-file.ts';

const commitMs = 1000;
const commitBytes = 64 * 1024 * 1024;

/**
 * Which pieces of an open partial file are there, in memory and in the journal. A piece is written down as `have` only
 * once its bytes are on the disk for certain; after a power cut at most a second's worth, or 64 MiB, is fetched again.
 */
export class PartProgress {
	/** Verified pieces. */
	readonly have: Uint8Array;
	readonly #journal: Journal;
	readonly #id: number;
	readonly #size: number;
	readonly #pieceSize: number;
	readonly #part: PartFile;
	readonly #touched: Uint8Array;
	readonly #onError: (error: unknown) => void;
	#done: number;
	#open = 0;
	#timer: NodeJS.Timeout | undefined;
	#committing: Promise<void> | undefined;

	/** @param onError told when the disk fails while it is synced */
	constructor(
		where: {journal: Journal; id: number; size: number; part: PartFile},
		have: Uint8Array,
		onError: (error: unknown) => void,
	) {
		this.#journal = where.journal;
		this.#id = where.id;
		this.#size = where.size;
		this.#part = where.part;
		this.#pieceSize = pieceSizeFor(where.size);
		this.#onError = onError;
		this.have = have;
		this.#touched = Uint8Array.from(have);
		this.#done = bytesOf(have, where.size);
	}

	/** Verified bytes. */
	get done(): number {
		return this.#done;
	}

	/** Pieces are about to be fetched: remembered first, so that a crash cannot hide what was written. */
	touch(first: number, count: number): void {
		let isNew = false;
		for (let piece = first; piece < first + count; piece++) {
			if (hasBit(this.#touched, piece)) continue;
			setBit(this.#touched, piece);
			isNew = true;
		}
		// A file of one piece has nothing to resume from.
		if (isNew && this.#size > this.#pieceSize) this.#journal.setPieces(this.#id, {touched: this.#touched});
	}

	/** A piece was verified and written; its bit is set already. */
	arrived(piece: number): void {
		const bytes = pieceLength(this.#size, piece, this.#pieceSize);
		this.#done += bytes;
		this.#open += bytes;
		if (this.#open >= commitBytes) void this.commit();
		else this.#timer ??= setTimeout(() => void this.commit(), commitMs);
	}

	/** Syncs what was written and writes it down; one at a time. */
	commit(): Promise<void> {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#committing ??= this.#commit()
			.catch(this.#onError)
			.finally(() => {
				this.#committing = undefined;
			});
		return this.#committing;
	}

	/** Writes down all; to be called when nothing is written to the file any more. */
	async close(): Promise<void> {
		await this.#committing;
		if (this.#open > 0) await this.commit();
		clearTimeout(this.#timer);
	}

	async #commit(): Promise<void> {
		const have = Uint8Array.from(this.have);
		const done = this.#done;
		this.#open = 0;
		await this.#part.sync();
		this.#journal.setPieces(this.#id, {have});
		this.#journal.update(this.#id, {done});
	}
}

/** How many bytes the pieces of a bitmap have. */
export function bytesOf(have: Uint8Array, size: number): number {
	const pieceSize = pieceSizeFor(size);
	const last = pieceCount(size, pieceSize) - 1;
	const full = countBits(have) * pieceSize;
	return hasBit(have, last) ? full - pieceSize + pieceLength(size, last, pieceSize) : full;
}

/** Which pieces to look at when a partial file is opened again. */
export function candidatesOf(
	size: number,
	stored: {have?: Uint8Array; touched?: Uint8Array},
	existed: boolean,
): Uint8Array {
	const pieces = pieceCount(size);
	if (!existed) return makeBitmap(pieces);
	// Left by another data folder, or the list was lost: look at all of it.
	if (!stored.have && !stored.touched) return makeBitmap(pieces, true);
	const candidates = makeBitmap(pieces);
	for (const bits of [stored.have, stored.touched])
		for (let i = 0; bits && i < candidates.length; i++) candidates[i]! |= bits[i] ?? 0;
	return candidates;
}
