// One transaction of changes to a peer's catalog: shares and folders as they come, contents and words at the end, once
// each and in the order in which they lie on the disk.

import type {DatabaseSync, StatementSync} from 'node:sqlite';
import type {CatalogChange} from '../../api/schemas.ts';
import {baseName} from '../../core/share-path.ts';
import {type ContentKey, contentKey} from './content-key.ts';
import {ftsText, popularityOf, rowIdOf, wordsOf} from './fts-text.ts';
import {writing} from './open-database.ts';
import type {SharedPresence} from './shared-presence.ts';
import type {VocabularyWriter} from './vocabulary.ts';

/** Paths of one content that are searched: more is spam. */
export const namesPerContent = 16;

/** A content that this batch touches, with its shares before and after. */
type Touched = {
	id: number;
	content: string;
	size: number;
	before: number;
	now: number;
	added: string[];
	removed: boolean;
};
type Sum = {files: number; bytes: number};
type Share = {file: number; gen: number};

const rootParent = 0;

/** The statements of a writing connection, prepared once. */
export class CatalogStatements {
	readonly folder: StatementSync;
	readonly parent: StatementSync;
	readonly addFolder: StatementSync;
	readonly sumFolder: StatementSync;
	readonly dropFolder: StatementSync;
	readonly share: StatementSync;
	readonly putShare: StatementSync;
	readonly keepShare: StatementSync;
	readonly dropShare: StatementSync;
	readonly file: StatementSync;
	readonly fileById: StatementSync;
	readonly addFile: StatementSync;
	readonly setFile: StatementSync;
	readonly dropFile: StatementSync;
	readonly paths: StatementSync;
	readonly addText: StatementSync;
	readonly dropText: StatementSync;
	/** The key under which a content is found. */
	readonly keyOf: ContentKey;
	#nextFile: number;

	constructor(database: DatabaseSync) {
		const prepare = (sql: string) => database.prepare(sql);
		const write = (sql: string) => writing(database, sql);
		this.folder = prepare('SELECT id FROM folder WHERE parent=? AND name=?');
		this.parent = prepare('SELECT parent FROM folder WHERE id=?');
		this.addFolder = write('INSERT INTO folder(peer, parent, name, path) VALUES(?, ?, ?, ?)');
		this.sumFolder = write('UPDATE folder SET files=files+?, bytes=bytes+? WHERE id=?');
		this.dropFolder = write('DELETE FROM folder WHERE id=? AND files=0 AND parent<>0');
		this.share = prepare('SELECT file, gen FROM share WHERE folder=? AND name=?');
		this.putShare = write('INSERT OR REPLACE INTO share(folder, name, file, at, gen) VALUES(?, ?, ?, ?, ?)');
		this.keepShare = write('UPDATE share SET gen=? WHERE folder=? AND name=?');
		this.dropShare = write('DELETE FROM share WHERE folder=? AND name=?');
		this.file = prepare('SELECT id, nsrc, size, hash FROM file WHERE hk=?');
		this.fileById = prepare('SELECT id, nsrc, size, hash FROM file WHERE id=?');
		this.addFile = write('INSERT INTO file(id, hk, nsrc, size, hash) VALUES(?, ?, ?, ?, ?)');
		this.setFile = write('UPDATE file SET nsrc=? WHERE id=?');
		this.dropFile = write('DELETE FROM file WHERE id=?');
		this.paths = prepare(
			`SELECT f.path AS folder, s.name FROM share s JOIN folder f ON f.id=s.folder WHERE s.file=? LIMIT ${namesPerContent}`,
		);
		this.addText = write('INSERT INTO fts(rowid, t) VALUES(?, ?)');
		this.dropText = write('DELETE FROM fts WHERE rowid=?');
		this.keyOf = contentKey(database);
		const row = database.prepare('SELECT max(id) AS last FROM file').get() as {last: number | null};
		this.#nextFile = (row.last ?? 0) + 1;
	}

	/** An ID that no content has had since the start. */
	newFile(): number {
		return this.#nextFile++;
	}
}

/** Which peer a batch is for. `gen`: of its rows; `online`: whether its shares count now. */
export type BatchPeer = {number: number; gen: number; online: boolean};

export class CatalogBatch {
	readonly #statements: CatalogStatements;
	readonly #peer: BatchPeer;
	readonly #presence: SharedPresence;
	readonly #vocabulary: VocabularyWriter;
	readonly #at = Math.floor(Date.now() / 1000);
	readonly #folders = new Map<string, number>();
	readonly #parents = new Map<number, number>();
	/** Made by this batch: nothing is in them but what it puts there, each path once. */
	readonly #newFolders = new Set<number>();
	readonly #sums = new Map<number, Sum>();
	readonly #byContent = new Map<string, Touched>();
	readonly #byId = new Map<number, Touched>();
	/** Files and bytes that the peer has more than before. */
	readonly total: Sum = {files: 0, bytes: 0};
	/** Rows written to the full-text table. */
	texts = 0;

	constructor(statements: CatalogStatements, peer: BatchPeer, presence: SharedPresence, vocabulary: VocabularyWriter) {
		this.#statements = statements;
		this.#peer = peer;
		this.#presence = presence;
		this.#vocabulary = vocabulary;
	}

	/** Applies changes, of each path only the last. */
	apply(changes: CatalogChange[]): void {
		const last = new Map<string, CatalogChange>();
		for (const change of changes) last.set(change.path, change);
		for (const change of [...last.values()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
			if (change.op === 'add') this.#add(change.path, change.content, change.size);
			else this.#remove(change.path);
		}
	}

	/** Takes a share out that is known by its row. */
	removeShare(folder: number, parent: number, name: string, file: number): void {
		this.#parents.set(folder, parent);
		this.#statements.dropShare.run(folder, name);
		this.#removed(folder, file);
	}

	/** Writes contents, words and sums. */
	finish(): void {
		this.#writeFolders();
		const drops: number[] = [];
		const adds: {row: number; text: string}[] = [];
		for (const file of this.#byId.values()) this.#writeFile(file, drops, adds);
		for (const row of drops.sort((a, b) => a - b)) this.#statements.dropText.run(row);
		for (const {row, text} of adds.sort((a, b) => a.row - b.row)) this.#statements.addText.run(row, text);
		this.texts = drops.length + adds.length;
	}

	/** Counts what the peer offers more or less now; called once the transaction stands. */
	count(): void {
		this.#presence.wrote(this.#byId.keys());
		if (!this.#peer.online) return;
		for (const {id, before, now} of this.#byId.values()) if (now !== before) this.#presence.count(id, now - before);
	}

	#add(path: string, content: string, size: number): void {
		const {share, putShare, keepShare} = this.#statements;
		const folder = this.#folder(path, true) as number;
		const name = baseName(path);
		const known = this.#newFolders.has(folder) ? undefined : (share.get(folder, name) as Share | undefined);
		const file = this.#fileOf(content, size);
		if (known?.file === file.id) {
			if (known.gen !== this.#peer.gen) keepShare.run(this.#peer.gen, folder, name);
			return;
		}
		if (known) this.#removed(folder, known.file);
		putShare.run(folder, name, file.id, this.#at, this.#peer.gen);
		file.now++;
		file.added.push(path);
		this.#sum(folder, 1, file.size);
	}

	#remove(path: string): void {
		const folder = this.#folder(path, false);
		if (folder === undefined) return;
		const known = this.#statements.share.get(folder, baseName(path)) as Share | undefined;
		if (!known) return;
		this.#statements.dropShare.run(folder, baseName(path));
		this.#removed(folder, known.file);
	}

	#removed(folder: number, id: number): void {
		const file = this.#byId.get(id) ?? this.#touch(this.#statements.fileById.get(id));
		if (!file) return;
		file.now--;
		file.removed = true;
		this.#sum(folder, -1, -file.size);
	}

	#fileOf(content: string, size: number): Touched {
		const known = this.#byContent.get(content);
		if (known) return known;
		const hash = Buffer.from(content, 'hex');
		const rows = this.#statements.file.all(this.#statements.keyOf(hash));
		const row = rows.find(one => hash.equals(one.hash as Uint8Array));
		const stored = this.#touch(row);
		if (stored) return stored;
		const id = this.#statements.newFile();
		return this.#keep({id, content, size, before: 0, now: 0, added: [], removed: false});
	}

	#touch(row: Record<string, unknown> | undefined): Touched | undefined {
		if (!row) return undefined;
		const {id, nsrc, size, hash} = row as {id: number; nsrc: number; size: number; hash: Uint8Array};
		const known = this.#byId.get(id);
		if (known) return known;
		return this.#keep({id, content: hexOf(hash), size, before: nsrc, now: nsrc, added: [], removed: false});
	}

	#keep(file: Touched): Touched {
		this.#byContent.set(file.content, file);
		this.#byId.set(file.id, file);
		return file;
	}

	/** The ID of the folder that a path is in; makes it where `make` says so. */
	#folder(path: string, make: boolean): number | undefined {
		const slash = path.lastIndexOf('/');
		const folder = slash < 0 ? '' : path.slice(0, slash);
		const known = this.#folders.get(folder);
		if (known !== undefined) return known;
		const isRoot = folder === '';
		const parent = isRoot ? rootParent : this.#folder(folder, make);
		if (parent === undefined) return undefined;
		const name = isRoot ? String(this.#peer.number) : baseName(folder);
		const row = this.#statements.folder.get(parent, name) as {id: number} | undefined;
		if (!row && !make) return undefined;
		const id = row?.id ?? this.#makeFolder(parent, name, folder);
		this.#folders.set(folder, id);
		this.#parents.set(id, parent);
		return id;
	}

	#makeFolder(parent: number, name: string, path: string): number {
		const {lastInsertRowid} = this.#statements.addFolder.run(this.#peer.number, parent, name, path);
		const id = Number(lastInsertRowid);
		this.#newFolders.add(id);
		return id;
	}

	#sum(folder: number, files: number, bytes: number): void {
		this.total.files += files;
		this.total.bytes += bytes;
		const sum = this.#sums.get(folder) ?? {files: 0, bytes: 0};
		sum.files += files;
		sum.bytes += bytes;
		this.#sums.set(folder, sum);
	}

	/** Adds each folder's own sum to it and to all above it; empty ones go. */
	#writeFolders(): void {
		const {sumFolder, dropFolder} = this.#statements;
		const all = new Map<number, Sum>();
		for (const [folder, {files, bytes}] of this.#sums) {
			for (let at = folder; at !== rootParent; at = this.#parentOf(at)) {
				const sum = all.get(at) ?? {files: 0, bytes: 0};
				sum.files += files;
				sum.bytes += bytes;
				all.set(at, sum);
			}
		}
		for (const [folder, {files, bytes}] of all) sumFolder.run(files, bytes, folder);
		for (const folder of all.keys()) dropFolder.run(folder);
	}

	#parentOf(folder: number): number {
		const known = this.#parents.get(folder);
		if (known !== undefined) return known;
		const row = this.#statements.parent.get(folder) as {parent: number} | undefined;
		const parent = row?.parent ?? rootParent;
		this.#parents.set(folder, parent);
		return parent;
	}

	#writeFile(file: Touched, drops: number[], adds: {row: number; text: string}[]): void {
		const {id, content, size, before, now} = file;
		const {addFile, setFile, dropFile} = this.#statements;
		if (before === 0 && now === 0) return;
		if (now === 0) {
			dropFile.run(id);
			drops.push(rowIdOf(id, before));
			return;
		}
		if (before === 0) {
			const hash = Buffer.from(content, 'hex');
			addFile.run(id, this.#statements.keyOf(hash), now, size, hash);
		} else if (now !== before) setFile.run(now, id);
		const moved = before === 0 || popularityOf(before) !== popularityOf(now);
		const paths = moved || now <= namesPerContent ? this.#pathsOf(file) : [];
		if (!moved && !isRenamed(file, paths)) return;
		if (before > 0) drops.push(rowIdOf(id, before));
		const words = wordsOf(paths);
		this.#vocabulary.add(words);
		adds.push({row: rowIdOf(id, now), text: ftsText(words, paths, size)});
	}

	#pathsOf(file: Touched): string[] {
		if (file.before === 0 && file.added.length === file.now) return file.added.slice(0, namesPerContent);
		const rows = this.#statements.paths.all(file.id) as {folder: string; name: string}[];
		return rows.map(({folder, name}) => (folder === '' ? name : `${folder}/${name}`));
	}
}

/** Whether a content has got or lost a path. */
function isRenamed(file: Touched, paths: string[]): boolean {
	if (file.removed) return paths.length > 0;
	return file.added.some(path => paths.filter(other => other === path).length === 1);
}

function hexOf(hash: unknown): string {
	const bytes = hash as Uint8Array;
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
