import {rmSync} from 'node:fs';
import {mkdtemp, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {backup, DatabaseSync} from 'node:sqlite';
import * as z from 'zod';
import {P2pError} from '../../core/errors.ts';
import {SqliteStore} from '../sqlite/sqlite-store.ts';

/** The file in the data folder. */
export const readModelName = 'cluster.db';
const noteName = 'cluster';
const notesSchema = z.object({
	/** The cluster that it was read from. */
	cluster: z.string(),
	/** The last entry of each log that it has, by partition. */
	positions: z.array(z.string()),
	/** The highest peer number seen. */
	highest: z.int(),
});
type Notes = z.infer<typeof notesSchema>;

/** What is in the logs was let in by some server: it is not refused here. */
const storeIn = (file: string) => new SqliteStore(file, {filesPerPeer: Number.POSITIVE_INFINITY});

/**
 * The SQLite index that one server of a cluster answers from. It is made from the logs, so it may be thrown away: how far
 * it has them is noted in the same file, never ahead of what it holds.
 */
export class ReadModel {
	readonly #file: string;
	readonly #warn: (message: string) => void;
	#store: SqliteStore;
	#notes: Notes = {cluster: '', positions: [], highest: 0};
	#noted = '';

	/** @param warn told what of an earlier file is not used */
	constructor(dataDir: string, warn: (message: string) => void) {
		this.#file = path.join(dataDir, readModelName);
		this.#warn = warn;
		this.#store = storeIn(this.#file);
	}

	/** The index itself; another one after {@link replace}. */
	get store(): SqliteStore {
		return this.#store;
	}

	get positions(): string[] {
		return this.#notes.positions;
	}

	get highest(): number {
		return this.#notes.highest;
	}

	/**
	 * Opens what is there, unless the logs cannot continue it: what an older version wrote was emptied, and is made anew; what
	 * was read from another cluster is moved aside, as it may be all that is left of a cluster that was lost.
	 *
	 * @throws P2pError bad-database…
	 */
	async open(cluster: string): Promise<void> {
		await this.#store.open();
		const notes = await this.#readNotes();
		if (this.#store.notice !== undefined) {
			this.#warn('the index here was made by an older version, and is made anew');
			await this.clear();
			return this.open(cluster);
		}
		if (notes && notes.cluster !== cluster) {
			await this.#putAside(notes.cluster);
			return this.open(cluster);
		}
		this.#notes = notes ?? {cluster, positions: [], highest: 0};
	}

	async close(): Promise<void> {
		await this.#store.close();
	}

	/** Closes it and removes its file. */
	async clear(): Promise<void> {
		await this.#store.close();
		for (const ending of ['', '-wal', '-shm']) rmSync(this.#file + ending, {force: true});
		this.#store = storeIn(this.#file);
		this.#noted = '';
	}

	/**
	 * Puts a copy of another server's in its place; `fetch` writes it to the file that it is given.
	 *
	 * @throws whatever `fetch` throws; P2pError bad-database for a copy that this version cannot continue. It is empty then
	 */
	async replace(cluster: string, fetch: (file: string) => Promise<void>): Promise<void> {
		const fresh = `${this.#file}.unfinished`;
		await rm(fresh, {force: true});
		try {
			await fetch(fresh);
			await this.clear();
			await rename(fresh, this.#file);
		} finally {
			await rm(fresh, {force: true});
		}
		try {
			await this.open(cluster);
			if (this.positions.length > 0) return;
			throw new P2pError(
				'bad-database',
				'Its copy cannot be continued here: it has just started, or is another version',
			);
		} catch (error) {
			await this.clear();
			await this.open(cluster);
			throw error;
		}
	}

	/** A peer with that number is there. */
	sawNumber(number: number): void {
		this.#notes.highest = Math.max(this.#notes.highest, number);
	}

	/** Notes up to where the logs are applied. Written after the changes, in the same file, so never ahead of them. */
	async note(positions: string[]): Promise<void> {
		const text = JSON.stringify({...this.#notes, positions} satisfies Notes);
		if (text === this.#noted) return;
		await this.#store.note(noteName, text);
		this.#noted = text;
		this.#notes.positions = positions;
	}

	/** A copy of the file as it is at one moment, while it is in use. `remove` is called when it was read. */
	async copy(): Promise<{file: string; remove(): Promise<void>}> {
		const folder = await mkdtemp(path.join(path.dirname(this.#file), 'copy-'));
		const remove = () => rm(folder, {recursive: true, force: true});
		const database = new DatabaseSync(this.#file, {readOnly: true});
		try {
			const file = path.join(folder, readModelName);
			// All in one step: SQLite begins anew when the writer writes between two.
			await backup(database, file, {rate: 2 ** 30});
			return {file, remove};
		} catch (error) {
			await remove();
			throw error;
		} finally {
			database.close();
		}
	}

	/** Under a name of its own, so that nothing is overwritten; an empty one is thrown away. */
	async #putAside(cluster: string): Promise<void> {
		const aside = path.join(path.dirname(this.#file), `cluster-${cluster.slice(0, 8)}.db`);
		const isEmpty = this.#store.records().length === 0;
		// Closing it takes what is in its -wal file into it.
		await this.#store.close();
		if (!isEmpty) {
			await rename(this.#file, aside);
			this.#warn(`the index here was of another cluster, or of this one before it was emptied: it is now ${aside}`);
		}
		await this.clear();
	}

	async #readNotes(): Promise<Notes | undefined> {
		const text = await this.#store.readNote(noteName);
		if (text === undefined) return undefined;
		const parsed = notesSchema.safeParse(JSON.parse(text));
		if (parsed.success) return parsed.data;
		throw new P2pError('bad-database', `What ${this.#file} says of its cluster cannot be read`, {
			hint: 'Move it away: it is made again from the cluster',
		});
	}
}
