import type {DatabaseSync} from 'node:sqlite';
import {limits} from '../../api/limits.ts';
import {type ContentKeys, contentKeys} from './content-key.ts';
import {isoSeconds} from './iso-seconds.ts';
import type {SharedPresence} from './shared-presence.ts';
import {nameOf, Remembered, type StoredContent, StoredFolder, StoredName} from './stored-content.ts';

/** Shares of one content that are read for a search; of the rest only the number counts. */
const sharesRead = 64;
/** The same where the content is asked for. */
const sharesListed = 1000;
/** The same where the first ones are all offline. */
const sharesLookedThrough = 100_000;
/** Contents and folders that are remembered: some 40 MB in each thread that reads. */
const contentsRemembered = 12_000;
const foldersRemembered = 20_000;

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
		if (known && this.#presence.writtenAt(id) <= known.asOf) return known;
		const stored = this.#read(id, sharesRead);
		// Which shares were read may depend on who was online.
		if (!stored || (stored.isPart && !stored.peers.some(peer => this.#presence.isOnline(peer))))
			this.#contents.delete(id);
		else this.#contents.set(id, stored);
		return stored;
	}

	/** The folder of a share that was read. */
	folder(id: number): StoredFolder {
		let folder = this.#folders.get(id);
		if (!folder) {
			const [path = '', at = 0] = (this.#folder.get(id) ?? []) as unknown as [string?, number?];
			folder = new StoredFolder(path, at);
			this.#folders.set(id, folder);
		}
		return folder;
	}

	/** The end of an online source's JSON, from the value of `path` on. */
	textOf(stored: StoredContent, share: number): string {
		const folder = this.folder(stored.folders[share] as number);
		const below = folder.text === '' ? '' : `${folder.json}/`;
		const at = isoSeconds(folder.at + (stored.times[share] as number));
		return `"${below}${nameOf(stored, share).json}","sharedAt":"${at}","online":true}`;
	}

	/** All sources of a content, one per peer, online ones first; undefined when nobody ever registered it. */
	sources(content: string): RawContent | undefined {
		const [believed] = this.#sizesOf(Buffer.from(content, 'hex'));
		const stored = believed === undefined ? undefined : this.#read(believed, sharesListed);
		if (!stored) return undefined;
		const {size, peers, folders, times} = stored;
		const all = stored.byPeer ?? [...peers.keys()];
		const isOnline = (share: number) => this.#presence.isOnline(peers[share] as number);
		const online = all.filter(isOnline);
		const ordered = [...online, ...all.filter(share => !isOnline(share))];
		const sources = ordered.slice(0, limits.sourcesPerHit).map(share => {
			const folder = this.folder(folders[share] as number);
			const path = folder.pathOf(nameOf(stored, share).text);
			return {peer: peers[share] as number, path, at: folder.at + (times[share] as number)};
		});
		const [first] = ordered;
		const name = first === undefined ? '' : nameOf(stored, first).text;
		return {content, name, size, sources, sourceCount: online.length + this.unread(stored)};
	}

	/** How many online peers share a content beyond those whose shares were read. */
	unread({id, peers, isPart}: StoredContent): number {
		return isPart ? Math.max(0, this.#presence.shares(id) - peers.length) : 0;
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
		const peers: number[] = [];
		const folders: number[] = [];
		const times: number[] = [];
		for (const [folder, , at] of rows) {
			peers.push(this.#presence.peerOf(folder));
			folders.push(folder);
			times.push(at);
		}
		const base = {id, asOf: this.#asOf, content, size, isTwin: twin === 1, isPart, peers, folders, times};
		const {names, nameOf} = namesOf(rows, ownName);
		return {...base, names, nameOf, byPeer: onePerPeer(peers), hit: undefined};
	}
}

/** The different names of shares, which are '' where they are the content's own. */
function namesOf(rows: HolderRow[], own: string): Pick<StoredContent, 'names' | 'nameOf'> {
	const only = rows[0]?.[1] ?? '';
	if (rows.every(row => row[1] === only)) return {names: [new StoredName(only || own)], nameOf: undefined};
	const known = new Map<string, number>();
	const names: StoredName[] = [];
	const nameOf = rows.map(([, text]) => {
		const before = known.get(text);
		if (before !== undefined) return before;
		known.set(text, names.length);
		return names.push(new StoredName(text || own)) - 1;
	});
	return {names, nameOf};
}

/** The first share of each peer; undefined where that is all of them. */
function onePerPeer(shares: number[]): number[] | undefined {
	if (shares.length < 2) return undefined;
	const peers = new Set(shares);
	if (peers.size === shares.length) return undefined;
	return [...shares.keys()].filter(share => peers.delete(shares[share] as number));
}
