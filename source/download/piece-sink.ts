import {writeSync} from 'node:fs';
import {blockSize} from '../content/content-id.ts';
import {blockHashes, merkleRoot, nextPowerOfTwo} from '../content/merkle.ts';
import {systemCode} from '../core/errors.ts';
import type {Sink} from './connection.ts';
import type {ResponseHead} from './http-response.ts';
import {FaultError} from './types.ts';
import type {RunOrder} from './worker-messages.ts';
import type {WriteLock} from './write-lock.ts';

const hashBytes = 32;
/** Blocks are hashed as they come, while the processor's cache still holds them, so many bytes at a time. */
const hashStride = 4 * blockSize;

/** What a run needs of its order. */
export type PieceRun = Pick<RunOrder, 'fd' | 'size' | 'pieceSize' | 'first' | 'count' | 'hashes'>;

/**
 * Takes the answer to a request for consecutive pieces: gathers each piece, compares its hash, and only then writes it
 * to its place, so that what was verified there before is never spoilt by a liar.
 */
export class PieceSink implements Sink {
	readonly #run: PieceRun;
	readonly #buffer: Buffer;
	readonly #writes: WriteLock;
	readonly #hashes: Buffer;
	readonly #times: {hash: number; write: number};
	readonly #verified: (piece: number) => void;
	#piece: number;
	#length: number;
	#filled = 0;
	#hashed = 0;

	/**
	 * @param buffer holds one piece; the sink has it to itself until the answer is over
	 * @param times milliseconds of hashing and writing are added here
	 */
	constructor(
		run: PieceRun,
		buffer: Buffer,
		writes: WriteLock,
		times: {hash: number; write: number},
		verified: (piece: number) => void,
	) {
		this.#times = times;
		this.#run = run;
		this.#buffer = buffer;
		this.#writes = writes;
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
			source.copy(this.#buffer, this.#filled, at, end);
			this.#filled += end - at;
			at = end;
			if (this.#filled === this.#length) this.#complete();
			else if (this.#filled - this.#hashed >= hashStride) this.#hash(this.#filled - (this.#filled % blockSize));
		}
	}

	#pieceLength(): number {
		return Math.min(this.#run.pieceSize, this.#run.size - this.#piece * this.#run.pieceSize);
	}

	#hash(to: number): void {
		const start = performance.now();
		blockHashes(this.#buffer.subarray(this.#hashed, to)).copy(this.#hashes, (this.#hashed / blockSize) * hashBytes);
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
		this.#write();
		this.#verified(this.#piece);
		this.#piece++;
		this.#filled = 0;
		this.#hashed = 0;
		this.#length = this.#pieceLength();
	}

	#write(): void {
		const {fd, pieceSize} = this.#run;
		const start = performance.now();
		try {
			const position = this.#piece * pieceSize;
			this.#writes.during(fd, () => {
				for (let at = 0; at < this.#length; ) at += writeSync(fd, this.#buffer, at, this.#length - at, position + at);
			});
		} catch (error) {
			throw new FaultError({kind: 'disk', code: systemCode(error) ?? 'EIO', message: (error as Error).message});
		}
		this.#times.write += performance.now() - start;
	}
}
