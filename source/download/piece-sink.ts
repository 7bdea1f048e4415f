import {blockSize} from '../content/content-id.ts';
import {blockHashes, merkleRoot, nextPowerOfTwo} from '../content/merkle.ts';
import {systemCode} from '../core/errors.ts';
import type {Sink} from './connection.ts';
import {type FileWriter, writeBytes} from './direct-write.ts';
import type {ResponseHead} from './http-response.ts';
import {FaultError} from './types.ts';
import type {RunOrder} from './worker-messages.ts';

const hashBytes = 32;
/** Blocks are hashed as they come, while the processor's cache still holds them, so many bytes at a time. */
const hashStride = 4 * blockSize;

/** Verified pieces are gathered for one large write, but not for longer than this many milliseconds. */
const gatherMs = 200;

/** What a run needs of its order. */
export type PieceRun = Pick<RunOrder, 'size' | 'pieceSize' | 'first' | 'count' | 'hashes'>;

/** Where the pieces of a run go. */
export type PieceDisk = {
	writer: FileWriter;
	buffers: {take(bytes: number): Buffer; put(buffer: Buffer): void};
	/** Writes under way; whoever ends the run waits for them. */
	writing: Set<Promise<void>>;
	/** The disk failed while something else went on. */
	failed(error: FaultError): void;
};

/**
 * Takes the answer to a request for consecutive pieces: gathers each piece, compares its hash, and only then writes it
 * to its place, so that what was verified there before is never spoilt by a liar. Small pieces are written together.
 */
export class PieceSink implements Sink {
	readonly #run: PieceRun;
	#buffer: Buffer;
	readonly #disk: PieceDisk;
	readonly #hashes: Buffer;
	readonly #times: {hash: number; write: number};
	readonly #verified: (piece: number) => void;
	/** The piece that is received, where it starts in the buffer, and what of it is there and hashed. */
	#piece: number;
	#length: number;
	#start = 0;
	#filled = 0;
	#hashed = 0;
	/** Pieces before it in the buffer: verified, not written. */
	#waiting = 0;
	/** Writes them when nothing else does in time: the source may send nothing for long. */
	#overdue: NodeJS.Timeout | undefined;

	/**
	 * @param times milliseconds that the thread spends hashing, and waiting for the disk, are added here
	 * @param verified told of a piece that is verified and written
	 */
	constructor(run: PieceRun, disk: PieceDisk, times: {hash: number; write: number}, verified: (piece: number) => void) {
		this.#times = times;
		this.#run = run;
		this.#disk = disk;
		this.#buffer = this.#takeBuffer();
		this.#hashes = Buffer.allocUnsafe(Math.ceil(run.pieceSize / blockSize) * hashBytes);
		this.#verified = verified;
		this.#piece = run.first;
		this.#length = this.#pieceLength();
	}

	/** First and last byte that the request must ask for. */
	static range({size, pieceSize, first, count}: PieceRun): {first: number; last: number} {
		return {first: first * pieceSize, last: Math.min(size, (first + count) * pieceSize) - 1};
	}

	head({status, length, range}: ResponseHead): number {
		const {size} = this.#run;
		const wanted = PieceSink.range(this.#run);
		const bytes = wanted.last - wanted.first + 1;
		const whole = status === 200 && bytes === size;
		const fits = range?.first === wanted.first && range.last === wanted.last && range.size === size;
		if (!whole && !(status === 206 && fits))
			throw new FaultError({kind: 'lied', message: 'it answers with other bytes than asked for'});
		if (length !== bytes)
			throw new FaultError({kind: 'lied', message: `it announces ${length ?? 'no'} bytes instead of ${bytes}`});
		return bytes;
	}

	body(source: Buffer, from: number, to: number): void {
		for (let at = from; at < to; ) {
			const end = Math.min(to, at + this.#length - this.#filled);
			source.copy(this.#buffer, this.#start + this.#filled, at, end);
			this.#filled += end - at;
			at = end;
			if (this.#filled === this.#length) this.#complete();
			else if (this.#filled - this.#hashed >= hashStride) this.#hash(this.#filled - (this.#filled % blockSize));
		}
	}

	/** Gives back what it holds; nothing may come in any more. */
	close(): void {
		clearTimeout(this.#overdue);
		this.#disk.buffers.put(this.#buffer);
	}

	/** One piece, or as many as are written together. */
	#takeBuffer(): Buffer {
		const {size, pieceSize, count} = this.#run;
		return this.#disk.buffers.take(Math.min(size, Math.max(pieceSize, Math.min(writeBytes, count * pieceSize))));
	}

	#pieceLength(): number {
		return Math.min(this.#run.pieceSize, this.#run.size - this.#piece * this.#run.pieceSize);
	}

	#hash(to: number): void {
		const start = performance.now();
		const bytes = this.#buffer.subarray(this.#start + this.#hashed, this.#start + to);
		blockHashes(bytes).copy(this.#hashes, (this.#hashed / blockSize) * hashBytes);
		this.#hashed = to;
		this.#times.hash += performance.now() - start;
	}

	#complete(): void {
		this.#hash(this.#length);
		const {size, pieceSize, first, hashes} = this.#run;
		const blocks = Math.ceil(this.#length / blockSize);
		const width = size <= pieceSize ? nextPowerOfTwo(blocks) : pieceSize / blockSize;
		const root = merkleRoot(this.#hashes.subarray(0, blocks * hashBytes), width);
		const at = (this.#piece - first) * hashBytes;
		if (root.compare(hashes, at, at + hashBytes) !== 0) throw new FaultError({kind: 'corrupt', piece: this.#piece});
		this.#waiting++;
		this.#start += this.#length;
		this.#piece++;
		this.#filled = 0;
		this.#hashed = 0;
		this.#length = this.#pieceLength();
		const isLast = this.#piece === first + this.#run.count;
		const isFull = this.#start + this.#length > this.#buffer.length;
		if (isLast || isFull) this.flush();
		else this.#overdue ??= setTimeout(() => this.#flushOverdue(), gatherMs);
	}

	#flushOverdue(): void {
		try {
			this.flush();
		} catch (error) {
			this.#disk.failed(error as FaultError);
		}
	}

	/** Writes what is verified; to be called once more when the answer is over, however it ended. */
	flush(): void {
		clearTimeout(this.#overdue);
		this.#overdue = undefined;
		if (this.#waiting === 0) return;
		const start = performance.now();
		const first = this.#piece - this.#waiting;
		const bytes = this.#start;
		const begun = this.#buffer.subarray(bytes, bytes + this.#filled);
		// Not tried again should it fail.
		this.#waiting = 0;
		this.#start = 0;
		const position = first * this.#run.pieceSize;
		const last = this.#piece;
		const tell = () => {
			for (let piece = first; piece < last; piece++) this.#verified(piece);
		};
		const {writer} = this.#disk;
		const later = writer.start(this.#buffer, bytes, position);
		if (later) {
			this.#later(later.then(tell), this.#buffer);
			begun.copy(this.#buffer);
			return;
		}
		try {
			writer.write(this.#buffer, bytes, position);
		} catch (error) {
			throw diskFault(error);
		}
		begun.copy(this.#buffer);
		this.#times.write += performance.now() - start;
		tell();
	}

	/** Goes on with another buffer while the disk takes in this one. */
	#later(write: Promise<void>, buffer: Buffer): void {
		const {buffers, writing, failed} = this.#disk;
		this.#buffer = this.#takeBuffer();
		const settled = write
			.catch(error => failed(diskFault(error)))
			.finally(() => {
				buffers.put(buffer);
				writing.delete(settled);
			});
		writing.add(settled);
	}
}

function diskFault(error: unknown): FaultError {
	return new FaultError({kind: 'disk', code: systemCode(error) ?? 'EIO', message: (error as Error).message});
}
