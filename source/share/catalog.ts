// What this peer shares, and the log of its changes (DESIGN section 6). The interface only: sqlite-catalog.ts keeps it
// in <data folder>/catalog.db. The other rooms read; scanning and watching write through CatalogWriter.
import type {BrowseResponse, CatalogChange, CatalogPoint} from '../api/schemas.ts';

/** A shared file as the upload room serves it. */
export type SharedFile = {
	/** Catalog path: `<share name>/<path inside the share>`. */
	path: string;
	/** Absolute path of the share's folder. */
	folder: string;
	/** Absolute path of the file. */
	file: string;
	/** Bytes, as hashed. */
	size: number;
	/** Modification time, as hashed: another one on the disk means other bytes. */
	mtimeNs: bigint;
	content: string;
	/** When it came into the catalog with this content, in Unix milliseconds. */
	sharedAt: number;
};

/** A file as a search over the own catalog sees it. */
export type CatalogEntry = {path: string; size: number; content: string /** Unix milliseconds. */; sharedAt: number};

/** A part of the log. */
export type CatalogChanges = {
	/** The epoch that these changes belong to. When it differs from the one a full list began with, begin again. */
	epoch: string;
	changes: CatalogChange[];
	/** The version that a server has after taking them in. */
	to: number;
	/** Whether `to` is the newest version. */
	last: boolean;
	/** Paths among them of files that were there at the version `since`, where one was given; it may miss some. */
	known?: string[];
};

/** A piece layer that can be served. */
export type StoredLayer = {pieceSize: number; size: number; layer: Buffer};

/** What the other rooms may ask. All calls are short and synchronous; they throw P2pError bad-database. */
export interface Catalog {
	/** 16 random bytes in hex. New when the log was lost or shortened: servers then need the full list, from version 0. */
	readonly epoch: string;
	/** Grows with each change. */
	readonly version: number;
	readonly files: number;
	readonly bytes: number;

	/** Whether {@link changesSince} can go on from where a server stands. If not: from version 0. */
	canContinueFrom(point: CatalogPoint | null): boolean;

	/**
	 * The changes after `version`, oldest first, only the newest one of each path. Everything returned is on disk first,
	 * so that no crash can give a version that a server has seen to another change.
	 *
	 * @param version 0 for the full list
	 * @param limit most changes to return
	 * @param since a version that a server has, to tell which files it has
	 */
	changesSince(version: number, limit: number, since?: number): CatalogChanges;

	/** Files with that content, 64 at most; none for an ID that is not known. */
	find(content: string): SharedFile[];

	/** The piece layer of a shared content; undefined when it is not shared. */
	pieceLayer(content: string): StoredLayer | undefined;

	/**
	 * One page of a folder: folders first, also empty ones, each part sorted by name. `''` lists the shares; a file's path
	 * gives the file.
	 *
	 * @throws P2pError not-found, bad-request for a cursor that is none
	 */
	browse(path: string, cursor?: string): BrowseResponse;

	/** All files, in no promised order; may be consumed slowly while the catalog changes. */
	entries(): IterableIterator<CatalogEntry>;
}

/** What a file's bytes are told by without reading them: `<mtime ns>.<inode>.<birth ns>`. Renaming keeps it. */
export type FileStamp = string;

/** A file of a folder as the catalog knows it. */
export type KnownFile = {id: number; name: string; size: number; stamp: FileStamp};

/** A file to put in, replacing what stood under its name. */
export type NewFile = {
	folder: number;
	name: string;
	size: number;
	stamp: FileStamp;
	content: string;
	/** As hashed; absent when the content was known before. */
	layer?: Buffer;
};

/** What scanning and watching do. Writes are gathered and committed together a moment later, or by `commit`. */
export interface CatalogWriter extends Catalog {
	/** The shares that are stored, with the IDs of their top folders. */
	shares(): {root: number; name: string; folder: string}[];
	/** Stores a share; returns its top folder. */
	addShare(name: string, folder: string): number;
	/** Forgets a share that has no files any more. */
	dropShare(root: number): void;

	/** The ID of a folder below another, made when it is missing. */
	childFolder(parent: number, name: string): number;
	/** The ID of a folder below another, if it is known. */
	findFolder(parent: number, name: string): number | undefined;
	folders(parent: number): {id: number; name: string}[];
	/** Files and bytes in a folder and all below it. */
	sums(folder: number): {files: number; bytes: number};
	/** Files of a folder, sorted by name, after that name: pages, since a folder may hold any number. */
	filesIn(folder: number, after: string, limit: number): KnownFile[];
	file(folder: number, name: string): KnownFile | undefined;

	/** The content of a file with that stamp and size, if it is or was shared: a renamed file is not read again. */
	contentOf(stamp: FileStamp, size: number): string | undefined;
	put(file: NewFile): void;
	removeFile(id: number): void;
	/** Removes up to `limit` files of a folder and below it, then the folders. @returns whether nothing is left */
	removeTree(folder: number, limit: number): boolean;

	commit(): void;
	/** Called after a commit that raised the version; returns the stop. */
	onCommit(listener: () => void): () => void;
	/** Called when a commit that nobody called for fails: what was written since the last one is undone. */
	onFailure(listener: (error: unknown) => void): () => void;
	close(): void;
}
