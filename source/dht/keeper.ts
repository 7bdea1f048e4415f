// How this node answers: what it takes in and what it finds in its part of the table.
import {setImmediate} from 'node:timers/promises';
import {limits} from '../api/limits.ts';
import {matchesQuery, parseQuery} from '../api/query.ts';
import {BadBytes, ByteReader} from './bytes.ts';
import {
	AnswerWriter,
	batchText,
	type Cursor,
	type GetRequest,
	messageBytes,
	type PutFile,
	readGet,
	readPut,
	readPutFile,
	writePutAnswer,
} from './messages.ts';
import {sealBytes} from './network-key.ts';
import {type KeptFile, type PostingStore, partOf, putAtOnce} from './posting-store.ts';
import {isGenuinePresence, isSignedBy} from './records.ts';
import {keyWords} from './words.ts';

const pageOfFiles = 128;

/** The part of a word that has too many files: which one a file is in. */
export const partsOfWord = [...'0123456789abcdef'];

/** Files taken in between two turns of the event loop: others get their answers meanwhile. */
const filesATurn = 64;

/** Takes in batches and answers questions from the store. Times are Unix seconds. */
export class Keeper {
	readonly #store: PostingStore;
	readonly #tag: Buffer;
	readonly #now: () => number;

	constructor(store: PostingStore, tag: Buffer, now: () => number = () => Math.floor(Date.now() / 1000)) {
		this.#store = store;
		this.#tag = tag;
		this.#now = now;
	}

	/**
	 * Takes in a batch.
	 *
	 * @param message bytes that nobody changes: what is kept is written a little later
	 * @param nodeId of this node; @param token that the sender was given: both are what it signed
	 * @returns the answer's bytes; undefined when it is refused
	 * @throws BadBytes
	 */
	put(message: Buffer, nodeId: Buffer, token: Buffer, address: string): Buffer | undefined {
		const {signature, body, put} = readPut(message);
		const now = this.#now();
		if (put.kind === 'presence') {
			const {presence} = put;
			if (!this.#isTimely(presence, now) || !isGenuinePresence(presence, this.#tag)) return undefined;
			return this.#store.putPresence(presence) ? writePutAnswer([]) : undefined;
		}
		if (!isSignedBy(put.publisher, batchText(nodeId, token, body), signature)) return undefined;
		const full = this.#keepFiles(put.publisher, put.files, address, now);
		return full && writePutAnswer(full);
	}

	/**
	 * Takes in much at once from a publisher that TLS has made sure of.
	 *
	 * @param body a list of files; @returns the words of each that are full, as masks; undefined when it is refused
	 * @throws BadBytes
	 */
	async keepList(publisher: string, body: Buffer, address: string): Promise<number[] | undefined> {
		const reader = new ByteReader(body);
		const full: number[] = [];
		while (reader.left > 0) {
			const files: PutFile[] = [];
			while (reader.left > 0 && files.length < filesATurn) files.push(readPutFile(reader));
			if (full.length + files.length > limits.table.filesAtOnce) throw new BadBytes('too many files');
			const taken = this.#keepFiles(publisher, files, address, this.#now());
			if (!taken) return undefined;
			full.push(...taken);
			await setImmediate();
		}
		return full;
	}

	#keepFiles(publisher: string, files: PutFile[], address: string, now: number): number[] | undefined {
		if (files.length > putAtOnce || !files.every(({file}) => this.#isTimely(file, now))) return undefined;
		const stored = files.map(each => ({...each, words: keyWords(each.file.path)}));
		return this.#store.putAll(publisher, address, stored);
	}

	/** @throws BadBytes, P2pError bad-query */
	get(message: Buffer): Buffer {
		return this.answer(readGet(message));
	}

	answer(request: GetRequest): Buffer {
		const answer = new AnswerWriter(messageBytes - sealBytes);
		const now = this.#now();
		if (request.kind === 'peer') {
			const raw = this.#store.presence(request.peer);
			if (raw) answer.presence(raw);
			return answer.done({next: undefined, total: 0, split: false});
		}
		if (request.kind === 'peers') {
			const rows = this.#store.presences(request.cursor.second, now, 20);
			let next: Cursor | undefined;
			for (const [index, {raw}] of rows.entries()) {
				if (answer.presence(raw)) continue;
				next = {first: 0, second: rows[index - 1]?.key ?? 0};
				break;
			}
			return answer.done({next, total: 0, split: false});
		}
		if (request.kind === 'word') return this.#words(request, answer, now);
		const page = (after: number, limit: number) =>
			request.kind === 'scan'
				? this.#store.all(after, now, limit)
				: this.#store.withContent(request.content, after, now, limit);
		const found = this.#fill(answer, request.cursor.second, page, request.kind === 'scan' ? request.query : '');
		const next = found.end ? undefined : {first: 0, second: found.after};
		return answer.done({next, total: 0, split: false});
	}

	#words(request: Extract<GetRequest, {kind: 'word'}>, answer: AnswerWriter, now: number): Buffer {
		const text = request.part === '' ? request.word : partOf(request.word, request.part);
		const exact = this.#store.word(text);
		const from = Math.max(0, request.cursor.first);
		const words = request.prefix
			? this.#store.wordsFrom(text, from, limits.table.wordsAtOnce + 1)
			: exact
				? [exact.id]
				: [];
		let cursor = request.cursor;
		let next: Cursor | undefined;
		let budget = limits.table.looksAt;
		for (const [index, word] of words.entries()) {
			const after = word === cursor.first ? cursor.second : 0;
			const page = (seen: number, limit: number) => this.#store.under(word, seen, now, limit);
			const found = this.#fill(answer, after, page, request.query, budget);
			budget -= found.seen;
			cursor = {first: word, second: found.after};
			if (!found.end || budget <= 0) next = cursor;
			else if (index === limits.table.wordsAtOnce) next = {first: word + 1, second: 0};
			if (next) break;
		}
		return answer.done({next, total: exact?.files ?? 0, split: exact?.split ?? false});
	}

	/** Fills an answer with those files of a list that the query takes. */
	#fill(
		answer: AnswerWriter,
		from: number,
		page: (after: number, limit: number) => KeptFile[],
		text: string,
		budget: number = limits.table.looksAt,
	): {after: number; end: boolean; seen: number} {
		const query = text === '' ? undefined : parseQuery(text);
		let after = from;
		let seen = 0;
		while (seen < budget) {
			const files = page(after, pageOfFiles);
			for (const file of files) {
				if ((!query || matchesQuery(query, file)) && !answer.file(file.publisher, file.raw))
					return {after, end: false, seen};
				after = file.id;
				seen++;
			}
			if (files.length < pageOfFiles) return {after, end: true, seen};
		}
		return {after, end: false, seen};
	}

	#isTimely({time, expiry}: {time: number; expiry: number}, now: number): boolean {
		return (
			time <= now + limits.table.clockSkew &&
			expiry > now &&
			expiry <= now + limits.table.longestLife + limits.table.clockSkew
		);
	}
}

/** Whether an error says that what was sent is wrong, and not that this program is. */
export function isSendersFault(error: unknown): boolean {
	return error instanceof BadBytes || (error instanceof Error && error.name === 'P2pError');
}
