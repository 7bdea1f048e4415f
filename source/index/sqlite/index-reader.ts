// All that reads from the index's database; lives in a reader's thread.
import type {DatabaseSync} from 'node:sqlite';
import type {BrowseResponse} from '../../api/schemas.ts';
import type {PathHashes, SearchText} from '../store.ts';
import {type BrowseRequest, FolderReader} from './browse-folders.ts';
import {ContentReader, type RawContent} from './content-reader.ts';
import {IndexSearch, type SearchRequest} from './index-search.ts';
import {KnownTerms} from './known-terms.ts';
import {openForReading} from './open-database.ts';
import {PathFinder, type PathsFound, type PathsPlace} from './path-finder.ts';
import {PeerTexts} from './peer-texts.ts';
import {type PresenceMemory, SharedPresence} from './shared-presence.ts';
import {type ReaderShare, TermLearner} from './term-learner.ts';
import {VocabularyReader} from './vocabulary.ts';

export class IndexReader {
	readonly #database: DatabaseSync;
	readonly #contents: ContentReader;
	readonly #peers: PeerTexts;
	readonly #search: IndexSearch;
	readonly #folders: FolderReader;
	readonly #paths: PathFinder;
	readonly #vocabulary: VocabularyReader;
	readonly #terms: KnownTerms;
	readonly #learner: TermLearner;

	readonly #begin;
	readonly #commit;

	constructor(file: string, memory: PresenceMemory, share?: ReaderShare) {
		this.#database = openForReading(file);
		this.#begin = this.#database.prepare('BEGIN');
		this.#commit = this.#database.prepare('COMMIT');
		const presence = new SharedPresence(memory);
		this.#contents = new ContentReader(this.#database, presence);
		this.#peers = new PeerTexts(this.#database, presence);
		this.#vocabulary = new VocabularyReader(this.#database);
		this.#terms = new KnownTerms(this.#database, presence);
		this.#learner = new TermLearner(file, presence, this.#terms, this.#vocabulary, share);
		this.#search = new IndexSearch(
			this.#database,
			this.#contents,
			this.#peers,
			presence,
			this.#vocabulary,
			this.#terms,
		);
		this.#folders = new FolderReader(this.#database);
		this.#paths = new PathFinder(this.#database);
	}

	/** @param request a SearchRequest as JSON */
	search(request: string): SearchText {
		return this.#snapshot(() => this.#search.search(JSON.parse(request) as SearchRequest));
	}

	/** Undefined when nobody ever registered it. */
	sources(content: string): RawContent | undefined {
		return this.#snapshot(() => this.#contents.sources(content));
	}

	/** Undefined while a large folder is being put in order: ask again. */
	browse(request: BrowseRequest): BrowseResponse | undefined {
		return this.#snapshot(() => this.#folders.browse(request));
	}

	/** Gets ready for searches, a little at a time; returns milliseconds after which there may be more to do. */
	prepare(): number {
		return this.#vocabulary.learn() ? 0 : this.#learner.step();
	}

	/** The content under each path of a peer. */
	contents(peer: number, paths: string[]): (string | undefined)[] {
		return this.#snapshot(() => this.#folders.contents(peer, paths));
	}

	/** Paths of a peer by their hashes, among some of its files. */
	findPaths(peer: number, hashes: PathHashes, after: PathsPlace | undefined): PathsFound {
		return this.#snapshot(() => this.#paths.find(peer, hashes, after));
	}

	close(): void {
		this.#learner.close();
		this.#folders.close();
		this.#database.close();
	}

	/** Several statements over one state of the database. */
	#snapshot<T>(work: () => T): T {
		this.#contents.refresh();
		this.#peers.refresh();
		this.#terms.refresh();
		this.#begin.run();
		try {
			return work();
		} finally {
			this.#commit.run();
		}
	}
}
