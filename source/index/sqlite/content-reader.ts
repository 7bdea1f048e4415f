import type {DatabaseSync} from 'node:sqlite';
import {limits} from '../../api/limits.ts';
import {baseName} from '../../core/share-path.ts';
import type {SharedPresence} from './shared-presence.ts';

/** Shares of one content that are read; of the rest only the number counts. */
const sharesRead = 2000;

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

	constructor(database: DatabaseSync, presence: SharedPresence) {
		this.#presence = presence;
		this.#file = database.prepare('SELECT size, hash FROM file WHERE id=?');
		this.#byKey = database.prepare('SELECT id, hash FROM file WHERE hk=?');
		this.#shares = database.prepare(
			`SELECT f.peer, f.path AS folder, s.name, s.at FROM share s JOIN folder f ON f.id=s.folder
			WHERE s.file=? ORDER BY s.at LIMIT ${sharesRead}`,
		);
	}

	/** The content of that row; undefined when it went meanwhile. */
	read(id: number): StoredContent | undefined {
		const row = this.#file.get(id) as {size: number; hash: Uint8Array} | undefined;
		if (!row) return undefined;
		const rows = this.#shares.all(id) as ShareRow[];
		const shares = rows.map(({peer, folder, name, at}) => ({
			peer,
			at,
			path: folder === '' ? name : `${folder}/${name}`,
		}));
		return {id, content: hex(row.hash), size: row.size, shares};
	}

	/** The content with that ID; undefined when nobody ever registered it. */
	find(content: string): StoredContent | undefined {
		const rows = this.#byKey.all(Number.parseInt(content.slice(0, 12), 16)) as {id: number; hash: Uint8Array}[];
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
