import type {BrowseResponse} from '../api/schemas.ts';
import type {PieceLayer} from '../content/piece-layer.ts';

/** A file on disk as it was when its content ID was computed. */
export type ServedFile = {
	/** Its content ID. */
	content: string;
	/** Its catalog path, `<share>/<path inside>`: what strangers may see of where it lies. */
	path: string;
	/** Where it lies: absolute. Never leaves this machine. */
	file: string;
	/** The share's own folder, absolute: nothing outside of it is ever read. */
	folder: string;
	size: number;
	/**
	 * Time of its last change, Unix nanoseconds, as `stat` gave it when the file was hashed. Undefined for one that still
	 * grows: then only verified pieces of it are asked for.
	 */
	mtimeNs: bigint | undefined;
};

/** A content that is still being downloaded: the pieces of it that have been verified are served already. */
export type PartialFile = {
	content: string;
	/** The name it will have, as strangers may see it. */
	name: string;
	/** The partial file and the folder that it lies in, absolute. */
	file: string;
	folder: string;
	size: number;
	/** The verified pieces, first piece in the highest bit: more and more of them as the download goes on. */
	have: Uint8Array;
	/** The hashes of all pieces. */
	layer: Uint8Array;
};

/** What is shared, in numbers. */
export type ServedTotals = {files: number; bytes: number};

/**
 * What the file server needs to know of this peer's shares. Asked at every request, so its answers must be quick. What a
 * caller (a peer ID; undefined for a guest) may not have is not there for it.
 */
export type ServedCatalog = {
	/** Every file with that content, the likeliest first; none when it is not shared. */
	find(content: string, caller: string | undefined): readonly ServedFile[] | Promise<readonly ServedFile[]>;
	/** The piece layer of a shared content; undefined when it is not shared. */
	pieceLayer(content: string, caller: string | undefined): PieceLayer | undefined | Promise<PieceLayer | undefined>;
	/**
	 * A content that is being downloaded. The same `have` as before means the same file as before: a download that was
	 * cancelled and begun anew has another.
	 */
	partial(content: string): PartialFile | undefined;
	/**
	 * One page of a folder. `path` is a checked catalog path, or empty for the list of shares.
	 *
	 * @returns undefined when there is no such folder
	 */
	browse(
		path: string,
		cursor: string | undefined,
		caller: string | undefined,
	): BrowseResponse | undefined | Promise<BrowseResponse | undefined>;
	/** The shared files that match a query, one page. @throws P2pError bad-query */
	search(
		query: string,
		options: {limit: number; cursor?: string; caller: string | undefined},
	): BrowseResponse | Promise<BrowseResponse>;
	totals(caller: string | undefined): ServedTotals;
	/** Told that a file is no longer what was hashed, or gone. May come often for the same file. Must not throw. */
	changed(file: ServedFile): void;
};
