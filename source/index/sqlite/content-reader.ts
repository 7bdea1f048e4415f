import type {DatabaseSync} from 'node:sqlite';
import {limits} from '../../api/limits.ts';
import {type ContentKeys, contentKeys} from './content-key.ts';
import {isoSeconds} from './iso-seconds.ts';
import {KeptShares} from './kept-shares.ts';
import type {SharedPresence} from './shared-presence.ts';
import {nameOf, Remembered, type StoredContent, StoredFolder, StoredName} from './stored-content.ts';

/** Shares of one content that are read for a search; of the rest only the number counts. */
const sharesRead = 64;
/** The same where the content is asked for. */
const sharesListed = 1000;
/** The same where the first ones are all offline. */
const sharesLookedThrough = 100_000;
/** Contents, their shares, and folders that are remembered: some 40 MB in each thread that reads. */
const contentsRemembered = 32_000;
const sharesRemembered = 384 * 1024;
const foldersRemembered = 25_000;

/** A source before the peer's name and address are put to it. `at`: Unix seconds. */
export type RawSource = {peer: number; path: string; at: number};
/** A content before that. `sourceCount`: online peers. */
export type RawContent = {content: string; name: string; size: number; sources: RawSource[]; sourceCount: number};

type FileRow = [size: number, twin: number, content: string, name: string];
type HolderRow = [folder: number, name: string, at: number];

/** Reads contents and who shares them, and remembers those that are asked for again and again. */
export class ContentReader {
	readonly #presence: SharedPresence;
	readonly #file;
	readonly #byKey;
	readonly #holders;
	readonly #folder;
	readonly #keys: ContentKeys;
	readonly #contents = new Remembered<number, StoredContent>(contentsRemembered);
	readonly #folders = new Remembered<number, StoredFolder>(foldersRemembered);
	readonly #shares = new KeptShares(sharesRemembered);
	/** By the number of a peer the last count of contents in which it was met. */
	#met = new Float64Array(1024);
	#counted = 0;
	#asOf = 0;

	constructor(database: DatabaseSync, presence: SharedPresence) {
		const prepare = (sql: string) => {
			const statement = database.prepare(sql);
			statement.setReturnArrays(true);
			return statement;
		};
		this.#presence = presence;
		this.#keys = contentKeys(database);
		this.#file = prepare('SELECT size, twin, lower(hex(hash)), name FROM file WHERE id=?');
		this.#byKey = prepare('SELECT f.id, f.hash FROM filekey k JOIN file f ON f.id=k.file WHERE k.hk=?');
		// SQLite looks at a bound LIMIT when it plans, and prepares the statement anew for every binding: not so a sum.
		this.#holders = prepare('SELECT folder, name, at FROM holder WHERE file=? LIMIT ?+0 OFFSET ?+0');
		this.#folder = prepare('SELECT path, at FROM folder WHERE id=?');
	}

	/** Called before a transaction begins. */
	refresh(): void {
		this.#asOf = this.#presence.transaction;
	}

	/** The content of that row; undefined when it went meanwhile. */
	read(id: number): StoredContent | undefined {
		const known = this.#contents.get(id);
		if (known && this.#presence.writtenAt(id) <= known.asOf && this.#shares.has(known.until)) return known;
		const stored = this.#read(id, sharesRead);
		// Which shares were read may depend on who was online.
		if (!stored || (stored.isPart && !this.#isAnyOnline(stored))) this.#contents.delete(id);
		else this.#contents.set(id, stored);
		return stored;
	}

	/** The peer of a share. */
	peerOf({from}: StoredContent, share: number): number {
		return this.#shares.peers[from + share] as number;
	}

	/** The folder of a share. */
	folderOf({from}: StoredContent, share: number): StoredFolder {
		return this.#folderAt(this.#shares.folders[from + share] as number);
	}

	/** The end of an online source's JSON, from the value of `path` on. `name`: the share's, as it stands in JSON. */
	textOf(stored: StoredContent, share: number, name: string): string {
		const folder = this.folderOf(stored, share);
		const at = isoSeconds(this.#timeOf(stored, share, folder));
		return `"${folder.json}${name}","sharedAt":"${at}","online":true}`;
	}

	/** All sources of a content, one per peer, online ones first; undefined when nobody ever registered it. */
	sources(content: string): RawContent | undefined {
		const [believed] = this.#sizesOf(Buffer.from(content, 'hex'));
		const stored = believed === undefined ? undefined : this.#read(believed, sharesListed);
		if (!stored) return undefined;
		const {size, shares} = stored;
		const all = stored.byPeer ?? [...Array(shares).keys()];
		const isOnline = (share: number) => this.#presence.isOnline(this.peerOf(stored, share));
		const online = all.filter(isOnline);
		const ordered = [...online, ...all.filter(share => !isOnline(share))];
		const sources = ordered.slice(0, limits.sourcesPerHit).map(share => {
			const folder = this.folderOf(stored, share);
			const path = folder.pathOf(nameOf(stored, share).text);
			return {peer: this.peerOf(stored, share), path, at: this.#timeOf(stored, share, folder)};
		});
		const [first] = ordered;
		const name = first === undefined ? '' : nameOf(stored, first).text;
		return {content, name, size, sources, sourceCount: online.length + this.unread(stored)};
	}

	/** How many online peers share a content beyond those whose shares were read. */
	unread({id, shares, isPart}: StoredContent): number {
		return isPart ? Math.max(0, this.#presence.shares(id) - shares) : 0;
	}

	/** Whether no other size is claimed for this content by more online shares: what is not believed is not offered. */
	isBelieved({id, content, isTwin}: StoredContent): boolean {
		return !isTwin || this.#sizesOf(Buffer.from(content, 'hex'))[0] === id;
	}

	/** The rows of a content, one per claimed size: the one with most online shares first, then the oldest. */
	#sizesOf(hash: Uint8Array): number[] {
		const rows = this.#byKey.all(this.#keys.ofContent(hash)) as unknown as [id: number, hash: Uint8Array][];
		const ids = rows.filter(([, other]) => Buffer.compare(hash, other) === 0).map(([id]) => id);
		return ids.sort((a, b) => this.#presence.shares(b) - this.#presence.shares(a) || a - b);
	}

	#read(id: number, most: number): StoredContent | undefined {
		const row = this.#file.get(id) as unknown as FileRow | undefined;
		if (!row) return undefined;
		const [size, twin, content, ownName] = row;
		let rows = this.#holders.all(id, most, 0) as unknown as HolderRow[];
		const isOnline = ([folder]: HolderRow) => this.#presence.isOnline(this.#presence.peerOf(folder));
		const isPart = rows.length === most;
		if (isPart && !rows.some(isOnline)) {
			const later = (this.#holders.all(id, sharesLookedThrough, most) as unknown as HolderRow[]).filter(isOnline);
			if (later.length > 0) rows = later.slice(0, most);
		}
		const {peers, folders, times} = this.#shares;
		const {from, until} = this.#shares.reserve(rows.length);
		for (let share = 0; share < rows.length; share++) {
			const [folder, , at] = rows[share] as HolderRow;
			peers[from + share] = this.#presence.peerOf(folder);
			folders[from + share] = folder;
			times[from + share] = at;
		}
		const {name, names} = namesOf(rows, ownName);
		return {
			id,
			asOf: this.#asOf,
			content,
			size,
			isTwin: twin === 1,
			isPart,
			from,
			until,
			shares: rows.length,
			name,
			names,
			byPeer: this.#onePerPeer(from, rows.length),
			hit: undefined,
		};
	}

	/** The first share of each peer; undefined where that is all of them. */
	#onePerPeer(from: number, shares: number): number[] | undefined {
		if (shares < 2) return undefined;
		const count = ++this.#counted;
		let found: number[] | undefined;
		for (let share = 0; share < shares; share++) {
			const peer = this.#shares.peers[from + share] as number;
			if (peer >= this.#met.length) this.#met = enlarged(this.#met, peer);
			if (this.#met[peer] !== count) {
				this.#met[peer] = count;
				found?.push(share);
			} else found ??= [...Array(share).keys()];
		}
		return found;
	}

	#isAnyOnline(stored: StoredContent): boolean {
		for (let share = 0; share < stored.shares; share++)
			if (this.#presence.isOnline(this.peerOf(stored, share))) return true;
		return false;
	}

	/** When a share was made, in Unix seconds. */
	#timeOf({from}: StoredContent, share: number, folder: StoredFolder): number {
		return folder.at + (this.#shares.times[from + share] as number);
	}

	/** A folder by its ID. */
	#folderAt(id: number): StoredFolder {
		let folder = this.#folders.get(id);
		if (!folder) {
			const [path = '', at = 0] = (this.#folder.get(id) ?? []) as unknown as [string?, number?];
			folder = new StoredFolder(path, at);
			this.#folders.set(id, folder);
		}
		return folder;
	}
}

/** The names of shares, which are '' where they are the content's own. */
function namesOf(rows: HolderRow[], own: string): Pick<StoredContent, 'name' | 'names'> {
	const first = rows[0]?.[1] ?? '';
	const name = new StoredName(first || own);
	if (rows.every(row => row[1] === first)) return {name, names: undefined};
	const known = new Map([[first, 0]]);
	const different = [name];
	const of = rows.map(([, text]) => {
		const before = known.get(text);
		if (before !== undefined) return before;
		known.set(text, different.length);
		return different.push(new StoredName(text || own)) - 1;
	});
	return {name, names: {different, of}};
}

function enlarged(list: Float64Array, index: number): Float64Array<ArrayBuffer> {
	const larger = new Float64Array(2 * index);
	larger.set(list);
	return larger;
}
