import type {ServerResponse} from 'node:http';
import type {BufferPool} from './buffer-pool.ts';
import type {ByteRange} from './http-range.ts';
import {checkUnchanged, readExactly} from './open-checked.ts';
import type {RateLimit} from './rate-limit.ts';
import type {ServedFile} from './served-catalog.ts';
import type {SenderWaits} from './server-timing.ts';
import type {TurnBudget} from './turn-budget.ts';

/** What one answer's bytes come from and go to. */
export type BodyJob = {
	fd: number;
	file: ServedFile;
	range: ByteRange;
	response: ServerResponse;
	/** Whom buffers and bandwidth are counted for. */
	peer: string;
	pool: BufferPool;
	limit: RateLimit;
	budget: TurnBudget;
	/** Aborted when the connection ends. */
	signal: AbortSignal;
};

type Chunk = {buffer: Buffer; length: number; filled: Promise<void>};

/** Buffers of one answer at once: one on its way out, the others read ahead. */
const depth = 4;

/**
 * Sends a range of a file from pooled buffers, several reads ahead of the connection. Bytes that were not proved to be
 * the hashed file's are never completed: the file is checked after the first read, before anything goes out, and again
 * when all reads are done, before the last bytes go out.
 */
export class BodySender {
	/** Milliseconds waited so far for the disk, and for bandwidth within our limit. */
	readonly waits: SenderWaits = {disk: 0, limit: 0};
	readonly #job: BodyJob;
	/** Read or being read, in order. */
	readonly #chunks: Chunk[] = [];
	/** The buffer on its way out. */
	#writing: Buffer | undefined;
	#nextRead: number;
	#checked = false;
	/** What the connection has not taken yet. */
	#pending: {bytes: number; since: number} | undefined;

	constructor(job: BodyJob) {
		this.#job = job;
		this.#nextRead = job.range.start;
	}

	/** Whether it is the reader on the other side that is waited for. */
	get waitsForReader(): boolean {
		return this.#pending !== undefined;
	}

	/** What the connection was given and has not taken yet, and since when (performance.now()). */
	pending(): {bytes: number; since: number} | undefined {
		return this.#pending;
	}

	/** Reads and checks the first bytes, so that what can go wrong is known before the answer's head is sent. */
	async prepare(): Promise<void> {
		await this.#readAhead();
		await this.#filled(this.#chunks[0]);
		await checkUnchanged(this.#job.fd, this.#job.file);
		this.#checked = this.#chunks.length === 1 && this.#nextRead === this.#job.range.end;
	}

	/**
	 * Sends everything, resolving when the connection has taken it.
	 *
	 * @param sent told of bytes that the connection took
	 * @throws P2pError changed, or the signal's reason
	 */
	async send(sent: (bytes: number) => void): Promise<void> {
		for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) {
			this.#writing = chunk.buffer;
			await this.#filled(chunk);
			const last = this.#chunks.length === 0 && this.#nextRead === this.#job.range.end;
			if (last && !this.#checked) await checkUnchanged(this.#job.fd, this.#job.file);
			await this.#write(chunk, sent);
			this.#writing = undefined;
			this.#job.pool.release(this.#job.peer, chunk.buffer);
			await this.#readAhead();
		}
	}

	/** Gives back what is left of the buffers; call once, whatever became of the sending. */
	async close(): Promise<void> {
		const {pool, peer} = this.#job;
		// The connection may still hold on to it.
		if (this.#writing) pool.release(peer, this.#writing, false);
		this.#writing = undefined;
		const chunks = this.#chunks.splice(0);
		await Promise.allSettled(chunks.map(chunk => chunk.filled));
		for (const {buffer} of chunks) pool.release(peer, buffer);
	}

	async #filled(chunk: Chunk | undefined): Promise<void> {
		const since = performance.now();
		await chunk?.filled;
		this.waits.disk += performance.now() - since;
	}

	/** Starts as many reads as there are buffers for; waits for a buffer only when not a single read is under way. */
	async #readAhead(): Promise<void> {
		const {fd, file, range, pool, peer, signal} = this.#job;
		while (this.#nextRead < range.end && this.#chunks.length < depth) {
			const idle = this.#chunks.length === 0;
			const buffer = pool.tryAcquire(peer) ?? (idle ? await pool.acquire(peer, signal) : undefined);
			if (!buffer) return;
			const position = this.#nextRead;
			const length = Math.min(buffer.length, range.end - position);
			this.#nextRead += length;
			const filled = readExactly(fd, buffer, length, position, file);
			// Its failure is met when its turn comes.
			filled.catch(() => undefined);
			this.#chunks.push({buffer, length, filled});
		}
	}

	/** Hands a chunk to the connection, in slices when there is a limit. */
	async #write({buffer, length}: Chunk, sent: (bytes: number) => void): Promise<void> {
		const {limit, budget, peer, signal} = this.#job;
		for (let done = 0; done < length; ) {
			const bytes = limit.slice(length - done);
			const turn = limit.take(bytes, peer, signal);
			if (turn) {
				const since = performance.now();
				await turn;
				this.waits.limit += performance.now() - since;
			}
			const room = budget.take(bytes);
			if (room) await room;
			await this.#handOver(done === 0 && bytes === buffer.length ? buffer : buffer.subarray(done, done + bytes));
			sent(bytes);
			done += bytes;
		}
	}

	#handOver(bytes: Buffer): Promise<void> {
		const {response, signal} = this.#job;
		return new Promise((resolve, reject) => {
			if (signal.aborted) return reject(signal.reason);
			const abort = () => reject(signal.reason);
			signal.addEventListener('abort', abort, {once: true});
			this.#pending = {bytes: bytes.length, since: performance.now()};
			response.write(bytes, error => {
				this.#pending = undefined;
				signal.removeEventListener('abort', abort);
				if (error) reject(error);
				else resolve();
			});
		});
	}
}
