import {baseName} from '../../core/share-path.ts';
import type {CatalogStatements} from './catalog-statements.ts';
import type {SharedPresence} from './shared-presence.ts';

type Sum = {files: number; bytes: number};
/** A folder as one transaction knows it. `at`: when it was made, in Unix seconds. */
export type Folder = {id: number; parent: number; at: number; isNew: boolean};

const rootParent = 0;

/** The folders that one transaction touches: found or made by their paths, and how many files they have more or less. */
export class FolderSums {
	readonly #statements: CatalogStatements;
	readonly #peer: number;
	readonly #at: number;
	readonly #presence: SharedPresence;
	readonly #byPath = new Map<string, Folder>();
	readonly #parents = new Map<number, number>();
	readonly #sums = new Map<number, Sum>();
	/** Files and bytes that all have more than before. */
	readonly total: Sum = {files: 0, bytes: 0};

	/** @param at the time of this transaction, in Unix seconds */
	constructor(statements: CatalogStatements, peer: number, at: number, presence: SharedPresence) {
		this.#statements = statements;
		this.#peer = peer;
		this.#at = at;
		this.#presence = presence;
	}

	/** The folder of a path, '' for the root; made where `make` says so. */
	of(folder: string, make: boolean): Folder | undefined {
		const known = this.#byPath.get(folder);
		if (known) return known;
		const isRoot = folder === '';
		const parent = isRoot ? rootParent : this.of(parentPath(folder), make)?.id;
		if (parent === undefined) return undefined;
		const name = isRoot ? String(this.#peer) : baseName(folder);
		const row = this.#statements.folder.get(parent, name) as unknown as [id: number, at: number] | undefined;
		if (!row && !make) return undefined;
		const found = row ? {id: row[0], at: row[1], parent, isNew: false} : this.#make(parent, name, folder);
		this.#byPath.set(folder, found);
		this.#parents.set(found.id, parent);
		return found;
	}

	/** Counts files of a folder in or out. */
	count(folder: number, files: number, bytes: number): void {
		this.total.files += files;
		this.total.bytes += bytes;
		add(this.#sums, folder, files, bytes);
	}

	/** Adds each folder's own sum to it and to all above it; empty ones go. */
	write(): void {
		const {sumFolder, dropFolder} = this.#statements;
		const all = new Map<number, Sum>();
		for (const [folder, {files, bytes}] of this.#sums)
			for (let at = folder; at !== rootParent; at = this.#parentOf(at)) add(all, at, files, bytes);
		for (const [folder, {files, bytes}] of all) sumFolder.get(files, bytes, folder);
		for (const [folder, {files}] of all) if (files < 0) dropFolder.get(folder);
	}

	#make(parent: number, name: string, path: string): Folder {
		const id = this.#statements.newFolder();
		this.#presence.setPeerOf(id, this.#peer);
		this.#statements.addFolder.get(id, this.#peer, parent, name, path, this.#at);
		return {id, parent, at: this.#at, isNew: true};
	}

	#parentOf(folder: number): number {
		const known = this.#parents.get(folder);
		if (known !== undefined) return known;
		const row = this.#statements.folderById.get(folder) as unknown as [parent: number] | undefined;
		const parent = row?.[0] ?? rootParent;
		this.#parents.set(folder, parent);
		return parent;
	}
}

/** The folder that one is in. */
function parentPath(path: string): string {
	return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function add(sums: Map<number, Sum>, folder: number, files: number, bytes: number): void {
	const sum = sums.get(folder);
	if (!sum) sums.set(folder, {files, bytes});
	else {
		sum.files += files;
		sum.bytes += bytes;
	}
}
