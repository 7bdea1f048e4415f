// Putting batches on nodes: tokens, signatures, packets, many at once.
import {sign} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import PQueue from 'p-queue';
import {limits} from '../api/limits.ts';
import {P2pError} from '../core/errors.ts';
import type {TableAnswer} from '../net/table-route.ts';
import type {Doors} from './doors.ts';
import {
	batchFileBytes,
	batchHeadBytes,
	batchText,
	commands,
	messageBytes,
	type PutFile,
	readPutAnswer,
	writeFileList,
	writeFiles,
	writePresence,
	writePut,
} from './messages.ts';
import {sealBytes} from './network-key.ts';
import type {DhtNode, TableNode} from './node.ts';
import type {PresenceRecord, Signed, Signer} from './records.ts';
import type {RemoteKeeper} from './remote-keeper.ts';

/** Requests that are under way at once: as many as the sockets of two cores take without losing some. */
const atOnce = 40;
/** Milliseconds that a token is used; nodes take it for at least 7 seconds. */
const tokenLife = 5000;
const noSignature = Buffer.alloc(64);
/** A presence is signed for all nodes, and needs no token where it goes nowhere. */
const nobody = Buffer.alloc(0);

/** From so many files on, what a node is to keep goes through its door: a few packets are sooner there by themselves. */
const throughDoor = 30;

/** How often this node's own part is tried again while it is started anew, and milliseconds between. */
const ownTries = 20;
const ownMs = 250;

/** What came of sending files to a node: per file the words that were full there, or undefined when it did not take them. */
export type Sent = number[] | undefined;

/** Sends what this peer publishes. */
export class Sender {
	readonly #node: DhtNode;
	readonly #keeper: RemoteKeeper | undefined;
	readonly #signer: Signer;
	readonly #doors: Doors;
	readonly #queue = new PQueue({concurrency: atOnce});
	readonly #tokens = new Map<string, {token: Buffer; until: number}>();
	/** Batches that nodes took, and that they did not; and files that went through doors. */
	readonly counts = {taken: 0, failed: 0, throughDoors: 0};

	constructor(node: DhtNode, keeper: RemoteKeeper | undefined, signer: Signer, doors: Doors) {
		this.#node = node;
		this.#keeper = keeper;
		this.#signer = signer;
		this.#doors = doors;
	}

	/** Sends files to one node: through its door, or in as many packets as it takes. */
	async files(to: TableNode | 'self', files: PutFile[]): Promise<Sent> {
		if (to !== 'self' && files.length < throughDoor) return this.#packets(to, files);
		const full: number[] = [];
		for (const list of cut(files, limits.table.bodyBytes - sealBytes, limits.table.filesAtOnce)) {
			const answer = to === 'self' ? await this.#keepOwn(list) : await this.#doors.send(to, writeFileList(list));
			if (answer === 'refused') return undefined;
			if (!answer) {
				const rest = to === 'self' ? undefined : await this.#packets(to, files.slice(full.length));
				return rest && [...full, ...rest];
			}
			this.counts.throughDoors += list.length;
			const told = new Map(answer.full);
			for (const index of list.keys()) full.push(told.get(index) ?? 0);
		}
		return full;
	}

	async #keepOwn(list: PutFile[]): Promise<TableAnswer | undefined> {
		for (let attempt = 0; ; attempt++) {
			try {
				// Its memory is given away.
				const full = await this.#keeper?.keepList(this.#signer.peer, writeFileList(list), 'self');
				return full && {full};
			} catch (error) {
				// What fails here is logged where it is opened anew; the others keep it meanwhile.
				if (!(error instanceof P2pError) || error.code !== 'busy' || attempt === ownTries) return undefined;
				await sleep(ownMs);
			}
		}
	}

	async #packets(to: TableNode, files: PutFile[]): Promise<Sent> {
		const room = messageBytes - sealBytes - batchHeadBytes;
		const answers = await Promise.all(
			[...cut(files, room, 255)].map(batch => this.#put(to, writeFiles(this.#signer.peer, batch))),
		);
		if (answers.some(answer => !answer)) return undefined;
		return answers.flatMap(answer => readPutAnswer(answer!));
	}

	/** @returns whether the node took it */
	async presence(to: TableNode | 'self', presence: Signed<PresenceRecord>): Promise<boolean> {
		if (to === 'self') {
			const put = writePut(writePresence(presence), noSignature);
			return (await this.#keeper?.put(put, nobody, nobody, 'self')) !== undefined;
		}
		return (await this.#put(to, writePresence(presence))) !== undefined;
	}

	/** @returns the answer; undefined when the node refused or is gone */
	async #put(to: TableNode, body: Buffer): Promise<Buffer | undefined> {
		return this.#queue.add(async () => {
			try {
				let token = await this.#token(to);
				for (let attempt = 0; token && attempt < 2; attempt++) {
					const signature = sign(null, batchText(to.id, token, body), this.#signer.privateKey);
					const answer = await this.#node.request(to, commands.put, writePut(body, signature), {token});
					if (answer.error === 0 && answer.value) {
						this.counts.taken++;
						return answer.value;
					}
					// Tokens end after some seconds; the refusal brings the next one.
					if (!answer.token || answer.token.equals(token)) break;
					token = this.#remember(to, answer.token);
				}
			} catch {
				// A node that does not answer has left: the routing table has dropped it by now.
			}
			this.counts.failed++;
			return undefined;
		});
	}

	async #token(to: TableNode): Promise<Buffer | undefined> {
		const known = this.#tokens.get(`${to.host}:${to.port}`);
		if (known && known.until > Date.now()) return known.token;
		const {token} = await this.#node.request(to, commands.put, noSignature);
		return token ? this.#remember(to, token) : undefined;
	}

	#remember(to: TableNode, token: Buffer): Buffer {
		if (this.#tokens.size >= limits.table.tokens) this.#tokens.clear();
		this.#tokens.set(`${to.host}:${to.port}`, {token, until: Date.now() + tokenLife});
		return token;
	}
}

/** Files in the order they came, cut into lists of so many bytes and files. */
function* cut(files: PutFile[], room: number, most: number): Generator<PutFile[]> {
	let list: PutFile[] = [];
	let left = room;
	for (const file of files) {
		const bytes = batchFileBytes + file.file.raw.length;
		if ((bytes > left || list.length === most) && list.length > 0) {
			yield list;
			list = [];
			left = room;
		}
		list.push(file);
		left -= bytes;
	}
	if (list.length > 0) yield list;
}
