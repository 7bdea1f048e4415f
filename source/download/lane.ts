import type {Fault} from './types.ts';
import type {FilesOrder, FromWorker, LayerOrder, RunOrder, ToWorker} from './worker-messages.ts';

/** What a lane's user is told. */
export type LaneListener = {
	/** A piece is verified and written. */
	piece(run: number, piece: number): void;
	/** A run is over; without a fault all its pieces came. */
	ended(run: number, fault: Fault | undefined): void;
	/** The source does not give one file of a run of files; the others go on. */
	refused?(run: number, file: number, fault: Fault): void;
};

/** Totals of a lane's life: milliseconds by what they went into (connection.ts), and body bytes. */
export type LaneTimes = {
	bytes: number;
	hash: number;
	write: number;
	limit: number;
	answers: number;
	theirDisk: number;
	theirLimit: number;
	/** Which worker thread it lives in. */
	thread: number;
};

type LayerAnswer = {layer: Uint8Array; have?: Uint8Array};

let nextRun = 1;

/** One connection's worth of work for one download, as the manager's thread sees it. */
export class Lane {
	readonly id: number;
	listener: LaneListener | undefined;
	/** Bytes per second, smoothed over about a second; 0 until measured. */
	speed = 0;
	/** When bytes last came in, by performance.now(). */
	lastBytes = performance.now();
	/** Body bytes received so far. */
	received = 0;
	times: LaneTimes;
	readonly #post: (message: ToWorker) => void;
	readonly #layers = new Map<number, {resolve(answer: LayerAnswer): void; reject(fault: Fault): void}>();
	#sampledAt = performance.now();
	#closing: PromiseWithResolvers<void> | undefined;
	#dead = false;

	/** Made by the pool. */
	constructor(id: number, thread: number, post: (message: ToWorker) => void) {
		this.id = id;
		this.times = {bytes: 0, hash: 0, write: 0, limit: 0, answers: 0, theirDisk: 0, theirLimit: 0, thread};
		this.#post = post;
	}

	/** Queues a run behind those before it. @returns its number, as the listener is told */
	run(order: Omit<RunOrder, 'type' | 'lane' | 'run'> | Omit<FilesOrder, 'lane' | 'run'>): number {
		const run = nextRun++;
		if (this.lastBytes < this.#sampledAt) this.lastBytes = performance.now();
		this.#send({type: 'run', ...order, lane: this.id, run});
		return run;
	}

	/** Fetches and checks the piece layer. Rejects with a {@link Fault}. */
	layer(order: Omit<LayerOrder, 'type' | 'lane' | 'run'>): Promise<LayerAnswer> {
		const run = nextRun++;
		return new Promise((resolve, reject) => {
			this.#layers.set(run, {resolve, reject});
			this.#send({type: 'layer', lane: this.id, run, ...order});
		});
	}

	/** Ends a run that waits or is under way. */
	cancel(run: number): void {
		if (!this.#dead) this.#post({type: 'cancel', lane: this.id, run});
	}

	/** Ends all; once it resolves, nothing of this lane touches its file any more. */
	close(): Promise<void> {
		if (this.#dead) return Promise.resolve();
		if (!this.#closing) {
			this.#closing = Promise.withResolvers<void>();
			this.#post({type: 'close', lane: this.id});
		}
		return this.#closing.promise;
	}

	/** A message from the worker. */
	receive(message: Extract<FromWorker, {lane: number}>): void {
		if (message.type === 'layer') this.#layers.get(message.run)?.resolve(message);
		else if (message.type === 'closed') {
			this.#dead = true;
			this.#closing?.resolve();
		} else if (message.type === 'refused') this.listener?.refused?.(message.run, message.file, message.fault);
		else this.#ended(message.run, message.fault);
	}

	/** A piece is verified and written. */
	arrived(run: number, piece: number): void {
		this.listener?.piece(run, piece);
	}

	/** What the worker has counted just now. */
	sampled(times: LaneTimes): void {
		this.times = times;
		const received = times.bytes;
		if (received === this.received) return;
		const now = performance.now();
		const seconds = Math.max(now - this.#sampledAt, 50) / 1000;
		const speed = Math.max(0, received - this.received) / seconds;
		// A long time since the last sample says as much as several samples.
		const weight = 1 - Math.exp(-seconds / 0.6);
		this.speed = this.speed === 0 ? speed : this.speed + (speed - this.speed) * weight;
		this.received = received;
		this.#sampledAt = now;
		this.lastBytes = now;
	}

	/** The worker is gone. */
	crashed(message: string): void {
		this.#dead = true;
		for (const run of [...this.#layers.keys()]) this.#ended(run, {kind: 'network', message});
		this.listener?.ended(0, {kind: 'network', message});
		this.#closing?.resolve();
	}

	#send(order: RunOrder | LayerOrder | FilesOrder): void {
		if (this.#dead) queueMicrotask(() => this.#ended(order.run, {kind: 'network', message: 'the worker has ended'}));
		else this.#post(order);
	}

	#ended(run: number, fault: Fault | undefined): void {
		const layer = this.#layers.get(run);
		if (!layer) {
			this.listener?.ended(run, fault);
			return;
		}
		this.#layers.delete(run);
		if (fault) layer.reject(fault);
	}
}
