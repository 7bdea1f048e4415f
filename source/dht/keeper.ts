// How this node answers: what it takes in and what it finds in its part of the table.
import {setImmediate} from 'node:timers/promises';
import {limits} from '../api/limits.ts';
import {matchesQuery, type ParsedQuery, parseQuery} from '../api/query.ts';
import {BadBytes, ByteReader} from './bytes.ts';
import {
	AnswerWriter,
	batchText,
	type Cursor,
	fromStart,
	type GetRequest,
	messageBytes,
	type PutFile,
	readGet,
	readPut,
	readPutFile,
	writePutAnswer,
} from './messages.ts';
import {textsOf} from './name-filter.ts';
import {sealBytes} from './network-key.ts';
import {type FilePage, type PostingStore, partOf, putAtOnce} from './posting-store.ts';
import {isGenuinePresence, isSignedBy} from './records.ts';
import {keyWords, leadsOf} from './words.ts';

/** So many times fewer files must be under another word. */
const muchRarer = 4;
/** Where so few would be rare enough, the word that is asked for is soon gone through. */
const fewFiles = 32;
/** The first file under a word, after those under a rarer one. */
const wordFromStart: Cursor = {first: 0, second: 1};

type WordRequest = Extract<GetRequest, {kind: 'word'}>;

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
		const {cursor, kind} = request;
		const query = kind === 'scan' ? parseQuery(request.query) : undefined;
		const page = (after: number) =>
			kind === 'scan' ? this.#store.all(after, now) : this.#store.withContent(request.content, after, now);
		const found = fill(answer, cursor.second, page, query, limits.table.looksAt);
		const next = found.end ? undefined : {first: 0, second: found.after};
		return answer.done({next, total: 0, split: false});
	}

	#words(request: WordRequest, answer: AnswerWriter, now: number): Buffer {
		const text = request.part === '' ? request.word : partOf(request.word, request.part);
		const exact = this.#store.word(text);
		const {files: total, split} = exact ?? {files: 0, split: false};
		const query = request.query === '' ? undefined : parseQuery(request.query);
		const {cursor} = request;
		if (cursor.first === fromStart.first && cursor.second === fromStart.second) {
			const rare = query && this.#rarer(request, query);
			if (rare !== undefined) {
				const found = this.#look(rare, {...request, cursor: fromStart}, query, answer, now);
				// The word itself is gone through all the same: what fits may not stand under the other one here.
				if (answer.files > 0 || found.used >= limits.table.filters)
					return answer.done({next: wordFromStart, total, split});
			}
		}
		const {next} = this.#look(text, request, query, answer, now, exact?.id);
		return answer.done({next, total, split});
	}

	/**
	 * Another word of the query that has far fewer files here than the one which is asked for: where all words of a file are
	 * kept together, what fits is among them, and soon found.
	 */
	#rarer({word, part, prefix}: WordRequest, query: ParsedQuery): string | undefined {
		if (!prefix || part !== '') return undefined;
		const {words, alternatives} = leadsOf(query);
		if (alternatives || words.length < 2) return undefined;
		let [rarest, fewest]: [string | undefined, number] = [undefined, this.#store.filesFrom(word) / muchRarer];
		if (fewest < fewFiles) return undefined;
		for (const other of words) {
			const files = other === word ? 0 : this.#store.filesFrom(other);
			if (files > 0 && files < fewest) [rarest, fewest] = [other, files];
		}
		return rarest;
	}

	/** Fills an answer with files under a word, or the words that begin with it, which the query takes. */
	#look(
		text: string,
		{prefix, cursor}: Pick<WordRequest, 'prefix' | 'cursor'>,
		query: ParsedQuery | undefined,
		answer: AnswerWriter,
		now: number,
		exact?: number,
	): {next: Cursor | undefined; used: number} {
		const most = limits.table.wordsAtOnce;
		const words = prefix
			? this.#store.wordsFrom(text, Math.max(0, cursor.first), most + 1)
			: exact === undefined
				? []
				: [exact];
		const texts = query ? textsOf(query, text) : [];
		const looksAt = texts.length > 0 ? limits.table.filters : limits.table.looksAt;
		let used = 0;
		for (const [index, word] of words.entries()) {
			const after = word === cursor.first ? cursor.second : 0;
			const page = (from: number, limit: number) => this.#store.under(word, from, now, limit, texts);
			const found = fill(answer, after, page, query, looksAt - used);
			used += found.seen;
			if (!found.end || used >= looksAt) return {next: {first: word, second: found.after}, used};
			if (index === most) return {next: {first: word + 1, second: 0}, used};
		}
		return {next: undefined, used};
	}

	#isTimely({time, expiry}: {time: number; expiry: number}, now: number): boolean {
		return (
			time <= now + limits.table.clockSkew &&
			expiry > now &&
			expiry <= now + limits.table.longestLife + limits.table.clockSkew
		);
	}
}

/** Fills an answer with those files of a list that the query takes, and looks at so many at most. */
function fill(
	answer: AnswerWriter,
	from: number,
	page: (after: number, limit: number) => FilePage,
	query: ParsedQuery | undefined,
	most: number,
): {after: number; end: boolean; seen: number} {
	let after = from;
	let seen = 0;
	while (seen < most) {
		const read = page(after, most - seen);
		for (const file of read.files) {
			if ((!query || matchesQuery(query, file)) && !answer.file(file.publisher, file.raw))
				return {after, end: false, seen};
			after = file.id;
		}
		after = read.after;
		seen += read.seen;
		if (read.end) return {after, end: true, seen};
	}
	return {after, end: false, seen};
}

/** Whether an error says that what was sent is wrong, and not that this program is. */
export function isSendersFault(error: unknown): boolean {
	return error instanceof BadBytes || (error instanceof Error && error.name === 'P2pError');
}
