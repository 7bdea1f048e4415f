// The part of the table that this node keeps, in a thread of its own: a commit of some thousand records takes a database
// longer than the loop that answers others may stand still.
import type {Worker} from 'node:worker_threads';
import {limits} from '../api/limits.ts';
import {P2pError} from '../core/errors.ts';
import {startWorker} from '../core/worker-url.ts';

/** What the thread starts with. `tag`: of the network. */
export type KeeperData = {file: string; tag: Uint8Array};

/** What it is asked. All bytes are copies of what they hold alone: a view would take along all that it looks at. */
export type KeeperCall =
	| {kind: 'put'; message: Uint8Array; nodeId: Uint8Array; token: Uint8Array; address: string}
	| {kind: 'list'; publisher: string; body: Uint8Array; address: string}
	| {kind: 'get'; message: Uint8Array}
	| {kind: 'close'};

/** Words of files that were full, by the files' places, as masks. */
export type FullWords = Array<[place: number, mask: number]>;

/**
 * What it answers, in the order in which calls end. `records`: how many it keeps now. Without a value the call was refused;
 * `wrong`: what was wrong with its bytes; `fault`: what is wrong with this program or its disk.
 */
export type KeeperAnswer = {
	id: number;
	records: number;
	value?: Uint8Array | FullWords;
	wrong?: string;
	fault?: string;
};

/**
 * Of its JavaScript memory, in MiB: what lives there is small, and with little room garbage goes soon. The database's own
 * memory is outside of it and bounded by its cache.
 */
const resourceLimits = {maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 96};
/** Milliseconds until a thread that died is started anew. */
const startAgainMs = 1000;

/** Bytes that the sender got wrong. */
export class WrongBytes extends Error {}

type Waiting = {resolve(value: Uint8Array | FullWords | undefined): void; reject(error: Error): void};

/** Keeps records for others and answers for them. Calls never block. */
export class KeeperThread {
	readonly #data: KeeperData;
	readonly #log: (message: string) => void;
	readonly #waiting = new Map<number, Waiting>();
	#worker!: Worker;
	#exited!: Promise<void>;
	#lastId = 0;
	#closed = false;
	/** Records that are kept, as of the last answer. */
	records = 0;

	private constructor(data: KeeperData, log: (message: string) => void) {
		this.#data = data;
		this.#log = log;
	}

	/**
	 * Opens the part that is kept in a file, or begins it.
	 *
	 * @param log told when the thread died, after which it is started anew
	 * @throws P2pError bad-database
	 */
	static async start(data: KeeperData, log: (message: string) => void): Promise<KeeperThread> {
		const thread = new KeeperThread(data, log);
		await thread.#begin();
		return thread;
	}

	/** Takes in a packet. @returns the answer's bytes; undefined when it is refused @throws WrongBytes */
	async put(message: Buffer, nodeId: Buffer, token: Buffer, address: string): Promise<Buffer | undefined> {
		if (this.#isFull) return undefined;
		return buffer(
			await this.#call({...{kind: 'put', address}, message: copy(message), nodeId: copy(nodeId), token: copy(token)}),
		);
	}

	/** Takes in a list of files, whose memory goes to the thread. @returns which words of which of them are full; undefined when it is refused @throws WrongBytes */
	async keepList(publisher: string, body: Buffer, address: string): Promise<FullWords | undefined> {
		const isAlone = body.buffer instanceof ArrayBuffer && body.buffer.byteLength < 2 * body.length;
		const given = isAlone ? body : copy(body);
		const call: KeeperCall = {kind: 'list', publisher, body: given, address};
		return (await this.#call(call, [given.buffer as ArrayBuffer])) as FullWords | undefined;
	}

	/** Answers a question. @returns undefined when there are too many @throws WrongBytes */
	async get(message: Buffer): Promise<Buffer | undefined> {
		if (this.#isFull) return undefined;
		return buffer(await this.#call({kind: 'get', message: copy(message)}));
	}

	/** Writes what is not written yet and ends the thread. */
	async stop(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		this.#worker.postMessage({id: 0, call: {kind: 'close'} satisfies KeeperCall});
		await this.#exited;
	}

	get #isFull(): boolean {
		return this.#waiting.size >= limits.table.waitingPackets;
	}

	#begin(): Promise<void> {
		const worker = startWorker('dht/keeper-worker', {workerData: this.#data, name: 'table', resourceLimits});
		this.#worker = worker;
		let problem = 'its thread ended';
		worker.on('message', (answer: KeeperAnswer) => this.#answer(answer));
		worker.on('error', error => {
			problem = error instanceof Error ? error.message : String(error);
		});
		this.#exited = new Promise(resolve => worker.once('exit', () => resolve()));
		const ready = new Promise<void>((resolve, reject) => {
			this.#waiting.set(0, {resolve: () => resolve(), reject});
		});
		void this.#exited.then(() => {
			const error = new P2pError('bad-database', `Cannot keep a part of the table in ${this.#data.file}: ${problem}`, {
				hint: 'See that the disk has room and the data folder can be written',
			});
			for (const {reject} of this.#waiting.values()) reject(error);
			this.#waiting.clear();
			if (this.#closed) return;
			this.#log(error.message);
			setTimeout(() => {
				if (!this.#closed) this.#begin().catch(() => undefined);
			}, startAgainMs).unref();
		});
		return ready;
	}

	#call(call: KeeperCall, given: ArrayBuffer[] = []): Promise<Uint8Array | FullWords | undefined> {
		if (this.#closed) return Promise.resolve(undefined);
		const id = ++this.#lastId;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, {resolve, reject});
			this.#worker.postMessage({id, call}, given);
		});
	}

	#answer({id, records, value, wrong, fault}: KeeperAnswer): void {
		this.records = records;
		const waiting = this.#waiting.get(id);
		this.#waiting.delete(id);
		if (wrong !== undefined) waiting?.reject(new WrongBytes(wrong));
		else if (fault !== undefined) waiting?.reject(new Error(fault));
		else waiting?.resolve(value);
	}
}

/** Bytes in memory of their own. */
function copy(bytes: Buffer): Uint8Array {
	return new Uint8Array(bytes);
}

function buffer(value: Uint8Array | FullWords | undefined): Buffer | undefined {
	return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length) : undefined;
}
