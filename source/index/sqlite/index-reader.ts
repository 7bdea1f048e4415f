// All that reads from the index's database; lives in a reader's thread.
import type {DatabaseSync} from 'node:sqlite';
import type {BrowseResponse} from '../../api/schemas.ts';
import {type BrowseRequest, FolderReader} from './browse-folders.ts';
import {ContentReader, type RawContent} from './content-reader.ts';
import {IndexSearch, type RawSearch, type SearchRequest} from './index-search.ts';
import {openForReading} from './open-database.ts';
import {type PresenceMemory, SharedPresence} from './shared-presence.ts';
import {VocabularyReader} from './vocabulary.ts';

export class IndexReader {
	readonly #database: DatabaseSync;
	readonly #contents: ContentReader;
	readonly #search: IndexSearch;
	readonly #folders: FolderReader;

	constructor(file: string, memory: PresenceMemory) {
		this.#database = openForReading(file);
		const presence = new SharedPresence(memory);
		this.#contents = new ContentReader(this.#database, presence);
		const vocabulary = new VocabularyReader(this.#database);
		this.#search = new IndexSearch(this.#database, this.#contents, presence, vocabulary);
		this.#folders = new FolderReader(this.#database);
	}

	search(request: SearchRequest): RawSearch {
		return this.#snapshot(() => this.#search.search(request));
	}

	/** Undefined when nobody ever registered it. */
	sources(content: string): RawContent | undefined {
		return this.#snapshot(() => {
			const stored = this.#contents.find(content);
			return stored && this.#contents.describe(stored, this.#contents.nameOf(stored), true);
		});
	}

	browse(request: BrowseRequest): BrowseResponse {
		return this.#snapshot(() => this.#folders.browse(request));
	}

	close(): void {
		this.#database.close();
	}

	/** Several statements over one state of the database. */
	#snapshot<T>(work: () => T): T {
		this.#database.exec('BEGIN');
		try {
			return work();
		} finally {
			this.#database.exec('COMMIT');
		}
	}
}
