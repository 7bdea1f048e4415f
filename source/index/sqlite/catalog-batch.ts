// One transaction of changes to catalogs, of one peer or of several: shares and folders as they come, contents and words
// at the end, once each and in the order in which they lie on the disk.
import {limits} from '../../api/limits.ts';
import type {CatalogStatements} from './catalog-statements.ts';
import {type ContentTexts, type Place, pathOf, searchedPlaces} from './content-texts.ts';
import {FolderSums} from './folder-sums.ts';
import {popularityOf, rowIdOf, sizeClass} from './fts-text.ts';
import {contentBytes, type PackedChanges} from './packed-changes.ts';
import type {SharedPresence} from './shared-presence.ts';

/** Contents in a batch up to which those that became more or less popular move in the index at once. */
const movedAtOnce = 1000;
/** The oldest names of a content that are searched, however many new ones there are. */
const oldestSearched = limits.namesPerContent / 2;

/** A content that this batch touches, with its shares before and after. */
class Touched {
	readonly id: number;
	readonly key: number;
	readonly hash: Uint8Array;
	readonly size: number;
	/** Its own name; shares under it need not repeat it. */
	readonly name: string;
	twin: boolean;
	readonly twinBefore: boolean;
	/** The popularity under which it is in the full-text table. */
	readonly popularity: number;
	readonly before: number;
	now: number;
	/** Shares of online peers that came, less those that went. */
	online = 0;
	readonly added: Place[] = [];
	/** Some share has another name than the content's own. */
	renamed = false;
	removed = false;

	constructor(key: number, [id, nsrc, size, twin, popularity, hash, name]: FileRow) {
		this.id = id;
		this.key = key;
		this.hash = hash;
		this.size = size;
		this.name = name;
		this.twin = twin === 1;
		this.twinBefore = this.twin;
		this.popularity = popularity;
		this.before = nsrc;
		this.now = nsrc;
	}
}

/** What happens to a path: its place in the lists of changes. */
type Change = {list: PackedChanges; index: number};
type FileRow = [id: number, nsrc: number, size: number, twin: number, pop: number, hash: Uint8Array, name: string];
type ShareRow = [file: number, gen: number, name: string];
type Holder = {file: number; folder: number; name: string; at: number};

/** Which peer a batch is for. `gen`: of its rows; `online`: whether its shares count now; `at`: their date, Unix seconds. */
export type BatchPeer = {number: number; gen: number; online: boolean; at?: number};

export class CatalogBatch {
	readonly #statements: CatalogStatements;
	readonly #presence: SharedPresence;
	readonly #texts: ContentTexts;
	readonly #now = Math.floor(Date.now() / 1000);
	/** The peer whose changes are applied at present, with the date of its shares. */
	#peer: BatchPeer | undefined;
	#at = 0;
	#folders: FolderSums | undefined;
	/** Everyone's so far, by number. */
	readonly #sums = new Map<number, FolderSums>();
	readonly #byKey = new Map<number, Touched[]>();
	readonly #byId = new Map<number, Touched>();
	readonly #holders: Holder[] = [];
	/** Contents whose popularity is another now than in the full-text table. */
	readonly moved: number[] = [];
	/** Rows written to the full-text table. */
	texts = 0;

	constructor(statements: CatalogStatements, presence: SharedPresence, texts: ContentTexts) {
		this.#statements = statements;
		this.#presence = presence;
		this.#texts = texts;
	}

	/** Whose changes come next: each peer once. */
	begin(peer: BatchPeer): void {
		this.#peer = peer;
		this.#at = peer.at ?? this.#now;
		this.#folders = new FolderSums(this.#statements, peer.number, this.#at, this.#presence);
		this.#sums.set(peer.number, this.#folders);
	}

	/** Files and bytes that a peer has more than before. */
	totalOf(peer: number): {files: number; bytes: number} {
		return this.#sums.get(peer)?.total ?? {files: 0, bytes: 0};
	}

	/** Applies changes of the peer, of each path only the last, folder by folder. */
	apply(lists: PackedChanges[]): void {
		for (const [path, files] of byFolder(lists)) {
			for (const [name, {list, index}] of files) {
				const size = list.sizes[index] ?? -1;
				if (size < 0) this.#remove(path, name);
				else this.#add(path, name, this.#fileOf(list.contents, index * contentBytes, size, name));
			}
		}
	}

	/** Takes a share out that is known by its row. */
	removeShare(folder: number, nh: number, file: number, name: string): void {
		this.#drop(folder, nh, [file, 0, name]);
	}

	/** Writes contents, words and sums. */
	finish(): void {
		const {dropText, addText, addHolder, addKey} = this.#statements;
		for (const folders of this.#sums.values()) folders.write();
		for (const {file, folder, name, at} of this.#holders.sort((a, b) => a.file - b.file || a.folder - b.folder))
			addHolder.get(file, folder, name, at);
		const drops: number[] = [];
		const adds: {row: number; text: string}[] = [];
		for (const file of [...this.#byId.values()].sort((a, b) => a.id - b.id)) this.#writeFile(file, drops, adds);
		// In the order of its tree: the keys of one batch lie all over it.
		const fresh = [...this.#byId.values()].filter(({before, now}) => before === 0 && now > 0);
		for (const {key, id} of fresh.sort((a, b) => a.key - b.key)) addKey.get(key, id);
		for (const row of drops.sort((a, b) => a - b)) dropText.get(row);
		for (const {row, text} of adds.sort((a, b) => a.row - b.row)) addText.get(row, text);
		this.texts = drops.length + adds.length;
	}

	/** Counts what online peers offer more or less now; called once the transaction stands. */
	count(): void {
		this.#presence.wrote(this.#byId.keys());
		let isSeen = false;
		for (const {id, online} of this.#byId.values()) {
			if (online === 0) continue;
			this.#presence.count(id, online);
			isSeen = true;
		}
		if (isSeen) this.#presence.onlineChanged();
	}

	/** Whether what only moves by its popularity is left for a quiet moment, when it moves once instead of many times. */
	get #isLarge(): boolean {
		return this.#byId.size > movedAtOnce;
	}

	#add(path: string, name: string, file: Touched): void {
		const {keys, addShare, keepShare} = this.#statements;
		const peer = this.#peer;
		const folder = this.#folders?.of(path, true);
		if (!peer || !folder) return;
		const {gen} = peer;
		const nh = keys.ofName(name);
		// Nothing is in a folder that this batch has made but what it puts there, each path once.
		const known = folder.isNew ? undefined : this.#find(folder.id, nh, name);
		if (known?.[0] === file.id) {
			if (known[1] !== gen) keepShare.get(gen, folder.id, nh, file.id);
			return;
		}
		if (known) this.#drop(folder.id, nh, known);
		const stored = name === file.name ? '' : name;
		addShare.get(folder.id, nh, file.id, gen, stored);
		this.#holders.push({file: file.id, folder: folder.id, name: stored, at: this.#at - folder.at});
		file.now++;
		if (peer.online) file.online++;
		file.added.push({folder: path, name});
		file.renamed ||= stored !== '';
		this.#folders?.count(folder.id, 1, file.size);
	}

	#remove(path: string, name: string): void {
		const folder = this.#folders?.of(path, false);
		if (!folder) return;
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
		dropShare.get(folder, nh, id);
		dropHolder.get(id, folder, name);
		const file = this.#fileById(id);
		if (!file) return;
		file.now--;
		if (this.#peer?.online) file.online--;
		file.removed = true;
		this.#folders?.count(folder, -1, -file.size);
	}

	/** The content with that ID and size; made where there is none. */
	#fileOf(contents: Uint8Array, at: number, size: number, name: string): Touched {
		const key = this.#statements.keys.ofContent(contents, at);
		const known = this.#withKey(key);
		let twin = 0;
		for (const file of known) {
			if (!isSame(file.hash, contents, at)) continue;
			if (file.size === size) return file;
			twin = 1;
			file.twin = true;
		}
		const hash = contents.subarray(at, at + contentBytes);
		return this.#keep(new Touched(key, [this.#statements.newFile(), 0, size, twin, 0, hash, name]));
	}

	#withKey(key: number): Touched[] {
		let known = this.#byKey.get(key);
		if (!known) {
			known = [];
			this.#byKey.set(key, known);
			for (const row of this.#statements.file.all(key) as unknown as FileRow[]) {
				const file = this.#byId.get(row[0]) ?? this.#keep(new Touched(key, row));
				if (!known.includes(file)) known.push(file);
			}
		}
		return known;
	}

	#fileById(id: number): Touched | undefined {
		const known = this.#byId.get(id);
		if (known) return known;
		const row = this.#statements.fileById.get(id) as FileRow | undefined;
		return row && this.#keep(new Touched(this.#statements.keys.ofContent(row[5]), row));
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
			dropFile.get(id);
			dropKey.get(key, id);
			drops.push(rowIdOf(id, file.popularity));
			return;
		}
		const popularity = popularityOf(now);
		const isNew = before === 0;
		const places = isNew || now <= limits.namesPerContent || file.renamed ? this.#changedPlaces(file) : undefined;
		const isMoved = popularity !== file.popularity;
		const isIndexed = isNew || places !== undefined || (isMoved && !this.#isLarge);
		if (isMoved && !isIndexed) this.moved.push(id);
		const stored = isIndexed ? popularity : file.popularity;
		if (isNew) {
			addFile.get(id, now, size, twin ? 1 : 0, stored, hash, name);
			this.#presence.setSizeClass(id, sizeClass(size));
		} else if (now !== before || twin !== file.twinBefore) setFile.get(now, twin ? 1 : 0, stored, id);
		if (!isIndexed) return;
		if (!isNew) drops.push(rowIdOf(id, file.popularity));
		const searched = searchedPlaces(places ?? this.#statements.placesOf(id, name));
		adds.push({row: rowIdOf(id, popularity), text: this.#texts.of(searched, size)});
	}

	/**
	 * All places of a content, where this batch has changed them. The oldest first, which nobody pushes out by many new
	 * ones, then what is new, so that it is searched in any case.
	 */
	#changedPlaces({id, name, added, removed, before, now}: Touched): Place[] | undefined {
		if (before === 0 && added.length === now) return added;
		// What many share is under the same path with the first of them already, most of the time.
		const first = removed ? [] : this.#statements.firstPlacesOf(id, name, this.#sums);
		const isKnown = ({folder, name}: Place) => first.some(other => other.name === name && other.folder === folder);
		if (!removed && added.every(isKnown)) return undefined;
		const places = this.#statements.placesOf(id, name);
		const counts = countsOf(places);
		const addedCounts = countsOf(added);
		const fresh = added.filter(place => counts.get(pathOf(place)) === addedCounts.get(pathOf(place)));
		return removed || fresh.length > 0 ? [...places.slice(0, oldestSearched), ...fresh, ...places] : undefined;
	}
}

/** Changes by folder and name, of each only the last. */
function byFolder(lists: PackedChanges[]): Map<string, Map<string, Change>> {
	const folders = new Map<string, Map<string, Change>>();
	for (const list of lists) {
		let index = 0;
		for (const [at, path] of list.folders.entries()) {
			const files = folders.get(path) ?? new Map<string, Change>();
			folders.set(path, files);
			for (const end = index + (list.lengths[at] ?? 0); index < end; index++)
				files.set(list.names[index] ?? '', {list, index});
		}
	}
	return folders;
}

function countsOf(places: Place[]): Map<string, number> {
	const counts = new Map<string, number>();
	for (const place of places) counts.set(pathOf(place), (counts.get(pathOf(place)) ?? 0) + 1);
	return counts;
}

function isSame(hash: Uint8Array, contents: Uint8Array, at: number): boolean {
	for (let index = 0; index < contentBytes; index++) if (hash[index] !== contents[at + index]) return false;
	return true;
}
