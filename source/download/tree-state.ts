import path from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {DownloadHost} from './job.ts';
import type {StoredDownload} from './journal.ts';
import {makeFolders, openTree, type PlacedFile, type PlacedTree, type TreeFolder} from './tree-folder.ts';
import {layoutTree} from './tree-layout.ts';

const pageFiles = 2000;

/** The files of a folder that is downloaded, where each goes, and which are there. */
export class TreeState {
	readonly files: readonly PlacedFile[];
	/** Places of the folders in it that hold nothing. */
	readonly folders: readonly string[];
	/** Per file, as the details of a download count them: 0 missing, n from source n, 255 from before or from here. */
	readonly from: Uint8Array;
	/** Bytes of the files that are there. */
	done = 0;
	/** How many are there. */
	count = 0;

	constructor({files, folders}: PlacedTree) {
		this.files = files;
		this.folders = folders;
		this.from = new Uint8Array(files.length);
	}

	/** Reads the list, a page a turn: it may have a million entries. */
	static async load({journal}: DownloadHost, {content, files: total = 0}: StoredDownload): Promise<TreeState> {
		const files: PlacedFile[] = [];
		while (files.length < total) {
			const page = journal.tree(content, files.length, pageFiles);
			if (page.length === 0) break;
			for (const file of page) files.push({...file, place: ''});
			await nextTurn();
		}
		const empty = journal.emptyFolders(content);
		const places = layoutTree(
			files.map(file => file.path),
			empty,
		);
		for (const [i, file] of files.entries()) file.place = places.files[i]!;
		return new TreeState({files, folders: places.folders});
	}

	/** File `n` is there. */
	have(n: number, from: number): void {
		if (this.from[n] !== 0) return;
		this.from[n] = from;
		this.done += this.files[n]!.size;
		this.count++;
	}

	/** The numbers of the files that are not there. */
	missing(): number[] {
		return this.files.flatMap((_, n) => (this.from[n] === 0 ? [n] : []));
	}

	get complete(): boolean {
		return this.count === this.files.length;
	}
}

/** The tree's open folder, with all folders inside made. */
export type OpenTree = {folder: TreeFolder /** The deepest first, the top last. */; folders: string[]};

/** Opens the folder that a tree is gathered in, and looks which of the files are there with the right bytes. */
export async function openTreeState(
	{folder: downloads, pool}: DownloadHost,
	content: string,
	state: TreeState,
	signal: AbortSignal,
	verifying: () => void,
): Promise<OpenTree> {
	const folder = await openTree(downloads, content);
	try {
		const folders = await makeFolders(folder.path, state);
		if (folder.existed) {
			verifying();
			const good = await checkTree(pool, folder.path, state.files, signal);
			for (const [n, is] of good.entries()) if (is === 1) state.have(n, 255);
		}
		signal.throwIfAborted();
		return {folder, folders};
	} catch (error) {
		await folder.close();
		throw error;
	}
}

/** Which of a tree's files lie under `top` with the right bytes: a byte each. */
export async function checkTree(
	pool: DownloadHost['pool'],
	top: string,
	files: readonly PlacedFile[],
	signal: AbortSignal,
): Promise<Uint8Array> {
	const good = new Uint8Array(files.length);
	for (let at = 0; at < files.length && !signal.aborted; at += pageFiles) {
		const page = files
			.slice(at, at + pageFiles)
			.map(({place, content, size}) => ({path: path.join(top, place), content, size}));
		good.set(await pool.check(page, signal), at);
	}
	return good;
}
