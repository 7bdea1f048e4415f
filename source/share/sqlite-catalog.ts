import path from 'node:path';
import type {BrowseResponse, CatalogPoint} from '../api/schemas.ts';
import {emptyContentId, pieceSizeFor} from '../content/content-id.ts';
import {Emitter} from '../core/emitter.ts';
import type {
	CatalogChanges,
	CatalogEntry,
	CatalogWriter,
	FileStamp,
	KnownFile,
	NewFile,
	SharedFile,
	StoredLayer,
} from './catalog.ts';
import {CatalogBrowser} from './catalog-browse.ts';
import {CatalogDatabase} from './catalog-database.ts';
import {FolderTree} from './catalog-folders.ts';
import {CatalogLog} from './catalog-log.ts';
import {KnownContents} from './known-contents.ts';
import {contentHex, stampMtimeNs} from './stamp.ts';

/** A commit is due this long after a write, in milliseconds, or after that many writes. */
const commitAfter = 50;
const commitWrites = 250;
const entriesPage = 500;
/** Thousands of files may be empty, or otherwise alike. */
const findLimit = 64;

/** Limits that tests make small. */
export type CatalogLimits = {browsePage?: number; tombstonesKept?: number; knownKept?: number};

/** Opens the catalog of a data folder, making it when it is missing. @throws P2pError bad-database, in-use, disk-full */
export function openCatalog(dataDir: string, limits: CatalogLimits = {}): CatalogWriter {
	return new SqliteCatalog(dataDir, limits);
}

class SqliteCatalog implements CatalogWriter {
	readonly #database: CatalogDatabase;
	readonly #tree: FolderTree;
	readonly #log: CatalogLog;
	readonly #browser: CatalogBrowser;
	readonly #known: KnownContents;
	readonly #queries: ReturnType<typeof prepareQueries>;
	/** By root; see {@link SqliteCatalog.find}. */
	readonly #shareFolders = new Map<number, string>();
	readonly #events = new Emitter<{commit: undefined; failure: unknown}>();
	#totals: {files: number; bytes: number};
	#writes = 0;
	#timer: NodeJS.Timeout | undefined;

	constructor(dataDir: string, limits: CatalogLimits) {
		this.#database = new CatalogDatabase(dataDir);
		try {
			this.#tree = new FolderTree(this.#database);
			this.#log = new CatalogLog(this.#database, this.#tree, limits.tombstonesKept);
			this.#browser = new CatalogBrowser(this.#database, this.#tree, limits.browsePage);
			this.#known = new KnownContents(this.#database, limits.knownKept);
			this.#queries = prepareQueries(this.#database);
			this.#totals = this.#tree.totals();
		} catch (error) {
			this.#database.close();
			throw error;
		}
	}

	get epoch(): string {
		return this.#log.epoch;
	}

	get version(): number {
		return this.#log.version;
	}

	get files(): number {
		return this.#totals.files;
	}

	get bytes(): number {
		return this.#totals.bytes;
	}

	canContinueFrom(point: CatalogPoint | null): boolean {
		return this.#log.canContinueFrom(point);
	}

	changesSince(version: number, limit: number, since?: number): CatalogChanges {
		this.commit();
		return this.#log.changesSince(version, limit, since);
	}

	find(content: string): SharedFile[] {
		return this.#queries.byContent.all(Buffer.from(content, 'hex'), findLimit).map(row => {
			const {path: folder, root, inside} = this.#tree.place(Number(row.folder));
			const share = this.#shareFolder(root);
			const name = String(row.name);
			return {
				path: `${folder}/${name}`,
				folder: share,
				file: path.join(share, inside, name),
				size: Number(row.size),
				mtimeNs: stampMtimeNs(String(row.stamp)),
				content,
				sharedAt: Number(row.shared_at),
			};
		});
	}

	#shareFolder(root: number): string {
		let folder = this.#shareFolders.get(root);
		if (folder === undefined) {
			folder = String(this.#queries.share.get(root)?.folder);
			this.#shareFolders.set(root, folder);
		}
		return folder;
	}

	pieceLayer(content: string): StoredLayer | undefined {
		const row = this.#queries.byContent.get(Buffer.from(content, 'hex'), 1);
		if (!row) return undefined;
		const size = Number(row.size);
		const pieceSize = pieceSizeFor(size);
		// The layer of a file of one piece is its root.
		const layer =
			content === emptyContentId && size === 0
				? Buffer.alloc(0)
				: size <= pieceSize
					? Buffer.from(content, 'hex')
					: this.#known.layer(content);
		return layer && {pieceSize, size, layer};
	}

	browse(path: string, cursor?: string): BrowseResponse {
		return this.#browser.browse(path, cursor);
	}

	*entries(): IterableIterator<CatalogEntry> {
		for (let after = 0; ; ) {
			const rows = this.#queries.page.all(after, entriesPage);
			// Made at once: their folders may be gone when the next one is asked for.
			yield* rows.map(row => {
				const path = `${this.#tree.place(Number(row.folder)).path}/${String(row.name)}`;
				return {path, size: Number(row.size), content: contentHex(row.content), sharedAt: Number(row.shared_at)};
			});
			if (rows.length < entriesPage) return;
			after = Number(rows[rows.length - 1]!.id);
		}
	}

	shares(): {root: number; name: string; folder: string}[] {
		return this.#queries.shares.all() as {root: number; name: string; folder: string}[];
	}

	addShare(name: string, folder: string): number {
		this.#shareFolders.clear();
		return this.#write(() => {
			const root = this.#tree.insert(0, name);
			this.#queries.insertShare.run(root, name, folder);
			return root;
		});
	}

	dropShare(root: number): void {
		this.#shareFolders.clear();
		this.#write(() => {
			this.#tree.remove(root);
			this.#queries.dropShare.run(root);
		});
	}

	childFolder(parent: number, name: string): number {
		return this.#tree.find(parent, name) ?? this.#write(() => this.#tree.insert(parent, name));
	}

	findFolder(parent: number, name: string): number | undefined {
		return this.#tree.find(parent, name);
	}

	folders(parent: number): {id: number; name: string}[] {
		return this.#tree.children(parent);
	}

	sums(folder: number): {files: number; bytes: number} {
		return this.#tree.sums(folder);
	}

	filesIn(folder: number, after: string, limit: number): KnownFile[] {
		return this.#queries.filesIn.all(folder, after, limit) as KnownFile[];
	}

	file(folder: number, name: string): KnownFile | undefined {
		return this.#queries.file.get(folder, name) as KnownFile | undefined;
	}

	contentOf(stamp: FileStamp, size: number): string | undefined {
		return this.#known.contentOf(stamp, size);
	}

	put({folder, name, size, stamp, content, layer}: NewFile): void {
		this.#write(() => {
			const hash = Buffer.from(content, 'hex');
			const old = this.#queries.file.get(folder, name);
			if (old && Number(old.size) === size && contentHex(old.content) === content) {
				// Touched, not changed: nobody needs to hear of it.
				this.#queries.restamp.run(stamp, Number(old.id));
				return;
			}
			if (layer && layer.length > hash.length) this.#known.keepLayer(hash, layer);
			const version = this.#log.added(`${this.#tree.place(folder).path}/${name}`);
			this.#queries.put.run(folder, name, size, stamp, hash, version, Date.now());
			this.#count(folder, old ? 0 : 1, size - Number(old?.size ?? 0));
			if (old) this.#known.dropLayer(old.content as Uint8Array);
		});
	}

	removeFile(id: number): void {
		this.#write(() => {
			const row = this.#queries.byId.get(id);
			if (!row) return;
			const folder = Number(row.folder);
			this.#known.remember(String(row.stamp), Number(row.size), row.content as Uint8Array);
			this.#queries.remove.run(id);
			this.#log.removed(`${this.#tree.place(folder).path}/${String(row.name)}`);
			this.#count(folder, -1, -Number(row.size));
		});
	}

	removeTree(folder: number, limit: number): boolean {
		for (let at = folder, left = limit; ; ) {
			for (const file of this.#queries.someIn.all(at, left)) {
				this.removeFile(Number(file.id));
				left--;
			}
			if (left <= 0) return false;
			const child = this.#tree.firstChild(at);
			if (child !== undefined) {
				at = child;
				continue;
			}
			const parent = this.#tree.parent(at);
			const empty = at;
			// The top folder of a share stays until the share is dropped.
			if (parent !== 0) this.#write(() => this.#tree.remove(empty));
			left--;
			if (at === folder) return true;
			at = parent;
		}
	}

	commit(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#writes = 0;
		if (!this.#database.inTransaction) return;
		const grew = this.#undoOnFailure(() => {
			this.#tree.flush();
			this.#known.prune();
			const changed = this.#log.store(this.files);
			this.#database.commit();
			return changed;
		});
		if (grew) this.#events.emit('commit', undefined);
	}

	onCommit(listener: () => void): () => void {
		return this.#events.on('commit', listener);
	}

	onFailure(listener: (error: unknown) => void): () => void {
		return this.#events.on('failure', listener);
	}

	close(): void {
		try {
			this.commit();
		} finally {
			this.#database.close();
		}
	}

	#count(folder: number, files: number, bytes: number): void {
		this.#tree.count(folder, files, bytes);
		this.#totals.files += files;
		this.#totals.bytes += bytes;
	}

	/** Runs a write inside the transaction that is open, or opens one and sees to its commit. */
	#write<T>(work: () => T): T {
		const result = this.#undoOnFailure(() => {
			if (!this.#database.inTransaction) this.#database.begin();
			return work();
		});
		this.#writes++;
		if (this.#writes >= commitWrites) this.commit();
		else this.#timer ??= setTimeout(() => this.#commitLater(), commitAfter);
		return result;
	}

	#commitLater(): void {
		try {
			this.commit();
		} catch (error) {
			this.#events.emit('failure', error);
		}
	}

	/** After a failure the catalog is what the last commit left, on disk and in memory. */
	#undoOnFailure<T>(work: () => T): T {
		try {
			return work();
		} catch (error) {
			this.#database.rollback();
			this.#tree.forget();
			this.#shareFolders.clear();
			this.#log.load();
			this.#totals = this.#tree.totals();
			throw error;
		}
	}
}

function prepareQueries(database: CatalogDatabase) {
	return {
		shares: database.prepare('SELECT root, name, folder FROM share ORDER BY name'),
		share: database.prepare('SELECT folder FROM share WHERE root = ?'),
		insertShare: database.prepare('INSERT INTO share(root, name, folder) VALUES (?, ?, ?)'),
		dropShare: database.prepare('DELETE FROM share WHERE root = ?'),
		byContent: database.prepare('SELECT folder, name, size, stamp, shared_at FROM file WHERE content = ? LIMIT ?+0'),
		byId: database.prepare('SELECT folder, name, size, stamp, content FROM file WHERE id = ?'),
		file: database.prepare('SELECT id, name, size, stamp, content FROM file WHERE folder = ? AND name = ?'),
		filesIn: database.prepare(
			'SELECT id, name, size, stamp FROM file WHERE folder = ? AND name > ? ORDER BY name LIMIT ?+0',
		),
		someIn: database.prepare('SELECT id FROM file WHERE folder = ? LIMIT ?+0'),
		page: database.prepare(
			'SELECT id, folder, name, size, content, shared_at FROM file WHERE id > ? ORDER BY id LIMIT ?+0',
		),
		restamp: database.prepare('UPDATE file SET stamp = ? WHERE id = ?'),
		remove: database.prepare('DELETE FROM file WHERE id = ?'),
		put: database.prepare(`INSERT INTO file(folder, name, size, stamp, content, version, shared_at)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(folder, name) DO UPDATE SET size = excluded.size, stamp = excluded.stamp,
			content = excluded.content, version = excluded.version, shared_at = excluded.shared_at`),
	};
}
