import {pieceCount, pieceLength, pieceSizeFor} from '../content/content-id.ts';
import {hasBit} from './bitmap.ts';
import type {StageTimes} from './bottleneck.ts';
import {StageMeter} from './bottleneck-meter.ts';
import {writeErrorOf} from './disk-error.ts';
import type {Lane} from './lane.ts';
import {pumpUntil, type Settle} from './pumping.ts';
import {type Fetcher, PieceScheduler} from './scheduler.ts';
import {describe, type KnownSource, type SourceBook, targetOf} from './source-book.ts';
import type {TransferPool} from './transfer-pool.ts';
import type {Fault} from './types.ts';

/** What a transfer needs, and whom it tells. */
export type TransferParts = {
	content: string;
	size: number;
	layer: Uint8Array;
	/** Verified pieces; the transfer's own from now on, and always up to date. */
	have: Uint8Array;
	/** The partial file's descriptor; written to until {@link Transfer.run} is over. */
	fd: number;
	/** For messages: the folder that is written to. */
	folder: string;
	pool: TransferPool;
	book: SourceBook;
	/** Pieces are about to be fetched. */
	touched(first: number, count: number): void;
	/** A piece more is there. */
	arrived(piece: number): void;
	/** A source was given up for good. */
	dropped(source: KnownSource, reason: string): void;
};

/** Why a transfer stopped: all there, or nobody to ask at the moment. */
export type TransferEnd = 'complete' | 'idle';

/** A lane with its source; what the scheduler hands runs to. */
class SourceLane implements Fetcher {
	readonly lane: Lane;
	readonly known: KnownSource;
	readonly runs = new Map<number, {first: number; count: number}>();

	constructor(lane: Lane, known: KnownSource) {
		this.lane = lane;
		this.known = known;
	}

	get source(): string {
		return this.known.source.peer;
	}

	get speed(): number {
		return this.lane.speed;
	}

	get silent(): number {
		return performance.now() - this.lane.lastBytes;
	}
}

/** Runs that wait at a lane behind the one under way, so that it never idles for our sake. */
const runsPerLane = 2;
const mostLanes = 16;
/** Piece buffers of all lanes together, in bytes. */
const bufferBytes = 64 * 1024 * 1024;
/** A further connection to a source must have so much to do. */
const bytesPerLane = 1024 * 1024;
/** Milliseconds of silence after which a source is given up: when others can take over, and when it is the only one. */
const stall = {withOthers: 3000, alone: 15_000};

/** Fetches the missing pieces of one file from all its sources at once. */
export class Transfer {
	readonly #parts: TransferParts;
	readonly #pieceSize: number;
	readonly #scheduler: PieceScheduler<SourceLane>;
	readonly #lanes = new Set<SourceLane>();
	readonly #closing = new Set<Promise<void>>();
	#settle: Settle<TransferEnd> | undefined;
	#receivedBefore = 0;
	readonly #meter = new StageMeter();
	/** Per piece: 0, or the number of the source that it came from, as the details of a download count them. */
	readonly #from: Uint8Array;

	constructor(parts: TransferParts) {
		this.#parts = parts;
		this.#pieceSize = pieceSizeFor(parts.size);
		const pieces = pieceCount(parts.size, this.#pieceSize);
		this.#scheduler = new PieceScheduler(pieces, this.#pieceSize, parts.have);
		this.#from = new Uint8Array(pieces);
	}

	/** Where the time went, once a second; to be called a few times a second. */
	times(now: number): StageTimes | undefined {
		const lanes = [...this.#lanes].map(({lane, runs}) => ({id: lane.id, times: lane.times, busy: runs.size > 0}));
		return this.#meter.sample(now, lanes);
	}

	/** Per piece: 0 missing, n from source n of the book (at most 254), 255 there before. */
	map(): Uint8Array {
		return this.#from.map((source, piece) => source || (hasBit(this.#parts.have, piece) ? 255 : 0));
	}

	/** Bytes per second that come from a source. */
	speedOf(known: KnownSource): number {
		let speed = 0;
		for (const lane of this.#lanes) if (lane.known === known && lane.runs.size > 0) speed += lane.speed;
		return speed;
	}

	/** Body bytes received so far, also those not verified yet. */
	get received(): number {
		let bytes = this.#receivedBefore;
		for (const {lane} of this.#lanes) bytes += lane.received;
		return bytes;
	}

	/** Peers that bytes come from now. */
	get peers(): string[] {
		return [...new Set([...this.#lanes].filter(lane => lane.runs.size > 0).map(lane => lane.source))];
	}

	/**
	 * Goes on until all is there or there is nobody to ask; can be called again then. Afterwards nothing writes to the
	 * file.
	 *
	 * @throws P2pError disk-full, not-writable; the signal's reason
	 */
	async run(signal: AbortSignal): Promise<TransferEnd> {
		const begin = (settle: Settle<TransferEnd>) => {
			this.#settle = settle;
		};
		try {
			return await pumpUntil(signal, begin, () => this.pump());
		} finally {
			this.#settle = undefined;
			for (const lane of this.#lanes) this.#close(lane);
			await Promise.all(this.#closing);
		}
	}

	/** Gives everybody something to do who can have it; also to be called when sources were added. */
	pump(): void {
		if (!this.#settle) return;
		if (this.#scheduler.complete) {
			this.#settle.resolve('complete');
			return;
		}
		const usable = this.#parts.book.usable();
		for (const lane of this.#lanes) if (this.#parts.book.isBarred(lane.known)) this.#close(lane);
		for (const known of usable) this.#widen(known, usable.length);
		const total = [...this.#lanes].reduce((sum, lane) => sum + lane.speed, 0);
		// The first run of each lane before the second of any.
		for (let depth = 1; depth <= runsPerLane; depth++) {
			for (const lane of this.#lanes) {
				if (lane.runs.size < depth) this.#feed(lane, total, usable.length);
			}
		}
		const working = [...this.#lanes].some(lane => lane.runs.size > 0);
		if (!working) this.#settle.resolve('idle');
	}

	/** Opens as many lanes to a source as it should have. */
	#widen(known: KnownSource, sources: number): void {
		const cap = Math.min(mostLanes, Math.max(4, Math.floor(bufferBytes / this.#pieceSize)));
		const wanted = sources === 1 ? 4 : sources === 2 ? 3 : 2;
		const work = Math.ceil((this.#scheduler.unassigned * this.#pieceSize) / bytesPerLane);
		let mine = 0;
		for (const lane of this.#lanes) if (lane.known === known) mine++;
		const racing = mine === 0 && this.#scheduler.unassigned === 0 ? 1 : 0;
		for (let add = Math.min(wanted - mine, Math.max(work, racing)); add > 0 && this.#lanes.size < cap; add--)
			this.#open(known);
	}

	#open(known: KnownSource): void {
		const lane = new SourceLane(this.#parts.pool.lane(targetOf(known.source)), known);
		lane.lane.listener = {
			piece: (run, piece) => this.#arrived(lane, run, piece),
			ended: (run, fault) => this.#ended(lane, run, fault),
		};
		this.#lanes.add(lane);
	}

	#feed(lane: SourceLane, total: number, sources: number): void {
		const share = lane.speed > 0 && total > 0 ? lane.speed / total : 1 / Math.max(1, this.#lanes.size);
		const known = lane.known;
		if (known.gone || known.retryAt > performance.now()) return;
		// Nobody races with its second run.
		if (lane.runs.size > 0 && this.#scheduler.unassigned === 0) return;
		const range = this.#scheduler.next(lane, share, known.have);
		if (!range) return;
		const {content, size, layer, fd} = this.#parts;
		this.#parts.touched(range.first, range.count);
		const run = lane.lane.run({
			content,
			fd,
			size,
			pieceSize: this.#pieceSize,
			...range,
			hashes: layer.slice(range.first * 32, (range.first + range.count) * 32),
			stallMs: sources > 1 ? stall.withOthers : stall.alone,
		});
		lane.runs.set(run, range);
		this.#scheduler.began(run, lane, range);
	}

	#arrived(lane: SourceLane, run: number, piece: number): void {
		const {isNew, useless} = this.#scheduler.arrived(run, piece);
		if (!isNew) return;
		this.#parts.book.succeeded(lane.known, pieceLength(this.#parts.size, piece, this.#pieceSize));
		this.#from[piece] = Math.min(1 + this.#parts.book.all.indexOf(lane.known), 254);
		this.#parts.arrived(piece);
		for (const other of useless) other.fetcher.lane.cancel(other.run);
		if (this.#scheduler.complete) this.#settle?.resolve('complete');
	}

	#ended(lane: SourceLane, run: number, fault: Fault | undefined): void {
		lane.runs.delete(run);
		this.#scheduler.ended(run);
		if (!fault || fault.kind === 'cancelled') {
			this.pump();
			return;
		}
		if (fault.kind === 'disk') {
			this.#settle?.reject(writeErrorOf(fault.code, this.#parts.folder));
			return;
		}
		const forGood = this.#parts.book.failed(lane.known, fault);
		if (forGood) this.#parts.dropped(lane.known, describe(fault));
		for (const other of this.#lanes) {
			// The others of a liar go with it; those of a source that merely broke one connection may be fine.
			if (other === lane || (forGood && other.known === lane.known)) this.#close(other);
		}
		this.pump();
	}

	#close(lane: SourceLane): void {
		if (!this.#lanes.delete(lane)) return;
		const received = lane.lane.received;
		this.#receivedBefore += received;
		// What it had verified and written before it heard of the end still counts.
		lane.lane.listener = {piece: (run, piece) => this.#arrived(lane, run, piece), ended: () => undefined};
		for (const run of lane.runs.keys()) this.#scheduler.ended(run);
		const closing = lane.lane.close().finally(() => {
			this.#receivedBefore += lane.lane.received - received;
			this.#closing.delete(closing);
		});
		this.#closing.add(closing);
	}
}
