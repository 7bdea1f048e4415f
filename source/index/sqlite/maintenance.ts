import type {DatabaseSync} from 'node:sqlite';

/** Rows that may be written before the full-text index is merged whole: below, its own merging keeps up. */
const mergeAfter = 1000;
/** The same as a part of all rows, so that a large index is not rewritten for a few. */
const mergePart = 0.05;
/** The same at the start, in parts of the index: one that was stopped in the middle goes on where it was. */
const mergeFromParts = 5;
/** Pages that one step may write: some milliseconds. */
const pages = 300;

/** Free pages that stay: the next changes need some. */
const pagesKept = 64;

type Phase = 'rest' | 'begin' | 'merge';

/**
 * Upkeep while nothing else is to do. Merging the full-text index is not a luxury: a search for several words takes ten
 * to twenty times as long over an index in many parts.
 */
export class Maintenance {
	readonly #database: DatabaseSync;
	#written = 0;
	/** The log of the database may hold something that is not in its file yet, or the file free pages. */
	#isLogged = true;
	#phase: Phase;

	constructor(database: DatabaseSync) {
		this.#database = database;
		this.#phase = this.#isInParts() ? 'begin' : 'rest';
	}

	/** So many rows were written. */
	wrote(rows: number): void {
		this.#isLogged = true;
		this.#written += rows;
		if (this.#phase === 'rest' && this.#isDue()) this.#phase = 'begin';
	}

	/** One step; returns whether there is more to do. */
	step(): boolean {
		switch (this.#phase) {
			case 'rest':
				if (this.#isLogged && this.#giveBack()) return true;
				if (this.#isLogged) this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
				this.#isLogged = false;
				return false;
			case 'begin':
				this.#written = 0;
				this.#merge(-pages);
				this.#phase = 'merge';
				return true;
			case 'merge':
				if (this.#merge(pages)) return true;
				// Much may have been written since it began, which this merging had no part of.
				this.#phase = this.#isDue() ? 'begin' : 'rest';
				return true;
		}
	}

	/** Merges both tables a little; returns whether that changed anything (FTS5: less than 2 changes means done). */
	#merge(amount: number): boolean {
		let busy = false;
		for (const table of ['fts', 'voc']) {
			const before = this.#changes();
			this.#database.exec(`INSERT INTO ${table}(${table}, rank) VALUES('merge', ${amount})`);
			busy ||= this.#changes() - before >= 2;
		}
		return busy;
	}

	/** Gives some free pages, which merging leaves behind, back to the disk; returns whether there may be more. */
	#giveBack(): boolean {
		const before = this.#freePages();
		if (before <= pagesKept) return false;
		this.#database.exec(`PRAGMA incremental_vacuum(${Math.min(pages, before - pagesKept)})`);
		// A file of a form that cannot give pages back keeps them.
		return this.#freePages() < before;
	}

	#isDue(): boolean {
		return this.#written > mergeAfter && this.#written > this.#rows() * mergePart;
	}

	#isInParts(): boolean {
		// Every part has entries of its own in this table of FTS5's, sorted by part.
		const next = this.#database.prepare('SELECT min(segid) AS part FROM fts_idx WHERE segid>?');
		let part = 0;
		for (let parts = 0; parts < mergeFromParts; parts++) {
			const row = next.get(part) as {part: number | null};
			if (row.part === null) return false;
			part = row.part;
		}
		return true;
	}

	#freePages(): number {
		return (this.#database.prepare('PRAGMA freelist_count').get() as {freelist_count: number}).freelist_count;
	}

	#changes(): number {
		return (this.#database.prepare('SELECT total_changes() AS n').get() as {n: number}).n;
	}

	#rows(): number {
		return (this.#database.prepare('SELECT max(id) AS n FROM file').get() as {n: number | null}).n ?? 0;
	}
}
