// What nodes say to each other in the commands of ours (docs/protocol.md, "With no server"). Every message fits into one
// packet that no network path splits.
import {BadBytes, ByteReader, ByteWriter} from './bytes.ts';
import {type FileRecord, type PresenceRecord, readFile, readPresence, type Signed} from './records.ts';

/** Numbers of our commands; HyperDHT's own are below 32. */
export const commands = {put: 100, get: 101, door: 102} as const;
/** An answer's error number: the request is not of this network, or not from a member of it. */
export const foreignNetwork = 100;
/** The same: not taken, since it is wrong or too much. */
export const refused = 101;
/** Bytes of a message: with all headers below 1,400. */
export const messageBytes = 1230;

/** What a batch says about one file. */
export type PutFile = {
	/** Bit n: keep it under its n-th word; {@link contentBit}: for its content. */
	mask: number;
	/** Bit n: keep it under that part of its n-th word which the first digit of its content names. */
	parts: number;
	file: Signed<FileRecord>;
};

/** In a mask: it is kept here for those who ask by content ID. */
export const contentBit = 2 ** 31;

/** A batch to keep, signed over the node's ID, its token and the body. */
export type PutBody =
	| {kind: 'files'; publisher: string; files: PutFile[]}
	| {kind: 'presence'; presence: Signed<PresenceRecord>};

/** Where a node takes much at once: the TCP port of its HTTPS server, and the key that answers there. */
export type Door = {port: number; id: string};

export function writeDoor({port, id}: Door): Buffer {
	return new ByteWriter().number(port, 2).bytes(Buffer.from(id, 'hex')).done();
}

/** @throws BadBytes */
export function readDoor(message: Buffer): Door {
	const reader = new ByteReader(message);
	return {port: reader.number(2), id: reader.bytes(32).toString('hex')};
}

const putContext = Buffer.from('p2p-tui dht batch 1');

/** What of a batch its publisher signs for one node. */
export function batchText(nodeId: Buffer, token: Buffer, body: Buffer): Buffer {
	return Buffer.concat([putContext, nodeId, token, body]);
}

/** Bytes of a batch of files before the first of them, signature included. */
export const batchHeadBytes = 64 + 1 + 32 + 1;
/** Bytes of a file in a batch besides its record. */
export const batchFileBytes = 8;

/** @param signature of {@link batchText}; a presence is signed itself and needs none */
export function writePut(body: Buffer, signature: Buffer): Buffer {
	return Buffer.concat([signature, body]);
}

export function writeFiles(publisher: string, files: PutFile[]): Buffer {
	const head = new ByteWriter().number(0, 1).bytes(Buffer.from(publisher, 'hex')).number(files.length, 1).done();
	return Buffer.concat([head, writeFileList(files)]);
}

/** Files as they follow each other in a batch, and by themselves where TLS says who sends them. */
export function writeFileList(files: PutFile[]): Buffer {
	const list = Buffer.allocUnsafe(files.reduce((sum, {file}) => sum + batchFileBytes + file.raw.length, 0));
	let at = 0;
	for (const {mask, parts, file} of files) {
		at = list.writeUInt32BE(mask, at);
		at = list.writeUInt32BE(parts, at);
		at += file.raw.copy(list, at);
	}
	return list;
}

/** The next file of such a list. @throws BadBytes */
export function readPutFile(reader: ByteReader): PutFile {
	return {mask: reader.number(4), parts: reader.number(4), file: readFile(reader)};
}

export function writePresence(presence: Signed<PresenceRecord>): Buffer {
	return new ByteWriter().number(1, 1).bytes(presence.raw).done();
}

/** @throws BadBytes */
export function readPut(message: Buffer): {signature: Buffer; body: Buffer; put: PutBody} {
	const reader = new ByteReader(message);
	const signature = reader.bytes(64);
	const body = message.subarray(64);
	const kind = reader.number(1);
	if (kind === 1) return {signature, body, put: {kind: 'presence', presence: readPresence(reader)}};
	if (kind !== 0) throw new BadBytes('another kind of batch');
	const publisher = reader.bytes(32).toString('hex');
	const files = Array.from({length: reader.number(1)}, () => readPutFile(reader));
	return {signature, body, put: {kind: 'files', publisher, files}};
}

/** The answer to a batch: for each file the words under which there is no more room, as a mask. */
export function writePutAnswer(full: number[]): Buffer {
	const answer = new ByteWriter().number(full.length, 1);
	for (const mask of full) answer.number(mask, 4);
	return answer.done();
}

/** @throws BadBytes */
export function readPutAnswer(message: Buffer): number[] {
	const reader = new ByteReader(message);
	return Array.from({length: reader.number(1)}, () => reader.number(4));
}

/** A question. */
export type GetRequest =
	/** Files under a word. `prefix`: under any word that begins with it. `query`: what else must hold. */
	| {kind: 'word'; word: string; part: string; prefix: boolean; query: string; cursor: Cursor}
	/** All files that are kept, for those that `query` takes. */
	| {kind: 'scan'; query: string; cursor: Cursor}
	| {kind: 'content'; content: string; cursor: Cursor}
	| {kind: 'peer'; peer: string}
	| {kind: 'peers'; cursor: Cursor};

/** Where an answer goes on: two numbers that only the node which gave them understands. */
export type Cursor = {first: number; second: number};
export const fromStart: Cursor = {first: 0, second: 0};

/** An answer. */
export type GetAnswer = {
	files: Array<{publisher: string; file: Signed<FileRecord>}>;
	presences: Array<Signed<PresenceRecord>>;
	/** Where it goes on; undefined at the end. */
	next: Cursor | undefined;
	/** Files under the word, whether they fit the query or not. */
	total: number;
	/** The word has had too many: there are more under its parts. */
	split: boolean;
};

const kinds = ['word', 'scan', 'content', 'peer', 'peers'] as const;

export function writeGet(request: GetRequest): Buffer {
	const cursor = 'cursor' in request ? request.cursor : fromStart;
	const writer = new ByteWriter().number(kinds.indexOf(request.kind), 1).number(cursor.first, 6).size(cursor.second);
	if (request.kind === 'word')
		writer
			.number(request.prefix ? 1 : 0, 1)
			.text(request.word, 2)
			.text(request.part, 1)
			.text(request.query, 2);
	if (request.kind === 'scan') writer.text(request.query, 2);
	if (request.kind === 'content') writer.bytes(Buffer.from(request.content, 'hex'));
	if (request.kind === 'peer') writer.bytes(Buffer.from(request.peer, 'hex'));
	return writer.done();
}

/** @throws BadBytes */
export function readGet(message: Buffer): GetRequest {
	const reader = new ByteReader(message);
	const kind = kinds[reader.number(1)];
	const cursor = {first: reader.number(6), second: reader.size()};
	switch (kind) {
		case 'word': {
			const prefix = reader.number(1) === 1;
			return {kind, prefix, word: reader.text(2), part: reader.text(1), query: reader.text(2), cursor};
		}
		case 'scan':
			return {kind, query: reader.text(2), cursor};
		case 'content':
			return {kind, content: reader.bytes(32).toString('hex'), cursor};
		case 'peer':
			return {kind, peer: reader.bytes(32).toString('hex')};
		case 'peers':
			return {kind, cursor};
		default:
			throw new BadBytes('another kind of question');
	}
}

const answerHeadBytes = 1 + 6 + 8 + 4 + 2;

/** Puts an answer together, as much as fits. */
export class AnswerWriter {
	readonly #publishers: string[] = [];
	readonly #files: Array<{publisher: number; raw: Buffer}> = [];
	readonly #presences: Buffer[] = [];
	#left: number;

	/** @param room bytes of the whole answer */
	constructor(room: number) {
		this.#left = room - answerHeadBytes;
	}

	/** Files in it. */
	get files(): number {
		return this.#files.length;
	}

	/** @returns whether it fitted */
	file(publisher: string, raw: Buffer): boolean {
		let index = this.#publishers.indexOf(publisher);
		const bytes = 1 + raw.length + (index === -1 ? 32 : 0);
		if (bytes > this.#left || this.#files.length === 255) return false;
		if (index === -1) index = this.#publishers.push(publisher) - 1;
		this.#files.push({publisher: index, raw});
		this.#left -= bytes;
		return true;
	}

	/** @returns whether it fitted */
	presence(raw: Buffer): boolean {
		if (raw.length > this.#left) return false;
		this.#presences.push(raw);
		this.#left -= raw.length;
		return true;
	}

	done({next, total, split}: Pick<GetAnswer, 'next' | 'total' | 'split'>): Buffer {
		const writer = new ByteWriter()
			.number((next ? 1 : 0) | (split ? 2 : 0), 1)
			.number(next?.first ?? 0, 6)
			.size(next?.second ?? 0)
			.number(Math.min(total, 2 ** 32 - 1), 4)
			.number(this.#publishers.length, 1);
		for (const publisher of this.#publishers) writer.bytes(Buffer.from(publisher, 'hex'));
		writer.number(this.#files.length, 1);
		for (const {publisher, raw} of this.#files) writer.number(publisher, 1).bytes(raw);
		for (const raw of this.#presences) writer.bytes(raw);
		return writer.done();
	}
}

/** @throws BadBytes */
export function readAnswer(message: Buffer): GetAnswer {
	const reader = new ByteReader(message);
	const flags = reader.number(1);
	const cursor = {first: reader.number(6), second: reader.size()};
	const total = reader.number(4);
	const publishers = Array.from({length: reader.number(1)}, () => reader.bytes(32).toString('hex'));
	const files = Array.from({length: reader.number(1)}, () => {
		const publisher = publishers[reader.number(1)];
		if (publisher === undefined) throw new BadBytes('a publisher that is not there');
		return {publisher, file: readFile(reader)};
	});
	const presences: GetAnswer['presences'] = [];
	while (reader.left > 0) presences.push(readPresence(reader));
	return {files, presences, next: (flags & 1) === 1 ? cursor : undefined, total, split: (flags & 2) === 2};
}
