import {DatabaseSync} from 'node:sqlite';

/** Names that are read and put in order in one go: some milliseconds in which a reader answers no search. */
const namesAtOnce = 2000;
/** Names that all orders of a reader hold together: some 25 MB. */
const namesKept = 300_000;

type NameRow = [nh: number, file: number, name: string];
/** Reads the next names of a folder after a place in its table. */
export type ReadNames = (after: {nh: number; file: number}, limit: number) => NameRow[];

/**
 * The files of one large folder in the order of their names, for one state of it. It is made once, in steps, so that a
 * page costs a page: the table has them in the order of short hashes.
 */
class FolderOrder {
	/** What tells the state of the folder. */
	readonly state: string;
	count = 0;
	isReady = false;
	/** Too large to be kept. */
	isRefused = false;
	#database: DatabaseSync | undefined;
	#add;
	#page;
	#after = {nh: Number.MIN_SAFE_INTEGER, file: 0};

	constructor(state: string) {
		this.state = state;
		this.#database = new DatabaseSync(':memory:');
		this.#database.exec('PRAGMA journal_mode=OFF; CREATE TABLE file(name TEXT PRIMARY KEY) WITHOUT ROWID');
		this.#add = this.#database.prepare('INSERT OR IGNORE INTO file(name) VALUES(?)');
		this.#page = this.#database.prepare('SELECT name FROM file WHERE name>? ORDER BY name LIMIT ?+0');
	}

	/** Takes in some more names. */
	step(read: ReadNames): void {
		const rows = read(this.#after, namesAtOnce);
		this.#database?.exec('BEGIN');
		for (const [nh, file, name] of rows) {
			this.#after = {nh, file};
			this.#add.run(name);
		}
		this.#database?.exec('COMMIT');
		this.count += rows.length;
		this.isReady = rows.length < namesAtOnce;
		if (this.count <= namesKept) return;
		this.isRefused = true;
		this.close();
	}

	page(after: string, limit: number): string[] {
		return this.#page.all(after, limit).map(row => String(row.name));
	}

	close(): void {
		this.#database?.close();
		this.#database = undefined;
	}
}

/** The orders of the large folders that were listed last. */
export class FolderOrders {
	/** By the folder's ID, the one used last at the end. */
	readonly #orders = new Map<number, FolderOrder>();

	/**
	 * The next names of a folder after one.
	 *
	 * @param state another text when the folder has changed
	 * @returns 'later' while the order is being made: ask again; undefined where there is none to be had
	 */
	names(
		{folder, state}: {folder: number; state: string},
		read: ReadNames,
		{after, limit}: {after: string; limit: number},
	): string[] | 'later' | undefined {
		const known = this.#orders.get(folder);
		if (known && known.state !== state) {
			this.#drop(folder);
			// It changes faster than it is put in order.
			if (!known.isReady && !known.isRefused) return undefined;
		}
		const order = known?.state === state ? known : new FolderOrder(state);
		this.#orders.delete(folder);
		this.#orders.set(folder, order);
		if (!order.isReady && !order.isRefused) order.step(read);
		if (order.isRefused) return undefined;
		this.#makeRoom();
		return order.isReady ? order.page(after, limit) : 'later';
	}

	close(): void {
		for (const folder of [...this.#orders.keys()]) this.#drop(folder);
	}

	#makeRoom(): void {
		let count = 0;
		for (const order of this.#orders.values()) if (!order.isRefused) count += order.count;
		for (const [folder, order] of this.#orders) {
			if (count <= namesKept || this.#orders.size === 1) return;
			if (!order.isRefused) count -= order.count;
			this.#drop(folder);
		}
	}

	#drop(folder: number): void {
		this.#orders.get(folder)?.close();
		this.#orders.delete(folder);
	}
}
