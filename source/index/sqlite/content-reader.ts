import type {DatabaseSync} from 'node:sqlite';
import {limits} from '../../api/limits.ts';
import {baseName} from '../../core/share-path.ts';
import {type ContentKey, contentKey} from './content-key.ts';
import type {SharedPresence} from './shared-presence.ts';

/** Shares of one content that are read; of the rest only the number counts. */
const sharesRead = 200;
/** The same where the first ones are all offline. */
const sharesLookedThrough = 100_000;

/** A source before the peer's name and address are put to it. `at`: Unix seconds. */
export type RawSource = {peer: number; path: string; at: number};
/** A content before that. `sourceCount`: online peers. */
export type RawContent = {content: string; name: string; size: number; sources: RawSource[]; sourceCount: number};
/** A content with its shares, oldest first. */
export type StoredContent = {id: number; content: string; size: number; shares: RawSource[]};

type ShareRow = {peer: number; folder: string; name: string; at: number};

/** Reads contents and who shares them. */
export class ContentReader {
	readonly #presence: SharedPresence;
	readonly #file;
	readonly #byKey;
	readonly #shares;
	readonly #keyOf: ContentKey;

	constructor(database: DatabaseSync, presence: SharedPresence) {
		this.#presence = presence;
		this.#keyOf = contentKey(database);
		this.#file = database.prepare('SELECT size, hash FROM file WHERE id=?');
		this.#byKey = database.prepare('SELECT id, hash FROM file WHERE hk=?');
		this.#shares = database.prepare(
			`SELECT f.peer, f.path AS folder, s.name, s.at FROM share s JOIN folder f ON f.id=s.folder
			WHERE s.file=? ORDER BY s.at LIMIT ? OFFSET ?`,
		);
	}

	/** The content of that row; undefined when it went meanwhile. */
	read(id: number): StoredContent | undefined {
		const row = this.#file.get(id) as {size: number; hash: Uint8Array} | undefined;
		if (!row) return undefined;
		let shares = this.#sharesOf(id, sharesRead, 0);
		if (shares.length === sharesRead && this.online(shares).length === 0) {
			const later = this.online(this.#sharesOf(id, sharesLookedThrough, sharesRead));
			if (later.length > 0) shares = later.slice(0, sharesRead);
		}
		return {id, content: hex(row.hash), size: row.size, shares};
	}

	#sharesOf(id: number, limit: number, offset: number): RawSource[] {
		const rows = this.#shares.all(id, limit, offset) as ShareRow[];
		return rows.map(({peer, folder, name, at}) => ({peer, at, path: folder === '' ? name : `${folder}/${name}`}));
	}

	/** The content with that ID; undefined when nobody ever registered it. */
	find(content: string): StoredContent | undefined {
		const rows = this.#byKey.all(this.#keyOf(Buffer.from(content, 'hex'))) as {id: number; hash: Uint8Array}[];
		const row = rows.find(({hash}) => hex(hash) === content);
		return row && this.read(row.id);
	}

	/** Only the shares of peers that are online. */
	online(shares: RawSource[]): RawSource[] {
		return shares.filter(({peer}) => this.#presence.isOnline(peer));
	}

	/** A content as it is answered: one source per peer, online ones first. */
	describe({content, size, shares, id}: StoredContent, name: string, offline: boolean): RawContent {
		const byPeer = new Map<number, RawSource>();
		for (const share of shares) if (!byPeer.has(share.peer)) byPeer.set(share.peer, share);
		const online = this.online([...byPeer.values()]);
		const rest = offline ? [...byPeer.values()].filter(({peer}) => !this.#presence.isOnline(peer)) : [];
		const sources = [...online, ...rest].slice(0, limits.sourcesPerHit);
		const unread = shares.length < sharesRead ? 0 : Math.max(0, this.#presence.shares(id) - sharesRead);
		return {content, name, size, sources, sourceCount: online.length + unread};
	}

	/** A name for a content when no query chooses one. */
	nameOf(stored: StoredContent): string {
		return baseName((this.online(stored.shares)[0] ?? stored.shares[0])?.path ?? '');
	}
}

function hex(hash: Uint8Array): string {
	return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
}
