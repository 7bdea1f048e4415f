// Putting batches on nodes: tokens, signatures, packets, many at once.

import {sign} from 'node:crypto';
import PQueue from 'p-queue';
import {limits} from '../api/limits.ts';
import type {Keeper} from './keeper.ts';
import {
	batchFileBytes,
	batchHeadBytes,
	batchText,
	commands,
	messageBytes,
	type PutFile,
	readPutAnswer,
	writeFiles,
	writePresence,
	writePut,
} from './messages.ts';
import {sealBytes} from './network-key.ts';
import type {DhtNode, TableNode} from './node.ts';
import type {PresenceRecord, Signed, Signer} from './records.ts';

/** Requests that are under way at once: as many as the sockets of two cores take without losing some. */
const atOnce = 40;
/** Milliseconds that a token is used; nodes take it for at least 7 seconds. */
const tokenLife = 5000;
const noSignature = Buffer.alloc(64);

/** What came of sending files to a node: per file the words that were full there, or undefined when it did not take them. */
export type Sent = {full: number[]} | undefined;

/** Sends what this peer publishes. */
export class Sender {
	readonly #node: DhtNode;
	readonly #keeper: Keeper | undefined;
	readonly #signer: Signer;
	readonly #queue = new PQueue({concurrency: atOnce});
	readonly #tokens = new Map<string, {token: Buffer; until: number}>();
	/** Batches that nodes took, and that they did not. */
	readonly counts = {taken: 0, failed: 0};

	constructor(node: DhtNode, keeper: Keeper | undefined, signer: Signer) {
		this.#node = node;
		this.#keeper = keeper;
		this.#signer = signer;
	}

	/** Sends files to one node, in as many packets as it takes. */
	async files(to: TableNode | 'self', files: PutFile[], part: string): Promise<Sent> {
		const {peer} = this.#signer;
		const batches = [...packed(files)];
		const answers = await Promise.all(
			batches.map(batch => {
				if (to !== 'self') return this.#put(to, writeFiles(peer, part, batch));
				return this.#keeper?.keep({kind: 'files', publisher: peer, part, files: batch}, 'self');
			}),
		);
		if (answers.some(answer => !answer)) return undefined;
		return {full: answers.flatMap(answer => readPutAnswer(answer!))};
	}

	/** @returns whether the node took it */
	async presence(to: TableNode | 'self', presence: Signed<PresenceRecord>): Promise<boolean> {
		if (to === 'self') return this.#keeper?.keep({kind: 'presence', presence}, 'self') !== undefined;
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

/** Files in the order they came, cut into what fits a packet. */
function* packed(files: PutFile[]): Generator<PutFile[]> {
	const room = messageBytes - sealBytes - batchHeadBytes;
	let batch: PutFile[] = [];
	let left = room;
	for (const file of files) {
		const bytes = batchFileBytes + file.file.raw.length;
		if (bytes > left && batch.length > 0) {
			yield batch;
			batch = [];
			left = room;
		}
		batch.push(file);
		left -= bytes;
	}
	if (batch.length > 0) yield batch;
}
