import {randomBytes} from 'node:crypto';
import type {CatalogChange, CatalogPoint} from '../api/schemas.ts';
import type {CatalogChanges} from './catalog.ts';
import type {CatalogDatabase} from './catalog-database.ts';
import type {FolderTree} from './catalog-folders.ts';
import {contentHex, stampMtime} from './stamp.ts';

/** Most changes made ready in one go: some 10 ms of work. */
const pageLimit = 2000;
/** Of the newest files, how many are looked through for one that is older than a version: some 10 ms of work. */
const newestFiles = 50_000;
/** Removals that are always kept; more than this and more than there are files end the epoch. */
const tombstonesKept = 10_000;

/** The catalog's versions: which path changed when. A file's row bears its version; a removed one leaves a tombstone. */
export class CatalogLog {
	readonly #tree: FolderTree;
	readonly #queries;
	readonly #tombstonesKept: number;
	#epoch = '';
	#version = 0;
	#stored = 0;
	#tombstones = 0;
	/** What {@link #knownBelow} found last. */
	#below = {since: 0, id: 0};

	constructor(database: CatalogDatabase, tree: FolderTree, keep: number = tombstonesKept) {
		this.#tree = tree;
		this.#tombstonesKept = keep;
		this.#queries = {
			meta: database.prepare('SELECT epoch, version FROM meta'),
			store: database.prepare('UPDATE meta SET epoch = ?, version = ?'),
			added: database.prepare(
				'SELECT id, folder, name, size, stamp, content, version FROM file WHERE version > ? ORDER BY version LIMIT ?+0',
			),
			newestAt: database.prepare(
				`SELECT id FROM (SELECT id, version FROM file ORDER BY id DESC LIMIT ${newestFiles}) WHERE version <= ? LIMIT 1`,
			),
			removed: database.prepare('SELECT version, path FROM tombstone WHERE version > ? ORDER BY version LIMIT ?+0'),
			bury: database.prepare('INSERT OR REPLACE INTO tombstone(version, path) VALUES (?, ?)'),
			unbury: database.prepare('DELETE FROM tombstone WHERE path = ?'),
			unburyAll: database.prepare('DELETE FROM tombstone'),
			tombstones: database.prepare('SELECT count(*) AS count FROM tombstone'),
		};
		this.load();
	}

	get epoch(): string {
		return this.#epoch;
	}

	get version(): number {
		return this.#version;
	}

	/** Takes over what is stored: at the start, and after a transaction was lost. */
	load(): void {
		const meta = this.#queries.meta.get()!;
		this.#epoch = String(meta.epoch);
		this.#version = this.#stored = Number(meta.version);
		this.#tombstones = Number(this.#queries.tombstones.get()!.count);
	}

	/** The version of a file that is about to be put in. */
	added(path: string): number {
		if (this.#tombstones > 0) this.#queries.unbury.run(path);
		return ++this.#version;
	}

	removed(path: string): void {
		this.#queries.bury.run(++this.#version, path);
		this.#tombstones++;
	}

	/**
	 * Before each commit. @param files how many there are: with more removals than that, one full list costs a server
	 * less than going through them
	 * @returns whether the version grew since the last commit
	 */
	store(files: number): boolean {
		if (this.#version === this.#stored) return false;
		if (this.#tombstones > Math.max(files, this.#tombstonesKept)) {
			this.#tombstones = Number(this.#queries.tombstones.get()!.count);
			if (this.#tombstones > Math.max(files, this.#tombstonesKept)) this.#endEpoch();
		}
		this.#queries.store.run(this.#epoch, this.#version);
		this.#stored = this.#version;
		return true;
	}

	canContinueFrom(point: CatalogPoint | null): boolean {
		return point !== null && point.epoch === this.#epoch && point.version <= this.#version;
	}

	changesSince(version: number, limit: number, since = 0): CatalogChanges {
		const most = Math.max(1, Math.min(limit, pageLimit));
		const added = this.#queries.added.all(version, most);
		// Who has nothing needs no removals; on the later pages of a full list they do no harm.
		const removed = version === 0 ? [] : this.#queries.removed.all(version, most);
		const changes: CatalogChange[] = [];
		const known: string[] = [];
		const knownBelow = this.#knownBelow(since);
		let to = version;
		for (let a = 0, r = 0; changes.length < most && (a < added.length || r < removed.length); ) {
			const add = added[a];
			const remove = removed[r];
			if (add && (!remove || Number(add.version) < Number(remove.version))) {
				to = Number(add.version);
				const path = `${this.#tree.place(Number(add.folder)).path}/${String(add.name)}`;
				const content = contentHex(add.content);
				if (Number(add.id) < knownBelow) known.push(path);
				changes.push({op: 'add', path, size: Number(add.size), content, mtime: stampMtime(String(add.stamp))});
				a++;
			} else {
				to = Number(remove!.version);
				changes.push({op: 'remove', path: String(remove!.path)});
				r++;
			}
		}
		const last = changes.length < most;
		return {epoch: this.#epoch, changes, to: last ? this.#version : to, last, ...(since > 0 && {known})};
	}

	/**
	 * Files with a smaller ID were there at that version: IDs grow, so they came before one that has not changed since. To
	 * those who take what this says for granted a wrong answer does no harm: a server checks it.
	 */
	#knownBelow(since: number): number {
		if (since > 0 && since !== this.#below.since)
			this.#below = {since, id: Number(this.#queries.newestAt.get(since)?.id ?? 0)};
		return since > 0 ? this.#below.id : 0;
	}

	#endEpoch(): void {
		this.#epoch = randomBytes(16).toString('hex');
		this.#queries.unburyAll.run();
		this.#tombstones = 0;
	}
}
