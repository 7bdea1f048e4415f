import type {DatabaseSync} from 'node:sqlite';
import {limits} from '../../api/limits.ts';
import {type ContentKeys, contentKeys} from './content-key.ts';
import type {SharedPresence} from './shared-presence.ts';
import {Remembered, type StoredContent, StoredFolder, StoredName, type StoredShare} from './stored-content.ts';

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

type FileRow = [size: number, twin: number, hash: Uint8Array, name: string];
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
		this.#file = prepare('SELECT size, twin, hash, name FROM file WHERE id=?');
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
		if (!stored || (stored.isPart && !stored.shares.some(({peer}) => this.#presence.isOnline(peer))))
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
	textOf(share: StoredShare): string {
		if (share.text === undefined) {
			const folder = this.folder(share.folder);
			const path = JSON.stringify(folder.pathOf(share.name.text));
			share.text = `${path},"sharedAt":"${isoSeconds(folder.at + share.at)}","online":true}`;
		}
		return share.text;
	}

	/** All sources of a content, one per peer, online ones first; undefined when nobody ever registered it. */
	sources(content: string): RawContent | undefined {
		const [believed] = this.#sizesOf(Buffer.from(content, 'hex'));
		const stored = believed === undefined ? undefined : this.#read(believed, sharesListed);
		if (!stored) return undefined;
		const {size, byPeer} = stored;
		const online = byPeer.filter(({peer}) => this.#presence.isOnline(peer));
		const rest = byPeer.filter(({peer}) => !this.#presence.isOnline(peer));
		const sources = [...online, ...rest].slice(0, limits.sourcesPerHit).map(({peer, folder: id, name, at}) => {
			const folder = this.folder(id);
			return {peer, path: folder.pathOf(name.text), at: folder.at + at};
		});
		const name = (online[0] ?? rest[0])?.name.text ?? '';
		return {content, name, size, sources, sourceCount: online.length + this.unread(stored)};
	}

	/** How many online peers share a content beyond those whose shares were read. */
	unread({id, shares, isPart}: StoredContent): number {
		return isPart ? Math.max(0, this.#presence.shares(id) - shares.length) : 0;
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
		const [size, twin, hash, ownName] = row;
		let rows = this.#holders.all(id, most, 0) as unknown as HolderRow[];
		const isOnline = ([folder]: HolderRow) => this.#presence.isOnline(this.#presence.peerOf(folder));
		const isPart = rows.length === most;
		if (isPart && !rows.some(isOnline)) {
			const later = (this.#holders.all(id, sharesLookedThrough, most) as unknown as HolderRow[]).filter(isOnline);
			if (later.length > 0) rows = later.slice(0, most);
		}
		const own = new StoredName(ownName);
		const names = new Map<string, StoredName>();
		const shares = rows.map(([folder, text, at]): StoredShare => {
			const peer = this.#presence.peerOf(folder);
			if (text === '') return {peer, folder, name: own, at};
			const name = names.get(text) ?? new StoredName(text);
			names.set(text, name);
			return {peer, folder, name, at};
		});
		const content = Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
		const different = names.size === 0 ? [own] : [...names.values()];
		if (names.size > 0 && shares.some(({name}) => name === own)) different.push(own);
		return {
			...{id, asOf: this.#asOf, content, size, isTwin: twin === 1, isPart},
			...{shares, names: different, byPeer: onePerPeer(shares)},
		};
	}
}

function onePerPeer(shares: StoredShare[]): StoredShare[] {
	if (shares.length < 2) return shares;
	const peers = new Set<number>();
	return shares.filter(({peer}) => peers.size < peers.add(peer).size);
}

let lastSecond = -1;
let lastText = '';

/** A time in the form of Date.toISOString; shares of one upload have the same. */
function isoSeconds(at: number): string {
	if (at !== lastSecond) {
		lastText = new Date(at * 1000).toISOString();
		lastSecond = at;
	}
	return lastText;
}
