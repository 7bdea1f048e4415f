// What this node keeps, as its loop sees it: the keeper itself is in a thread.
import {limits} from '../api/limits.ts';
import {errorLine} from '../core/errors.ts';
import {type FullWords, KeeperThread} from './keeper-thread.ts';

/** Where a part is kept, and the tag of its network. */
export type KeptPart = {file: string; tag: Buffer};

/** Milliseconds until a thread that died is started anew; twice as many after each time that it does not start. */
const startAgainMs = 1000;
const startAgainMostMs = 60_000;

/** Keeps records for others and answers for them. Calls never block. */
export class RemoteKeeper {
	readonly #part: KeptPart;
	readonly #log: (message: string) => void;
	#place: {thread: KeeperThread; part: number} | undefined;
	#waiting = 0;
	#closed = false;
	/** Records that are kept, as of the last answer. */
	records = 0;

	private constructor(part: KeptPart, log: (message: string) => void) {
		this.#part = part;
		this.#log = log;
	}

	/**
	 * Opens a part, or begins it.
	 *
	 * @param log told when the thread died; it is started anew
	 * @throws P2pError bad-database
	 */
	static async start(part: KeptPart, log: (message: string) => void): Promise<RemoteKeeper> {
		const keeper = new RemoteKeeper(part, log);
		await keeper.#open();
		return keeper;
	}

	/** Takes in a packet. @returns the answer's bytes; undefined when it is refused @throws WrongBytes */
	async put(message: Buffer, nodeId: Buffer, token: Buffer, address: string): Promise<Buffer | undefined> {
		return this.#packet({...{kind: 'put', address}, message: copy(message), nodeId: copy(nodeId), token: copy(token)});
	}

	/** Answers a question. @returns undefined when too many wait @throws WrongBytes */
	async get(message: Buffer): Promise<Buffer | undefined> {
		return this.#packet({kind: 'get', message: copy(message)});
	}

	/**
	 * Takes in a list of files, whose memory goes to the thread.
	 *
	 * @returns which words of which of them are full; undefined when it is refused
	 * @throws WrongBytes
	 */
	async keepList(publisher: string, body: Buffer, address: string): Promise<FullWords | undefined> {
		const isAlone = body.buffer instanceof ArrayBuffer && body.buffer.byteLength < 2 * body.length;
		const given = isAlone ? body : copy(body);
		const value = await this.#call({kind: 'list', publisher, body: given, address}, [given.buffer as ArrayBuffer]);
		return value as FullWords | undefined;
	}

	/** Writes what is not written yet. */
	async stop(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await this.#close();
	}

	async #close(): Promise<void> {
		const place = this.#place;
		if (!place) return;
		await place.thread.call(place.part, {kind: 'close'}).catch(() => undefined);
		await place.thread.leave();
	}

	async #open(): Promise<void> {
		const place = KeeperThread.join();
		const {thread, part} = place;
		void thread.ended.then(error => this.#ended(place, error.message));
		try {
			const {file, tag} = this.#part;
			this.records = (await thread.call(part, {kind: 'open', file, tag: copy(tag)})).records;
			this.#place = place;
		} catch (error) {
			await thread.leave();
			throw error;
		}
	}

	#ended(place: {thread: KeeperThread; part: number}, message: string): void {
		if (this.#closed || this.#place !== place) return;
		this.#place = undefined;
		this.#log(message);
		this.#openAgain(startAgainMs);
	}

	#openAgain(pause: number): void {
		setTimeout(async () => {
			if (this.#closed) return;
			try {
				await this.#open();
				// Stopped meanwhile: whoever did found nothing to close.
				if (this.#closed) await this.#close();
			} catch (error) {
				this.#log(errorLine(error));
				this.#openAgain(Math.min(2 * pause, startAgainMostMs));
			}
		}, pause).unref();
	}

	async #packet(call: Parameters<KeeperThread['call']>[1]): Promise<Buffer | undefined> {
		if (this.#waiting >= limits.table.waitingPackets) return undefined;
		const value = (await this.#call(call)) as Uint8Array | undefined;
		return value && Buffer.from(value.buffer, value.byteOffset, value.length);
	}

	async #call(...[call, given]: [Parameters<KeeperThread['call']>[1], ArrayBuffer[]?]): Promise<unknown> {
		if (!this.#place || this.#closed) return undefined;
		const {thread, part} = this.#place;
		this.#waiting++;
		try {
			const {value, records} = await thread.call(part, call, given);
			this.records = records;
			return value;
		} finally {
			this.#waiting--;
		}
	}
}

/** Bytes in memory of their own. */
function copy(bytes: Buffer): Uint8Array<ArrayBuffer> {
	return new Uint8Array(bytes);
}
