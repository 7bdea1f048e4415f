import {rmSync} from 'node:fs';
import {mkdtemp, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {backup, DatabaseSync} from 'node:sqlite';
import * as z from 'zod';
import {P2pError} from '../../core/errors.ts';
import {SqliteStore} from '../sqlite/sqlite-store.ts';

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

/**
 * The SQLite index that one server of a cluster answers from. It is made from the logs, so it may be thrown away: how far
 * it has them is noted in the same file, never ahead of what it holds.
 */
export class ReadModel {
	readonly #file: string;
	#store: SqliteStore;
	#notes: Notes = {cluster: '', positions: [], highest: 0};
	#noted = '';

	constructor(dataDir: string) {
		this.#file = path.join(dataDir, 'cluster.db');
		this.#store = new SqliteStore(this.#file);
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

	/** Opens what is there; what was read from another cluster is thrown away. @throws P2pError bad-database… */
	async open(cluster: string): Promise<void> {
		await this.#store.open();
		const notes = await this.#readNotes();
		if (notes && notes.cluster !== cluster) {
			await this.clear();
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
		this.#store = new SqliteStore(this.#file);
		this.#noted = '';
	}

	/** Puts a copy of another server's in its place; `fetch` writes it to the file that it is given. */
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
		await this.open(cluster);
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
			const file = path.join(folder, 'cluster.db');
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
