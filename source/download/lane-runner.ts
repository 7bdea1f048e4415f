import {frameCodeBytes} from '../api/file-frames.ts';
import {limits} from '../api/limits.ts';
import {decodePieceLayer, pieceLayerWireBytes} from '../content/piece-layer.ts';
import {P2pError} from '../core/errors.ts';
import type {Target} from '../net/secure-client.ts';
import type {SourceConnection} from './connection.ts';
import type {DirectWrites} from './direct-write.ts';
import {runFiles} from './files-run.ts';
import {PieceSink} from './piece-sink.ts';
import {RunFolders} from './run-folders.ts';
import {type Fault, FaultError} from './types.ts';
import {type FilesOrder, type FromWorker, type LayerOrder, laneCounts, type RunOrder} from './worker-messages.ts';

/** Where a lane gets its connections from. */
export type ConnectionShelf = {
	/** A connection to the target: a kept one, or a new one. */
	take(target: Target, fresh: boolean): Promise<{connection: SourceConnection; kept: boolean}>;
	/** Gives one back that is fit for another request; others are closed. */
	put(target: Target, connection: SourceConnection): void;
};

/** Buffers of one piece, reused. */
export type BufferShelf = {take(bytes: number): Buffer; put(buffer: Buffer): void};

/** What the lanes of a worker share. */
export type LaneParts = {
	connections: ConnectionShelf;
	buffers: BufferShelf;
	writes: DirectWrites;
	post(message: FromWorker): void;
	/** Tells of a verified and written piece, not necessarily at once. */
	tellPiece(lane: number, run: number, piece: number): void;
};

type Order = RunOrder | LayerOrder | FilesOrder;
type Counted = (typeof laneCounts)[number];

/** What the disk still has to take in of one run; none of it ever rejects. */
type DiskTail = {writing: Set<Promise<void>>; fault?: Fault};

/** A lane inside its worker: does its orders one after the other on one connection. */
export class LaneRunner {
	readonly id: number;
	readonly #target: Target;
	readonly #parts: LaneParts;
	readonly #orders: Order[] = [];
	#connection: SourceConnection | undefined;
	#current: number | undefined;
	#cancelled = false;
	#closed = false;
	/** Ends the wait for a connection. */
	#giveUp: (() => void) | undefined;
	/** What former connections counted, less what this one had counted for others. */
	readonly #before = {bytes: 0, limit: 0, answers: 0, theirDisk: 0, theirLimit: 0};
	readonly #ownTimes = {hash: 0, write: 0};
	#working: Promise<void> | undefined;
	/** Runs that wait for the disk alone. */
	readonly #ending = new Set<Promise<void>>();
	/** Since when nothing is asked for until the disk has taken in what came (performance.now()). */
	#diskSince: number | undefined;

	constructor(id: number, target: Target, parts: LaneParts) {
		this.id = id;
		this.#target = target;
		this.#parts = parts;
	}

	/** What it has counted over its life, in the order of {@link laneCounts}. */
	get counts(): number[] {
		const {times, received = 0} = this.#connection ?? {};
		const before = this.#before;
		const all: Record<Counted, number> = {
			...this.#ownTimes,
			bytes: before.bytes + received,
			limit: before.limit + (times?.limit ?? 0),
			answers: before.answers + (times?.answers ?? 0),
			theirDisk: before.theirDisk + (times?.theirDisk ?? 0),
			theirLimit: before.theirLimit + (times?.theirLimit ?? 0),
		};
		return laneCounts.map(name => all[name]);
	}

	/** Queues an order. */
	push(order: Order): void {
		this.#orders.push(order);
		this.#countDisk();
		this.#working ??= this.#work().finally(() => {
			this.#working = undefined;
		});
	}

	/** Ends an order that waits or is under way. */
	cancel(run: number): void {
		const index = this.#orders.findIndex(order => order.run === run);
		if (index !== -1) {
			this.#orders.splice(index, 1);
			this.#ended(run, {kind: 'cancelled'});
		} else if (this.#current === run) {
			this.#cancelled = true;
			this.#giveUp?.();
			this.#connection?.destroy({kind: 'cancelled'});
		}
	}

	/** Ends everything; once it resolves, nothing of this lane touches a file. */
	async close(): Promise<void> {
		this.#closed = true;
		for (const order of this.#orders.splice(0)) this.#ended(order.run, {kind: 'cancelled'});
		if (this.#current !== undefined) this.cancel(this.#current);
		await this.#working;
		await Promise.all(this.#ending);
		this.#count(1);
		if (this.#connection) this.#parts.connections.put(this.#target, this.#connection);
		this.#connection = undefined;
	}

	async #work(): Promise<void> {
		for (let order = this.#orders.shift(); order; order = this.#orders.shift()) {
			this.#current = order.run;
			this.#cancelled = false;
			const disk: DiskTail = {writing: new Set()};
			const fault = await this.#do(order, disk);
			this.#current = undefined;
			if (disk.writing.size > 0) this.#endLater(order.run, fault, disk);
			else this.#ended(order.run, disk.fault ?? fault);
		}
		// Its next order comes when the disk is through with these: as slow as it is slow.
		if (this.#ending.size > 0) this.#diskSince = performance.now();
	}

	/** The disk still takes in what came: the next order need not wait for that. */
	#endLater(run: number, fault: Fault | undefined, disk: DiskTail): void {
		const end = Promise.all(disk.writing).then(() => {
			this.#ending.delete(end);
			if (this.#ending.size === 0) this.#countDisk();
			this.#ended(run, disk.fault ?? fault);
		});
		this.#ending.add(end);
	}

	/** Adds the time in which this lane had no order and waited for the disk, if it did. */
	#countDisk(): void {
		if (this.#diskSince !== undefined) this.#ownTimes.write += performance.now() - this.#diskSince;
		this.#diskSince = undefined;
	}

	#ended(run: number, fault: Fault | undefined): void {
		this.#parts.post({type: 'ended', lane: this.id, run, ...(fault && {fault})});
	}

	async #do(order: Order, disk: DiskTail): Promise<Fault | undefined> {
		for (let fresh = false; ; fresh = true) {
			let kept = false;
			try {
				kept = await this.#connect(fresh);
				const connection = this.#connection;
				if (this.#cancelled || this.#closed || !connection) return {kind: 'cancelled'};
				if (order.type === 'run') await this.#pieces(order, connection, disk);
				else if (order.type === 'files') await this.#files(order, connection, disk);
				else await this.#layer(order, connection);
				return undefined;
			} catch (error) {
				if (this.#cancelled || this.#closed) return {kind: 'cancelled'};
				// A kept connection may have been closed from the other side just as we sent.
				if (kept && this.#connection?.diedUnanswered && !fresh) continue;
				if (error instanceof FaultError) return error.fault;
				if (error instanceof P2pError) return {kind: 'lied', message: error.message};
				throw error;
			}
		}
	}

	/** Has a usable connection afterwards, or none when cancelled. @returns whether it has served before */
	async #connect(fresh: boolean): Promise<boolean> {
		if (this.#connection?.usable) return true;
		this.#count(1);
		this.#connection = undefined;
		const taking = this.#parts.connections.take(this.#target, fresh);
		const cancelled = new Promise<undefined>(resolve => {
			this.#giveUp = () => resolve(undefined);
		});
		const got = await Promise.race([taking, cancelled]).finally(() => {
			this.#giveUp = undefined;
		});
		if (!got) {
			taking.then(late => this.#parts.connections.put(this.#target, late.connection)).catch(() => undefined);
			return false;
		}
		this.#connection = got.connection;
		this.#count(-1);
		return got.kept;
	}

	#count(sign: 1 | -1): void {
		if (!this.#connection) return;
		const {times, received} = this.#connection;
		this.#before.bytes += sign * received;
		for (const name of ['limit', 'answers', 'theirDisk', 'theirLimit'] as const)
			this.#before[name] += sign * times[name];
	}

	async #pieces(order: RunOrder, connection: SourceConnection, disk: DiskTail): Promise<void> {
		const {buffers, writes} = this.#parts;
		const writer = writes.open(order.fd);
		const sink = new PieceSink(
			order,
			{writer, buffers, writing: disk.writing, failed: this.#diskFailed(disk, connection)},
			this.#ownTimes,
			piece => this.#parts.tellPiece(this.id, order.run, piece),
		);
		try {
			const answer = connection.get(`/v1/files/${order.content}`, PieceSink.range(order), sink, order.stallMs);
			await answer.finally(() => sink.flush());
		} finally {
			sink.close();
			const closing = Promise.all(disk.writing).then(() => {
				writer.close();
				disk.writing.delete(closing);
			});
			disk.writing.add(closing);
		}
	}

	/** What a failure of the disk beside the receiving does: no more need come. */
	#diskFailed(disk: DiskTail, connection: SourceConnection) {
		return ({fault}: FaultError) => {
			disk.fault ??= fault;
			connection.destroy(fault);
		};
	}

	async #files(order: FilesOrder, connection: SourceConnection, disk: DiskTail): Promise<void> {
		const buffer = this.#parts.buffers.take(Math.max(frameCodeBytes, ...order.files.map(file => file.size)));
		const folders = new RunFolders(order.root);
		try {
			await runFiles(order, connection, {
				...{buffer, folders, times: this.#ownTimes},
				syncing: disk.writing,
				synced: n => this.#parts.tellPiece(this.id, order.run, n),
				failed: this.#diskFailed(disk, connection),
				refused: (file, fault) => this.#parts.post({type: 'refused', lane: this.id, run: order.run, file, fault}),
			});
		} finally {
			folders.close();
			this.#parts.buffers.put(buffer);
		}
	}

	async #layer(order: LayerOrder, connection: SourceConnection): Promise<void> {
		const chunks: Buffer[] = [];
		const most = Math.min(pieceLayerWireBytes(order.size), limits.pieceLayerBytes);
		await connection.get(
			`/v1/files/${order.content}/pieces`,
			undefined,
			{
				head({status, length}) {
					if (status !== 200 || length === undefined || length > most)
						throw new FaultError({kind: 'lied', message: `a piece layer of ${length ?? 'unknown'} bytes`});
					return length;
				},
				body: (buffer, from, to) => chunks.push(Buffer.from(buffer.subarray(from, to))),
			},
			order.stallMs,
		);
		const {layer, have} = decodePieceLayer(Buffer.concat(chunks), order.content, order.size);
		this.#parts.post({
			type: 'layer',
			lane: this.id,
			run: order.run,
			layer: new Uint8Array(layer),
			...(have && {have: new Uint8Array(have)}),
		});
	}
}
