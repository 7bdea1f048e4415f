// Searching the table: by words with the whole query language, and by content ID.
import {limits} from '../api/limits.ts';
import {matchRank, type ParsedQuery, parseQuery} from '../api/query.ts';
import type {ContentSources, Source} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {baseName} from '../core/share-path.ts';
import {partsOfWord} from './keeper.ts';
import {fromStart, type GetAnswer} from './messages.ts';
import type {NetworkKey} from './network-key.ts';
import {numberOfPeer, type PeerBook} from './peer-book.ts';
import type {Asker, Question} from './questions.ts';
import {type FileRecord, isGenuineFile, type Signed} from './records.ts';
import {leadsOf} from './words.ts';

/** Words of a query that are asked for at the same time. */
const wordsAtOnce = 3;
/** Milliseconds: a search ends then with what it has; with something found it ends after the second. */
const patience = {all: 2500, found: 900};

type Found = {publisher: string; file: Signed<FileRecord>};

/** What a search found. */
export type FoundContents = {hits: ContentSources[]; total: number; more: boolean};

/** Finds contents. */
export class Finder {
	readonly #asker: Asker;
	readonly #key: NetworkKey;
	readonly #peers: PeerBook;

	constructor(asker: Asker, key: NetworkKey, peers: PeerBook) {
		this.#asker = asker;
		this.#key = key;
		this.#peers = peers;
	}

	/**
	 * Contents whose names fit a query, the best first.
	 *
	 * @param sources how many of each are named
	 * @param first called with the first find, before where its peers are is known
	 * @throws P2pError bad-query, no-server when no node is known
	 */
	async search(
		text: string,
		{limit, sources, signal, first}: {limit: number; sources: number; signal?: AbortSignal; first?(): void},
	): Promise<FoundContents> {
		const query = parseQuery(text);
		const questions = this.#questions(query, text);
		const found = new Collection(this.#key.tag, first);
		let total = 0;
		await this.#askAll(
			questions,
			answer => {
				total = Math.max(total, answer.total);
				found.take(answer);
				return found.contents.size <= limit;
			},
			found,
			signal,
		);
		const ranked = [...found.contents.values()]
			.map(files => ({files, rank: Math.min(...files.map(({file}) => matchRank(query, file) ?? 99))}))
			.filter(({rank}) => rank < 99)
			.sort((a, b) => a.rank - b.rank || b.files.length - a.files.length || comparePaths(a.files, b.files));
		const hits: ContentSources[] = [];
		await Promise.all(
			ranked.slice(0, limit).map(async ({files}, index) => {
				const named = await this.#sources(files, query.peers);
				if (named.length > 0) hits[index] = contentOf(files, named, sources);
			}),
		);
		signal?.throwIfAborted();
		const shown = hits.filter(Boolean);
		return {hits: shown, total: Math.max(shown.length, ranked.length), more: ranked.length > limit};
	}

	/** Who holds a content. @throws P2pError not-found; no-server */
	async sources(content: string, signal?: AbortSignal): Promise<ContentSources> {
		this.#checkConnected();
		const found = new Collection(this.#key.tag, undefined, true);
		const question: Question = {
			topic: this.#key.content(content),
			request: {kind: 'content', content, cursor: fromStart},
		};
		const take = (answer: GetAnswer) => {
			found.take(answer);
			return (found.contents.get(content)?.length ?? 0) < limits.table.sources;
		};
		await this.#askAll([question], take, found, signal);
		// Those that have all of it first; whoever names another size is wrong.
		const all = found.contents.get(content)?.toSorted((a, b) => Number(a.file.partial) - Number(b.file.partial));
		const files = all?.filter(({file}) => file.size === all[0]?.file.size);
		const named = files ? await this.#sources(files, []) : [];
		signal?.throwIfAborted();
		if (!files || named.length === 0) throw new P2pError('not-found', 'Nobody shares this content');
		return contentOf(files, named, limits.table.sources);
	}

	#checkConnected(): void {
		if (!this.#asker.connected)
			throw new P2pError('no-server', 'No node of the network without a server is known', {
				hint: 'Start a peer with --dht, or name one with --bootstrap HOST:PORT',
			});
	}

	#questions(query: ParsedQuery, text: string): Question[] {
		this.#checkConnected();
		const {words, alternatives} = leadsOf(query);
		if (words.length === 0) {
			if (this.#asker.isSmall)
				return [{topic: this.#key.peers(), request: {kind: 'scan', query: text, cursor: fromStart}}];
			throw new P2pError('bad-query', 'In a large network without a server a search needs a word that is not common', {
				hint: 'Add a whole word of the name',
				details: {query: text, position: 0, length: text.length},
			});
		}
		// Everybody is asked in a small network: one word is enough, and its start too.
		const asked = alternatives ? words : words.slice(0, this.#asker.isSmall ? 1 : wordsAtOnce);
		return asked.map(word => this.#question(word, '', text));
	}

	#question(word: string, part: string, query: string): Question {
		const request = {kind: 'word', word, part, prefix: this.#asker.isSmall, query, cursor: fromStart} as const;
		return {topic: this.#key.word(word, part), request};
	}

	/** Asks all questions at once until they are answered, enough is found, or patience ends. */
	async #askAll(
		questions: Question[],
		take: (answer: GetAnswer) => boolean,
		found: Collection,
		signal: AbortSignal | undefined,
	): Promise<void> {
		const end = new AbortController();
		const timer = setTimeout(() => end.abort(), patience.all);
		let soon: NodeJS.Timeout | undefined;
		const signals = signal ? AbortSignal.any([signal, end.signal]) : end.signal;
		const ask = async (question: Question): Promise<void> => {
			let parts: Array<Promise<void>> | undefined;
			await this.#asker.ask(
				question,
				answer => {
					const more = take(answer);
					if (found.contents.size > 0) soon ??= setTimeout(() => end.abort(), patience.found);
					if (!more) end.abort();
					const {request} = question;
					if (answer.split && more && request.kind === 'word' && request.part === '' && !request.prefix)
						parts ??= partsOfWord.map(part => ask(this.#question(request.word, part, request.query)));
					return more;
				},
				signals,
			);
			await Promise.all(parts ?? []);
		};
		try {
			await Promise.all(questions.map(ask));
		} finally {
			clearTimeout(timer);
			clearTimeout(soon);
			end.abort();
		}
		signal?.throwIfAborted();
	}

	/** Those of the holders that are there. @param wanted peers that the query names; none: all */
	async #sources(files: Found[], wanted: string[]): Promise<Source[]> {
		const sources = await Promise.all(
			files.slice(0, limits.table.sources).map(async ({publisher, file}): Promise<Source | undefined> => {
				const presence = await this.#peers.who(publisher);
				if (!presence || (file.time < presence.floor && !file.partial)) return undefined;
				const {name, host, port, number, addresses, online} = this.#peers.info(presence);
				if (!online) return undefined;
				if (wanted.length > 0 && !wanted.some(text => isMeant(text, publisher, name))) return undefined;
				const sharedAt = new Date(file.time * 1000).toISOString();
				const more = addresses && {addresses};
				const held = file.partial ? {path: '', partial: true} : {path: file.path};
				return {peer: publisher, number, name, host, port, ...held, sharedAt, online, ...more};
			}),
		);
		const byPeer = new Map<string, Source>();
		for (const source of sources) if (source && !byPeer.has(source.peer)) byPeer.set(source.peer, source);
		return [...byPeer.values()];
	}
}

/** What was found, by content; each record once, and only genuine ones. */
class Collection {
	readonly contents = new Map<string, Found[]>();
	readonly #seen = new Set<string>();
	readonly #tag: Buffer;
	readonly #first: (() => void) | undefined;
	readonly #partials: boolean;

	/** @param partials takes what somebody has in part as well */
	constructor(tag: Buffer, first?: () => void, partials = false) {
		this.#tag = tag;
		this.#first = first;
		this.#partials = partials;
	}

	take({files}: GetAnswer): void {
		for (const {publisher, file} of files) {
			const name = `${publisher} ${file.content} ${file.path}`;
			if (this.#seen.has(name) || file.removed || file.expiry * 1000 < Date.now()) continue;
			if (file.partial && !this.#partials) continue;
			if (!isGenuineFile(file, publisher, this.#tag)) continue;
			this.#seen.add(name);
			if (this.contents.size === 0) this.#first?.();
			const known = this.contents.get(file.content);
			if (known) known.push({publisher, file});
			else this.contents.set(file.content, [{publisher, file}]);
		}
	}
}

function contentOf(files: Found[], sources: Source[], named: number): ContentSources {
	const [first] = sources;
	const {file} = files.find(({publisher}) => publisher === first?.peer) ?? files[0]!;
	return {
		content: file.content,
		name: file.partial ? '' : baseName(file.path),
		size: file.size,
		sources: sources.slice(0, named),
		sourceCount: sources.length,
	};
}

function isMeant(wanted: string, peer: string, name: string): boolean {
	const text = wanted.toLowerCase();
	if (/^\d+$/.test(text) && Number(text) === numberOfPeer(peer)) return true;
	return name.toLowerCase() === text || peer === text || (text.length >= 4 && peer.startsWith(text));
}

function comparePaths(a: Found[], b: Found[]): number {
	return a[0]!.file.path < b[0]!.file.path ? -1 : 1;
}
