import type {CatalogDatabase} from './catalog-database.ts';

/** Where a folder is: its catalog path, and the same cut into share root and path inside. */
export type FolderPlace = {path: string; root: number /** '' for the share itself. */; inside: string};

const cachedPlaces = 5000;

/** The folders of the catalog, their paths, and the sums of what is below each. */
export class FolderTree {
	readonly #queries;
	readonly #places = new Map<number, FolderPlace>();
	/** What is not yet added to the folders' sums: by folder, for itself only. */
	readonly #pending = new Map<number, {files: number; bytes: number}>();

	constructor(database: CatalogDatabase) {
		this.#queries = {
			byId: database.prepare('SELECT parent, name FROM folder WHERE id = ?'),
			byName: database.prepare('SELECT id FROM folder WHERE parent = ? AND name = ?'),
			children: database.prepare('SELECT id, name FROM folder WHERE parent = ?'),
			firstChild: database.prepare('SELECT id FROM folder WHERE parent = ? LIMIT 1'),
			insert: database.prepare('INSERT INTO folder(parent, name) VALUES (?, ?)'),
			remove: database.prepare('DELETE FROM folder WHERE id = ?'),
			add: database.prepare('UPDATE folder SET files = files + ?, bytes = bytes + ? WHERE id = ? RETURNING parent'),
			sums: database.prepare('SELECT files, bytes FROM folder WHERE id = ?'),
			totals: database.prepare('SELECT sum(files) AS files, sum(bytes) AS bytes FROM folder WHERE parent = 0'),
		};
	}

	find(parent: number, name: string): number | undefined {
		return this.#queries.byName.get(parent, name)?.id as number | undefined;
	}

	insert(parent: number, name: string): number {
		return this.#queries.insert.run(parent, name);
	}

	children(parent: number): {id: number; name: string}[] {
		return this.#queries.children.all(parent) as {id: number; name: string}[];
	}

	firstChild(parent: number): number | undefined {
		return this.#queries.firstChild.get(parent)?.id as number | undefined;
	}

	parent(folder: number): number {
		return Number(this.#queries.byId.get(folder)?.parent ?? 0);
	}

	/** Deletes an empty folder. */
	remove(folder: number): void {
		this.flush();
		this.#queries.remove.run(folder);
		this.#places.delete(folder);
	}

	place(folder: number): FolderPlace {
		const cached = this.#places.get(folder);
		if (cached) return cached;
		const row = this.#queries.byId.get(folder);
		if (!row) throw new Error(`No folder ${folder} in the catalog`);
		const name = String(row.name);
		const parent = Number(row.parent);
		const above = parent === 0 ? undefined : this.place(parent);
		const place = above
			? {path: `${above.path}/${name}`, root: above.root, inside: above.inside ? `${above.inside}/${name}` : name}
			: {path: name, root: folder, inside: ''};
		if (this.#places.size >= cachedPlaces) this.#places.clear();
		this.#places.set(folder, place);
		return place;
	}

	/** Notes that a folder's own files became more or fewer. */
	count(folder: number, files: number, bytes: number): void {
		const pending = this.#pending.get(folder) ?? {files: 0, bytes: 0};
		this.#pending.set(folder, {files: pending.files + files, bytes: pending.bytes + bytes});
	}

	/** Brings the sums of all folders up to date. */
	flush(): void {
		for (const [folder, {files, bytes}] of this.#pending) {
			for (let at = folder; at !== 0 && (files !== 0 || bytes !== 0); ) {
				at = Number(this.#queries.add.get(files, bytes, at)?.parent ?? 0);
			}
		}
		this.#pending.clear();
	}

	/** What was counted and not committed is gone. */
	forget(): void {
		this.#pending.clear();
		this.#places.clear();
	}

	sums(folder: number): {files: number; bytes: number} {
		const row = this.#queries.sums.get(folder);
		const pending = this.#pending.size > 0;
		if (!pending) return {files: Number(row?.files ?? 0), bytes: Number(row?.bytes ?? 0)};
		this.flush();
		return this.sums(folder);
	}

	totals(): {files: number; bytes: number} {
		const row = this.#queries.totals.get();
		return {files: Number(row?.files ?? 0), bytes: Number(row?.bytes ?? 0)};
	}
}
