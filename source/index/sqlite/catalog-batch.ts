// One transaction of changes to a peer's catalog: shares and folders as they come, contents and words at the end, once
// each and in the order in which they lie on the disk.
import {limits} from '../../api/limits.ts';
import {baseName} from '../../core/share-path.ts';
import type {CatalogStatements} from './catalog-statements.ts';
import {FolderSums} from './folder-sums.ts';
import {ftsText, popularityOf, rowIdOf, wordsOf} from './fts-text.ts';
import {contentBytes, type PackedChanges, pathsOf} from './packed-changes.ts';
import type {SharedPresence} from './shared-presence.ts';
import type {VocabularyWriter} from './vocabulary.ts';

/** Paths of one content that are searched: more is spam. */
const namesPerContent = limits.namesPerContent;
/** Contents in a batch up to which those that became more or less popular move in the index at once. */
const movedAtOnce = 1000;

/** A content that this batch touches, with its shares before and after. */
type Touched = {
	id: number;
	key: number;
	hash: Uint8Array;
	size: number;
	/** Its own name; shares under it need not repeat it. */
	name: string;
	twin: boolean;
	twinBefore: boolean;
	/** The popularity under which it is in the full-text table. */
	popularity: number;
	before: number;
	now: number;
	added: string[];
	/** Some share has another name than the content's own. */
	renamed: boolean;
	removed: boolean;
};
type FileRow = [id: number, nsrc: number, size: number, twin: number, pop: number, hash: Uint8Array, name: string];
type ShareRow = [file: number, gen: number, name: string];
type Holder = {file: number; folder: number; name: string; at: number};

/** Which peer a batch is for. `gen`: of its rows; `online`: whether its shares count now; `at`: their date, Unix seconds. */
export type BatchPeer = {number: number; gen: number; online: boolean; at?: number};

export class CatalogBatch {
	readonly #statements: CatalogStatements;
	readonly #peer: BatchPeer;
	readonly #presence: SharedPresence;
	readonly #vocabulary: VocabularyWriter;
	readonly #at: number;
	readonly #folders: FolderSums;
	readonly #byKey = new Map<number, Touched[]>();
	readonly #byId = new Map<number, Touched>();
	readonly #holders: Holder[] = [];
	/** Contents whose popularity is another now than in the full-text table. */
	readonly moved: number[] = [];
	/** Rows written to the full-text table. */
	texts = 0;

	constructor(statements: CatalogStatements, peer: BatchPeer, presence: SharedPresence, vocabulary: VocabularyWriter) {
		this.#statements = statements;
		this.#peer = peer;
		this.#at = peer.at ?? Math.floor(Date.now() / 1000);
		this.#presence = presence;
		this.#vocabulary = vocabulary;
		this.#folders = new FolderSums(statements, peer.number, this.#at, presence);
	}

	/** Files and bytes that the peer has more than before. */
	get total(): {files: number; bytes: number} {
		return this.#folders.total;
	}

	/** Applies changes, of each path only the last. */
	apply(lists: PackedChanges[]): void {
		const last = new Map<string, {list: PackedChanges; index: number}>();
		for (const list of lists) for (const [index, path] of pathsOf(list).entries()) last.set(path, {list, index});
		for (const [path, {list, index}] of last) {
			const size = list.sizes[index] ?? -1;
			if (size < 0) this.#remove(path);
			else this.#add(path, this.#fileOf(list.contents, index * contentBytes, size, path));
		}
	}

	/** Takes a share out that is known by its row. */
	removeShare(folder: number, nh: number, file: number, name: string): void {
		this.#drop(folder, nh, [file, 0, name]);
	}

	/** Writes contents, words and sums. */
	finish(): void {
		const {dropText, addText, addHolder, addKey} = this.#statements;
		this.#folders.write();
		for (const {file, folder, name, at} of this.#holders.sort((a, b) => a.file - b.file || a.folder - b.folder))
			addHolder.run(file, folder, name, at);
		const drops: number[] = [];
		const adds: {row: number; text: string}[] = [];
		for (const file of [...this.#byId.values()].sort((a, b) => a.id - b.id)) this.#writeFile(file, drops, adds);
		// In the order of its tree: the keys of one batch lie all over it.
		const fresh = [...this.#byId.values()].filter(({before, now}) => before === 0 && now > 0);
		for (const {key, id} of fresh.sort((a, b) => a.key - b.key)) addKey.run(key, id);
		for (const row of drops.sort((a, b) => a - b)) dropText.run(row);
		for (const {row, text} of adds.sort((a, b) => a.row - b.row)) addText.run(row, text);
		this.texts = drops.length + adds.length;
	}

	/** Counts what the peer offers more or less now; called once the transaction stands. */
	count(): void {
		this.#presence.wrote(this.#byId.keys());
		if (!this.#peer.online) return;
		for (const {id, before, now} of this.#byId.values()) if (now !== before) this.#presence.count(id, now - before);
		this.#presence.onlineChanged();
	}

	/** Whether what only moves by its popularity is left for a quiet moment, when it moves once instead of many times. */
	get #isLarge(): boolean {
		return this.#byId.size > movedAtOnce;
	}

	#add(path: string, file: Touched): void {
		const {keys, addShare, keepShare} = this.#statements;
		const {gen} = this.#peer;
		const folder = this.#folders.of(path, true);
		if (!folder) return;
		const name = baseName(path);
		const nh = keys.ofName(name);
		// Nothing is in a folder that this batch has made but what it puts there, each path once.
		const known = folder.isNew ? undefined : this.#find(folder.id, nh, name);
		if (known?.[0] === file.id) {
			if (known[1] !== gen) keepShare.run(gen, folder.id, nh, file.id);
			return;
		}
		if (known) this.#drop(folder.id, nh, known);
		const stored = name === file.name ? '' : name;
		addShare.run(folder.id, nh, file.id, gen, stored);
		this.#holders.push({file: file.id, folder: folder.id, name: stored, at: this.#at - folder.at});
		file.now++;
		file.added.push(path);
		file.renamed ||= stored !== '';
		this.#folders.count(folder.id, 1, file.size);
	}

	#remove(path: string): void {
		const folder = this.#folders.of(path, false);
		if (!folder) return;
		const name = baseName(path);
		const nh = this.#statements.keys.ofName(name);
		const known = this.#find(folder.id, nh, name);
		if (known) this.#drop(folder.id, nh, known);
	}

	/** The share of that name; `nh` may be another's as well. */
	#find(folder: number, nh: number, name: string): ShareRow | undefined {
		const rows = this.#statements.share.all(folder, nh) as unknown as ShareRow[];
		return rows.find(([file, , stored]) => (stored === '' ? this.#fileById(file)?.name : stored) === name);
	}

	#drop(folder: number, nh: number, [id, , name]: ShareRow): void {
		const {dropShare, dropHolder} = this.#statements;
		dropShare.run(folder, nh, id);
		dropHolder.run(id, folder, name);
		const file = this.#fileById(id);
		if (!file) return;
		file.now--;
		file.removed = true;
		this.#folders.count(folder, -1, -file.size);
	}

	/** The content with that ID and size; made where there is none. */
	#fileOf(contents: Uint8Array, at: number, size: number, path: string): Touched {
		const key = this.#statements.keys.ofContent(contents, at);
		const known = this.#withKey(key);
		let twin = false;
		for (const file of known) {
			if (!isSame(file.hash, contents, at)) continue;
			if (file.size === size) return file;
			twin = true;
			file.twin = true;
		}
		const hash = contents.subarray(at, at + contentBytes);
		const file = {id: this.#statements.newFile(), key, hash, size, name: baseName(path), twin, twinBefore: twin};
		return this.#keep({...file, popularity: 0, before: 0, now: 0, added: [], renamed: false, removed: false});
	}

	#withKey(key: number): Touched[] {
		let known = this.#byKey.get(key);
		if (!known) {
			known = [];
			this.#byKey.set(key, known);
			for (const row of this.#statements.file.all(key) as unknown as FileRow[]) {
				const file = this.#byId.get(row[0]) ?? this.#touch(row);
				if (!known.includes(file)) known.push(file);
			}
		}
		return known;
	}

	#fileById(id: number): Touched | undefined {
		const known = this.#byId.get(id);
		if (known) return known;
		const row = this.#statements.fileById.get(id) as FileRow | undefined;
		return row && this.#touch(row);
	}

	#touch([id, nsrc, size, twin, popularity, hash, name]: FileRow): Touched {
		const isTwin = twin === 1;
		const key = this.#statements.keys.ofContent(hash);
		const file = {id, key, hash, size, name, twin: isTwin, twinBefore: isTwin, popularity};
		return this.#keep({...file, before: nsrc, now: nsrc, added: [], renamed: false, removed: false});
	}

	#keep(file: Touched): Touched {
		this.#byId.set(file.id, file);
		this.#byKey.get(file.key)?.push(file);
		return file;
	}

	#writeFile(file: Touched, drops: number[], adds: {row: number; text: string}[]): void {
		const {id, key, hash, size, before, now, name, twin} = file;
		const {addFile, setFile, dropFile, dropKey} = this.#statements;
		if (before === 0 && now === 0) return;
		if (now === 0) {
			dropFile.run(id);
			dropKey.run(key, id);
			drops.push(rowIdOf(id, file.popularity));
			return;
		}
		const popularity = popularityOf(now);
		const isNew = before === 0;
		const paths = isNew || now <= namesPerContent || file.renamed ? this.#changedPaths(file) : undefined;
		const isMoved = popularity !== file.popularity;
		const isIndexed = isNew || paths !== undefined || (isMoved && !this.#isLarge);
		if (isMoved && !isIndexed) this.moved.push(id);
		const stored = isIndexed ? popularity : file.popularity;
		if (isNew) addFile.run(id, now, size, twin ? 1 : 0, stored, hash, name);
		else if (now !== before || twin !== file.twinBefore) setFile.run(now, twin ? 1 : 0, stored, id);
		if (!isIndexed) return;
		if (!isNew) drops.push(rowIdOf(id, file.popularity));
		const searched = searchedPaths(paths ?? this.#statements.pathsOf(id, name));
		const words = wordsOf(searched);
		this.#vocabulary.add(words);
		adds.push({row: rowIdOf(id, popularity), text: ftsText(words, searched, size)});
	}

	/** All paths of a content, where this batch has changed them; what is new first, so that it is searched in any case. */
	#changedPaths(file: Touched): string[] | undefined {
		if (file.before === 0 && file.added.length === file.now) return file.added;
		const paths = this.#statements.pathsOf(file.id, file.name);
		const counts = new Map<string, number>();
		for (const path of paths) counts.set(path, (counts.get(path) ?? 0) + 1);
		const fresh = file.added.filter(path => counts.get(path) === 1);
		return file.removed || fresh.length > 0 ? [...fresh, ...paths] : undefined;
	}
}

/** The different paths under which a content is found. */
export function searchedPaths(paths: string[]): string[] {
	return paths.length === 1 ? paths : [...new Set(paths)].slice(0, namesPerContent);
}

function isSame(hash: Uint8Array, contents: Uint8Array, at: number): boolean {
	for (let index = 0; index < contentBytes; index++) if (hash[index] !== contents[at + index]) return false;
	return true;
}
