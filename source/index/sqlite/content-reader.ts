import type {DatabaseSync} from 'node:sqlite';
import {limits} from '../../api/limits.ts';
import {type PathWords, readPath} from '../../api/query-match.ts';
import {baseName} from '../../core/share-path.ts';
import {type ContentKey, contentKey} from './content-key.ts';
import type {SharedPresence} from './shared-presence.ts';

/** Shares of one content that are read; of the rest only the number counts. */
const sharesRead = 200;
/** The same where the first ones are all offline. */
const sharesLookedThrough = 100_000;
/** Contents and shares that are remembered: some 30 MB in each thread that reads. */
const contentsRemembered = 8000;
const sharesRemembered = 60_000;

/** A source before the peer's name and address are put to it. `at`: Unix seconds. */
export type RawSource = {peer: number; path: string; at: number};
/** A content before that. `sourceCount`: online peers. */
export type RawContent = {content: string; name: string; size: number; sources: RawSource[]; sourceCount: number};

/** A share as it is remembered. */
export class StoredShare {
	readonly peer: number;
	readonly at: number;
	readonly name: StoredName;
	#text: string | undefined;

	constructor(peer: number, at: number, name: StoredName) {
		this.peer = peer;
		this.at = at;
		this.name = name;
	}

	/** The end of an online source's JSON, from the value of `path` on. */
	get text(): string {
		this.#text ??= `${JSON.stringify(this.name.path)},"sharedAt":"${isoSeconds(this.at)}","online":true}`;
		return this.#text;
	}
}

/** One of a content's paths, which many peers may share it under. */
export class StoredName {
	readonly path: string;
	#words: PathWords | undefined;

	constructor(path: string) {
		this.path = path;
	}

	/** The path, cut. */
	get words(): PathWords {
		this.#words ??= readPath(this.path);
		return this.#words;
	}
}

/** A content as it is remembered. `asOf`: the transaction that it is no older than. */
export type StoredContent = {
	id: number;
	asOf: number;
	content: string;
	size: number;
	/** Oldest first. */
	shares: StoredShare[];
	/** The oldest of each peer. */
	byPeer: StoredShare[];
	/** Different paths among them. */
	names: number;
};

type ShareRow = [peer: number, folder: string, name: string, at: number];

/** Reads contents and who shares them, and remembers those that are asked for again and again. */
export class ContentReader {
	readonly #presence: SharedPresence;
	readonly #file;
	readonly #byKey;
	readonly #shares;
	readonly #keyOf: ContentKey;
	readonly #remembered = new Map<number, StoredContent>();
	#sharesHeld = 0;
	#asOf = 0;

	constructor(database: DatabaseSync, presence: SharedPresence) {
		this.#presence = presence;
		this.#keyOf = contentKey(database);
		this.#file = database.prepare('SELECT size, hash FROM file WHERE id=?');
		this.#byKey = database.prepare('SELECT id, hash FROM file WHERE hk=?');
		this.#shares = database.prepare(
			`SELECT f.peer, f.path, s.name, s.at FROM share s JOIN folder f ON f.id=s.folder
			WHERE s.file=? ORDER BY s.folder, s.name LIMIT ? OFFSET ?`,
		);
		this.#shares.setReturnArrays(true);
	}

	/** Called before a transaction begins. */
	refresh(): void {
		this.#asOf = this.#presence.transaction;
	}

	/** The content of that row; undefined when it went meanwhile. */
	read(id: number): StoredContent | undefined {
		const known = this.#remembered.get(id);
		if (known && this.#presence.writtenAt(id) <= known.asOf) return known;
		if (known) this.#forget(known);
		const row = this.#file.get(id) as {size: number; hash: Uint8Array} | undefined;
		if (!row) return undefined;
		let rows = this.#rowsOf(id, sharesRead, 0);
		const isOnline = ([peer]: ShareRow) => this.#presence.isOnline(peer);
		const truncated = rows.length === sharesRead;
		if (truncated && !rows.some(isOnline)) {
			const later = this.#rowsOf(id, sharesLookedThrough, sharesRead).filter(isOnline);
			if (later.length > 0) rows = later.slice(0, sharesRead);
		}
		const stored = assemble(id, this.#asOf, hex(row.hash), row.size, rows);
		// Which shares were read depends on who was online.
		if (!truncated || rows.some(isOnline)) this.#remember(stored);
		return stored;
	}

	/** The content with that ID; undefined when nobody ever registered it. */
	find(content: string): StoredContent | undefined {
		const rows = this.#byKey.all(this.#keyOf(Buffer.from(content, 'hex'))) as {id: number; hash: Uint8Array}[];
		const row = rows.find(({hash}) => hex(hash) === content);
		return row && this.read(row.id);
	}

	/** How many online peers share a content beyond those whose shares were read. */
	unread({id, shares}: StoredContent): number {
		return shares.length < sharesRead ? 0 : Math.max(0, this.#presence.shares(id) - sharesRead);
	}

	/** A content with all its sources, one per peer, online ones first. */
	describe(stored: StoredContent): RawContent {
		const {content, size, byPeer} = stored;
		const online = byPeer.filter(({peer}) => this.#presence.isOnline(peer));
		const rest = byPeer.filter(({peer}) => !this.#presence.isOnline(peer));
		const sources = [...online, ...rest].slice(0, limits.sourcesPerHit);
		return {
			content,
			name: baseName((online[0] ?? rest[0])?.name.path ?? ''),
			size,
			sources: sources.map(({peer, at, name}) => ({peer, at, path: name.path})),
			sourceCount: online.length + this.unread(stored),
		};
	}

	#rowsOf(id: number, limit: number, offset: number): ShareRow[] {
		const rows = this.#shares.all(id, limit, offset) as unknown as ShareRow[];
		// Folders come in the order in which they were made; within it by time.
		return rows.length > 1 ? rows.sort((a, b) => a[3] - b[3]) : rows;
	}

	#remember(stored: StoredContent): void {
		this.#remembered.set(stored.id, stored);
		this.#sharesHeld += stored.shares.length;
		while (this.#remembered.size > contentsRemembered || this.#sharesHeld > sharesRemembered) {
			// The one that was read first: what is asked for all the time is soon read again.
			const [oldest] = this.#remembered.values();
			if (!oldest) return;
			this.#forget(oldest);
		}
	}

	#forget(stored: StoredContent): void {
		if (this.#remembered.delete(stored.id)) this.#sharesHeld -= stored.shares.length;
	}
}

function assemble(id: number, asOf: number, content: string, size: number, rows: ShareRow[]): StoredContent {
	const names = new Map<string, StoredName>();
	const peers = new Set<number>();
	const shares: StoredShare[] = [];
	const byPeer: StoredShare[] = [];
	for (const [peer, folder, file, at] of rows) {
		const path = folder === '' ? file : `${folder}/${file}`;
		let name = names.get(path);
		if (!name) {
			name = new StoredName(path);
			names.set(path, name);
		}
		const share = new StoredShare(peer, at, name);
		shares.push(share);
		if (peers.has(peer)) continue;
		peers.add(peer);
		byPeer.push(share);
	}
	return {id, asOf, content, size, shares, byPeer, names: names.size};
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

function hex(hash: Uint8Array): string {
	return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
}
