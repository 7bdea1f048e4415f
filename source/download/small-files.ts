import {writeErrorOf} from './disk-error.ts';
import type {Lane, LaneTimes} from './lane.ts';
import {pumpUntil, type Settle} from './pumping.ts';
import {describe, type KnownSource, type SourceBook, targetOf} from './source-book.ts';
import type {TransferPool} from './transfer-pool.ts';
import type {Fault} from './types.ts';

/** A file of one piece to fetch. */
export type SmallFile = {n: number; content: string; size: number /** Absolute. */; path: string};

/** What fetching many small files needs, and whom it tells. */
export type SmallFilesParts = {
	pool: TransferPool;
	book: SourceBook;
	/** For messages: the folder that is written to. */
	folder: string;
	/** A file is verified and on the disk. */
	arrived(n: number, source: KnownSource): void;
	/** A source does not give that one: it is not asked for here again. */
	refused(file: SmallFile): void;
	/** A source was given up for good. */
	dropped(source: KnownSource, reason: string): void;
};

type FileLane = {lane: Lane; known: KnownSource; runs: Map<number, Map<number, SmallFile>>};

/** Connections to all sources together: while one waits for its next files the others bring theirs. */
const mostLanes = 4;
/** A further connection to a source must have so much to do. */
const filesPerLane = 48;
/** Orders that wait at a lane behind the one under way. */
const runsPerLane = 2;
/** One order: what a connection brings in a second, so that a slow source has little to do at the end. */
const order = {files: 256, fewest: 8, least: 256 * 1024, first: 2 * 1024 * 1024, most: 8 * 1024 * 1024};
const stall = {withOthers: 3000, alone: 15_000};

/** Fetches whole small files, many requests ahead on few connections, from all who have them. */
export class SmallFiles {
	readonly #parts: SmallFilesParts;
	readonly #pending: SmallFile[];
	readonly #lanes = new Set<FileLane>();
	readonly #closing = new Set<Promise<void>>();
	#settle: Settle<'complete' | 'idle'> | undefined;
	#receivedBefore = 0;

	constructor(files: SmallFile[], parts: SmallFilesParts) {
		// From the end, so that taking one costs nothing.
		this.#pending = files.toReversed();
		this.#parts = parts;
	}

	/** Body bytes received so far. */
	get received(): number {
		let bytes = this.#receivedBefore;
		for (const {lane} of this.#lanes) bytes += lane.received;
		return bytes;
	}

	/** Files that are neither there nor refused. */
	get left(): number {
		let files = this.#pending.length;
		for (const {runs} of this.#lanes) for (const run of runs.values()) files += run.size;
		return files;
	}

	/** Peers that bytes come from now. */
	get peers(): string[] {
		return [...new Set([...this.#lanes].filter(({runs}) => runs.size > 0).map(({known}) => known.source.peer))];
	}

	/** What its connections have counted. */
	get lanes(): {id: number; times: LaneTimes; busy: boolean}[] {
		return [...this.#lanes].map(({lane, runs}) => ({id: lane.id, times: lane.times, busy: runs.size > 0}));
	}

	/** Bytes per second that come from a source. */
	speedOf(known: KnownSource): number {
		let speed = 0;
		for (const lane of this.#lanes) if (lane.known === known && lane.runs.size > 0) speed += lane.lane.speed;
		return speed;
	}

	/**
	 * Goes on until all were fetched or refused, or there is nobody to ask; can be called again then.
	 *
	 * @throws P2pError disk-full, not-writable; the signal's reason
	 */
	async run(signal: AbortSignal): Promise<'complete' | 'idle'> {
		const begin = (settle: Settle<'complete' | 'idle'>) => {
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

	/** Gives every source something to do; also to be called when sources were added. */
	pump(): void {
		if (!this.#settle) return;
		const usable = this.#parts.book.usable();
		for (const lane of this.#lanes) if (this.#parts.book.isBarred(lane.known)) this.#close(lane);
		const each = usable.length === 0 ? 0 : Math.max(1, Math.floor(mostLanes / usable.length));
		for (const known of usable) {
			let mine = 0;
			for (const lane of this.#lanes) if (lane.known === known) mine++;
			const work = Math.ceil(this.#pending.length / filesPerLane);
			for (let add = Math.min(each - mine, work); add > 0 && this.#lanes.size < mostLanes; add--) this.#open(known);
		}
		for (let depth = 1; depth <= runsPerLane; depth++) {
			for (const lane of this.#lanes) if (lane.runs.size < depth) this.#feed(lane, usable.length);
		}
		if (this.#closing.size > 0) return;
		for (const lane of this.#lanes) if (lane.runs.size > 0) return;
		this.#settle.resolve(this.#pending.length === 0 ? 'complete' : 'idle');
	}

	#open(known: KnownSource): void {
		const lane: FileLane = {lane: this.#parts.pool.lane(targetOf(known.source)), known, runs: new Map()};
		lane.lane.listener = {
			piece: (run, n) => this.#arrived(lane, run, n),
			ended: (run, fault) => this.#ended(lane, run, fault),
			refused: (run, n) => {
				const file = lane.runs.get(run)?.get(n);
				lane.runs.get(run)?.delete(n);
				if (file) this.#parts.refused(file);
			},
		};
		this.#lanes.add(lane);
	}

	#feed(lane: FileLane, sources: number): void {
		const {known} = lane;
		if (this.#pending.length === 0 || known.gone || known.retryAt > performance.now()) return;
		const files: SmallFile[] = [];
		// Near the end in smaller orders, so that all connections end together.
		const most = Math.max(order.fewest, Math.min(order.files, Math.ceil(this.#pending.length / this.#lanes.size / 2)));
		const speed = lane.lane.speed;
		const room = speed === 0 ? order.first : Math.min(order.most, Math.max(order.least, speed));
		for (let bytes = 0; files.length < most && bytes < room && this.#pending.length > 0; ) {
			const file = this.#pending.pop()!;
			files.push(file);
			bytes += file.size;
		}
		const stallMs = sources > 1 ? stall.withOthers : stall.alone;
		const run = lane.lane.run({type: 'files', root: this.#parts.folder, files, stallMs});
		lane.runs.set(run, new Map(files.map(file => [file.n, file])));
	}

	#arrived(lane: FileLane, run: number, n: number): void {
		const file = lane.runs.get(run)?.get(n);
		if (!file) return;
		lane.runs.get(run)?.delete(n);
		this.#parts.book.succeeded(lane.known, file.size);
		this.#parts.arrived(n, lane.known);
	}

	#ended(lane: FileLane, run: number, fault: Fault | undefined): void {
		this.#giveBack(lane, run);
		if (fault?.kind === 'disk') {
			this.#settle?.reject(writeErrorOf(fault.code, this.#parts.folder));
			return;
		}
		if (fault && fault.kind !== 'cancelled') {
			const forGood = this.#parts.book.failed(lane.known, fault);
			if (forGood) this.#parts.dropped(lane.known, describe(fault));
			for (const other of this.#lanes)
				if (other === lane || (forGood && other.known === lane.known)) this.#close(other);
		}
		this.pump();
	}

	#giveBack(lane: FileLane, run: number): void {
		for (const file of lane.runs.get(run)?.values() ?? []) this.#pending.push(file);
		lane.runs.delete(run);
	}

	#close(lane: FileLane): void {
		if (!this.#lanes.delete(lane)) return;
		const received = lane.lane.received;
		this.#receivedBefore += received;
		// What it wrote before it heard of the end still counts; what it did not is given back when it is closed.
		const {refused} = lane.lane.listener ?? {};
		lane.lane.listener = {piece: (run, n) => this.#arrived(lane, run, n), ended: () => undefined, refused};
		const closing = lane.lane.close().finally(() => {
			this.#receivedBefore += lane.lane.received - received;
			for (const run of [...lane.runs.keys()]) this.#giveBack(lane, run);
			this.#closing.delete(closing);
			this.pump();
		});
		this.#closing.add(closing);
	}
}
