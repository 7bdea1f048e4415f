import {randomBytes} from 'node:crypto';
import type {DatabaseSync} from 'node:sqlite';
import type {Address} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import {type Invite, listInvites, makeInvite, openInvite, withdrawInvite} from './invites.ts';
import {inTransaction, openMembersDatabase} from './members-database.ts';

/** A member, or one that was removed; times are Unix milliseconds. */
export type Member = {
	/** Peer ID. */
	id: string;
	name: string;
	/** Its number at the server; null until it has registered. */
	number: number | null;
	/** The invite that it came by. */
	invite: string;
	joined: number;
	/** When its membership was signed last. */
	seen: number;
	removed: number | null;
};

/** Milliseconds between two notes of when a member was seen. */
const seenEvery = 60_000;

/** The members and invites of a server's network, as the running server and the commands beside it see them. */
export class MemberBook {
	readonly #database: DatabaseSync;
	readonly #version;
	#seenVersion = -1;
	#members = new Map<string, Member>();

	private constructor(database: DatabaseSync) {
		this.#database = database;
		this.#version = database.prepare('PRAGMA data_version');
	}

	/**
	 * Of a data folder; `make: false` gives undefined where there never was a private network.
	 *
	 * @param options.synced see {@link openMembersDatabase}
	 * @throws P2pError bad-database
	 */
	static open(folder: string, options: {make: boolean; synced: boolean}): MemberBook | undefined {
		const database = openMembersDatabase(folder, options);
		return database && new MemberBook(database);
	}

	/** Whether the network is private. */
	get isPrivate(): boolean {
		return this.#setting('private') === 1;
	}

	/** Makes the network private, or opens it; members and invites stay as they are. */
	setPrivate(isPrivate: boolean): void {
		if (isPrivate && this.#setting('network-key') === undefined) this.#set('network-key', randomBytes(32));
		this.#set('private', isPrivate ? 1 : 0);
	}

	/** 32 random bytes that the members share, in hex. */
	get networkKey(): string {
		return Buffer.from((this.#setting('network-key') as Uint8Array | undefined) ?? []).toString('hex');
	}

	/** Where the server listened last. */
	get address(): Address | undefined {
		const text = this.#setting('address');
		return typeof text === 'string' ? (JSON.parse(text) as Address) : undefined;
	}

	setAddress({host, port}: Address): void {
		this.#set('address', JSON.stringify({host, port}));
	}

	/** Whether a peer is a member now, also when a command has changed that a moment ago. */
	isMember(id: string): boolean {
		this.#refresh();
		const member = this.#members.get(id);
		return member !== undefined && member.removed === null;
	}

	/** All members, by name. */
	members(): Member[] {
		this.#refresh();
		return [...this.#members.values()].filter(({removed}) => removed === null).sort(byName);
	}

	/** Who was removed at that time (Unix milliseconds) or later. */
	removedSince(time: number): Member[] {
		this.#refresh();
		return [...this.#members.values()].filter(({removed}) => removed !== null && removed >= time);
	}

	/** The open invite of a code. @throws P2pError bad-invite */
	openInvite(code: string): Invite {
		return openInvite(this.#database, code);
	}

	/**
	 * Lets a peer in by an invite. One that is a member already stays one, and uses up nothing.
	 *
	 * @param used how often the invite was used with this time, where other servers let peers in by it too
	 * @throws P2pError bad-invite; not-a-member for one that was removed and comes with an older invite
	 */
	join(id: string, name: string, code: string, used = 0): void {
		if (this.isMember(id)) return;
		inTransaction(this.#database, () => {
			const invite = openInvite(this.#database, code);
			const before = this.#database.prepare('SELECT removed FROM member WHERE id = ?').get(id) as
				| {removed: number | null}
				| undefined;
			if (before?.removed != null && invite.created <= before.removed)
				throw new P2pError('not-a-member', 'This peer was removed from the network', {
					hint: 'Only an invite that was made after that lets it in again',
				});
			this.#database.prepare('UPDATE invite SET used = max(used + 1, ?) WHERE id = ?').run(used, invite.id);
			this.#database
				.prepare(
					`INSERT INTO member(id, name, invite, joined, seen) VALUES(?, ?, ?, ?, ?) ON CONFLICT(id)
					DO UPDATE SET name = excluded.name, invite = excluded.invite, joined = excluded.joined, removed = NULL`,
				)
				.run(id, name, invite.id, Date.now(), Date.now());
		});
		this.#seenVersion = -1;
	}

	/** Notes what is known of a member by now. Writes only what is new; when it was seen, once a minute. */
	note(id: string, now: {name?: string; number?: number; seen?: number}): void {
		this.#refresh();
		const member = this.#members.get(id);
		if (!member) return;
		const next = {...member, ...now};
		const isNews = next.name !== member.name || next.number !== member.number || next.seen - member.seen > seenEvery;
		if (!isNews) return;
		this.#database
			.prepare('UPDATE member SET name = ?, number = ?, seen = ? WHERE id = ?')
			.run(next.name, next.number, next.seen, id);
		this.#members.set(id, next);
	}

	/**
	 * Takes a member out, and withdraws the invite that it came by, as it still has that.
	 *
	 * @param reference peer ID or its start (4 digits or more), number or nickname
	 * @returns who it was, and the invite when it was still open
	 * @throws P2pError not-found, ambiguous
	 */
	remove(reference: string): {member: Member; withdrawn?: Invite} {
		const member = this.#find(reference);
		return inTransaction(this.#database, () => {
			const invite = this.invites().find(({id, state}) => id === member.invite && state === 'open');
			if (invite) withdrawInvite(this.#database, invite.id);
			this.#database.prepare('UPDATE member SET removed = ? WHERE id = ?').run(Date.now(), member.id);
			this.#seenVersion = -1;
			return {member, ...(invite && {withdrawn: invite})};
		});
	}

	/** @param life milliseconds */
	invite(options: {uses: number; life: number}): Invite & {code: string} {
		return makeInvite(this.#database, options);
	}

	/** All invites, the newest first. */
	invites(): Invite[] {
		return listInvites(this.#database);
	}

	/** @throws P2pError not-found */
	withdraw(invite: string): void {
		withdrawInvite(this.#database, invite);
	}

	close(): void {
		this.#database.close();
	}

	#find(reference: string): Member {
		const wanted = reference.trim().replace(/^#/, '').toLowerCase();
		const all = this.members();
		const exact = all.filter(
			({id, number}) => id === wanted || (/^\d{1,9}$/.test(wanted) && number === Number(wanted)),
		);
		const prefix = /^[0-9a-f]{4,64}$/.test(wanted);
		const found =
			exact.length > 0
				? exact
				: all.filter(({id, name}) => name.toLowerCase() === wanted || (prefix && id.startsWith(wanted)));
		const [only, ...others] = found;
		if (!only) throw new P2pError('not-found', `No member "${reference}"`, {hint: 'p2p-tui members lists them'});
		if (others.length === 0) return only;
		throw new P2pError('ambiguous', `"${reference}" names ${found.length} members`, {
			hint: 'Name one by a longer start of its ID',
			details: {candidates: found.slice(0, 50).map(({id, name}) => ({id, name}))},
		});
	}

	/** Reads the members again when another process has changed something; asking that takes some microseconds. */
	#refresh(): void {
		const {data_version: version} = this.#version.get() as {data_version: number};
		if (version === this.#seenVersion) return;
		const rows = this.#database.prepare('SELECT * FROM member').all() as Member[];
		this.#members = new Map(rows.map(row => [row.id, row]));
		this.#seenVersion = version;
	}

	#setting(name: string): unknown {
		return this.#database.prepare('SELECT value FROM setting WHERE name = ?').get(name)?.value;
	}

	#set(name: string, value: string | number | Uint8Array): void {
		this.#database.prepare('INSERT OR REPLACE INTO setting VALUES(?, ?)').run(name, value);
	}
}

function byName(a: Member, b: Member): number {
	return a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1;
}
