// What this node keeps, as its loop sees it: the keeper itself is in a thread.
import {setTimeout as sleep} from 'node:timers/promises';
import {limits} from '../api/limits.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import {type FullWords, type KeeperCall, KeeperThread} from './keeper-thread.ts';

/** Where a part is kept, and the tag of its network. */
export type KeptPart = {file: string; tag: Buffer};

/** What its owner is told. */
export type KeeperEvents = {
	/** The thread died, or cannot be started anew yet. */
	log(message: string): void;
	/** It is there again, without what came in during its last seconds. */
	startedAnew(): void;
};

/** Milliseconds until a thread that died is started anew; twice as many after each time that it does not start. */
const startAgainMs = 250;
const startAgainMostMs = 60_000;
/** Milliseconds that a packet waits for that: about as long as its sender waits for the answer. */
const packetMs = 2000;

type Place = {thread: KeeperThread; part: number};

/** Keeps records for others and answers for them. Calls never block. */
export class RemoteKeeper {
	readonly #part: KeptPart;
	readonly #events: KeeperEvents;
	#place: Place | undefined;
	/** Resolves when a thread that died has been started anew; undefined while there is one. */
	#back: PromiseWithResolvers<void> | undefined;
	/** Its being started anew: never fails. */
	#opening: Promise<void> | undefined;
	#waiting = 0;
	#closed = false;
	/** Records that are kept, as of the last answer. */
	records = 0;

	private constructor(part: KeptPart, events: KeeperEvents) {
		this.#part = part;
		this.#events = events;
	}

	/** Opens a part, or begins it. Its thread is started anew when it dies. @throws P2pError bad-database */
	static async start(part: KeptPart, events: KeeperEvents): Promise<RemoteKeeper> {
		const keeper = new RemoteKeeper(part, events);
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
	 * @throws WrongBytes; P2pError busy when it must be brought again in a moment, bad-database
	 */
	async keepList(publisher: string, body: Buffer, address: string): Promise<FullWords | undefined> {
		const place = this.#place;
		if (this.#closed) return undefined;
		if (!place) throw starting();
		const isAlone = body.buffer instanceof ArrayBuffer && body.buffer.byteLength < 2 * body.length;
		const given = isAlone ? body : copy(body);
		const call = {kind: 'list', publisher, body: given, address} as const;
		try {
			return (await this.#call(place, call, [given.buffer as ArrayBuffer])) as FullWords | undefined;
		} catch (error) {
			throw place.thread.hasEnded ? starting() : error;
		}
	}

	/** Writes what is not written yet. The file is closed then, whether it was open or being opened. */
	async stop(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		this.#back?.resolve();
		await this.#opening;
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

	#ended(place: Place, message: string): void {
		if (this.#closed || this.#place !== place) return;
		this.#place = undefined;
		this.#back = Promise.withResolvers();
		this.#events.log(`${message}. It is started anew`);
		this.#openAgain(startAgainMs);
	}

	#openAgain(pause: number): void {
		const open = async () => {
			if (this.#closed) return;
			try {
				await this.#open();
			} catch (error) {
				if (this.#closed) return;
				this.#events.log(errorLine(error));
				this.#openAgain(Math.min(2 * pause, startAgainMostMs));
				return;
			}
			if (this.#closed) return;
			this.#back?.resolve();
			this.#back = undefined;
			this.#events.startedAnew();
		};
		setTimeout(() => {
			this.#opening = open();
		}, pause).unref();
	}

	/** Asks until a thread answers that lives: to take in the same packet twice changes nothing. */
	async #packet(call: KeeperCall): Promise<Buffer | undefined> {
		if (this.#waiting >= limits.table.waitingPackets) return undefined;
		this.#waiting++;
		const end = performance.now() + packetMs;
		try {
			while (!this.#closed) {
				const place = this.#place;
				try {
					if (place) {
						const value = (await this.#call(place, call)) as Uint8Array | undefined;
						return value && Buffer.from(value.buffer, value.byteOffset, value.length);
					}
				} catch (error) {
					if (!place?.thread.hasEnded) throw error;
				}
				const left = end - performance.now();
				if (left <= 0) break;
				await Promise.race([this.#back?.promise, sleep(left, undefined, {ref: false})]);
			}
			return undefined;
		} finally {
			this.#waiting--;
		}
	}

	async #call({thread, part}: Place, call: KeeperCall, given?: ArrayBuffer[]): Promise<unknown> {
		const {value, records} = await thread.call(part, call, given);
		this.records = records;
		return value;
	}
}

function starting(): P2pError {
	return new P2pError('busy', 'This node starts its part of the table anew', {details: {retryAfter: 1}});
}

/** Bytes in memory of their own. */
function copy(bytes: Buffer): Uint8Array<ArrayBuffer> {
	return new Uint8Array(bytes);
}
