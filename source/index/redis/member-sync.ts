import type {DatabaseSync} from 'node:sqlite';
import * as z from 'zod';
import {inTransaction, openMembersDatabase} from '../../identity/members-database.ts';
import {keys} from './keys.ts';
import type {RedisLink} from './redis-link.ts';

/** Milliseconds between two looks at what other servers, and commands on this machine, have changed. */
const lookEvery = 1000;

const time = z.int();
const inviteSchema = z.object({
	id: z.string(),
	/** SHA-256 of the secret, in base64. */
	hash: z.string(),
	uses: z.int(),
	used: z.int(),
	created: time,
	expires: time,
	withdrawn: time.nullable(),
});
const memberSchema = z.object({
	id: z.string(),
	name: z.string(),
	number: z.int().nullable(),
	invite: z.string(),
	joined: time,
	seen: time,
	removed: time.nullable(),
});
type Invite = z.infer<typeof inviteSchema>;
type Member = z.infer<typeof memberSchema>;

/** Milliseconds by which a member must have been seen later before that alone is told to the others. */
const seenStep = 60_000;

/**
 * Keeps the members and invites of a private network the same at all servers of a cluster: what one writes into its
 * `members.db` is in the others' within about a second. Two words about the same member or invite are put together so
 * that it does not matter in which order they come: the later of joining and being removed counts, an invite that was
 * withdrawn anywhere is. How often an invite was used is counted in the cluster at once; see `spendInvite` in scripts.ts.
 */
export class MemberSync {
	readonly #link: RedisLink;
	readonly #database: DatabaseSync;
	readonly #failed: (error: unknown) => void;
	#timer: NodeJS.Timeout | undefined;
	#working: Promise<void> | undefined;

	/** @param dataDir where the server's `members.db` is */
	constructor(link: RedisLink, dataDir: string, failed: (error: unknown) => void) {
		this.#link = link;
		this.#failed = failed;
		const database = openMembersDatabase(dataDir, {make: true, synced: false});
		if (!database) throw new Error('the list of members was to be made');
		this.#database = database;
	}

	/** Resolves when this server has what the others had. */
	async start(): Promise<void> {
		await this.#exchange();
		this.#timer = setInterval(() => {
			this.#working ??= this.#exchange()
				.catch(this.#failed)
				.finally(() => {
					this.#working = undefined;
				});
		}, lookEvery);
	}

	async stop(): Promise<void> {
		clearInterval(this.#timer);
		await this.#working;
		if (this.#database.isOpen) this.#database.close();
	}

	async #exchange(): Promise<void> {
		await this.#shareKey();
		const listed = await this.#link.call<string[]>(keys.members, ['HGETALL', keys.members]);
		const invites = new Map<string, Invite>();
		const members = new Map<string, Member>();
		for (let at = 0; at + 1 < listed.length; at += 2) {
			const [field = '', text = ''] = [listed[at], listed[at + 1]];
			if (field.startsWith('i:')) put(invites, inviteSchema.safeParse(JSON.parse(text)).data);
			if (field.startsWith('m:')) put(members, memberSchema.safeParse(JSON.parse(text)).data);
		}
		const news = inTransaction(this.#database, () => [...this.#mergeInvites(invites), ...this.#mergeMembers(members)]);
		if (news.length > 0) await this.#link.call(keys.members, ['HSET', keys.members, ...news]);
	}

	/** The network's key is the one of the first server. */
	async #shareKey(): Promise<void> {
		const row = this.#database.prepare("SELECT value FROM setting WHERE name = 'network-key'").get();
		const own = row && Buffer.from(row.value as Uint8Array).toString('hex');
		if (own) await this.#link.call(keys.members, ['HSETNX', keys.members, 'network-key', own]);
		const shared = await this.#link.call<string | null>(keys.members, ['HGET', keys.members, 'network-key']);
		if (shared && shared !== own)
			this.#database.prepare("INSERT OR REPLACE INTO setting VALUES('network-key', ?)").run(Buffer.from(shared, 'hex'));
	}

	/** Writes here what others know better, and returns fields and values of what is known better here. */
	#mergeInvites(theirs: Map<string, Invite>): string[] {
		const rows = this.#database.prepare('SELECT * FROM invite').all() as (Omit<Invite, 'hash'> & {hash: Uint8Array})[];
		const ours = new Map(rows.map(row => [row.id, {...row, hash: Buffer.from(row.hash).toString('base64')}]));
		const write = this.#database.prepare('INSERT OR REPLACE INTO invite VALUES(?, ?, ?, ?, ?, ?, ?)');
		const news: string[] = [];
		for (const id of new Set([...ours.keys(), ...theirs.keys()])) {
			const [our, their] = [ours.get(id), theirs.get(id)];
			const both = our && their ? mergeInvite(our, their) : ((our ?? their) as Invite);
			if (!same(both, our)) {
				const {hash, uses, used, created, expires, withdrawn} = both;
				write.run(id, Buffer.from(hash, 'base64'), uses, used, created, expires, withdrawn);
			}
			if (!same(both, their)) news.push(`i:${id}`, JSON.stringify(both));
		}
		return news;
	}

	#mergeMembers(theirs: Map<string, Member>): string[] {
		const rows = this.#database.prepare('SELECT * FROM member').all() as Member[];
		const ours = new Map(rows.map(row => [row.id, {...row}]));
		const write = this.#database.prepare('INSERT OR REPLACE INTO member VALUES(?, ?, ?, ?, ?, ?, ?)');
		const news: string[] = [];
		for (const id of new Set([...ours.keys(), ...theirs.keys()])) {
			const [our, their] = [ours.get(id), theirs.get(id)];
			const both = our && their ? mergeMember(our, their) : ((our ?? their) as Member);
			const {name, number, invite, joined, seen, removed} = both;
			if (!sameMember(both, our)) write.run(id, name, number, invite, joined, seen, removed);
			if (!sameMember(both, their)) news.push(`m:${id}`, JSON.stringify(both));
		}
		return news;
	}
}

function mergeInvite(a: Invite, b: Invite): Invite {
	const withdrawn =
		a.withdrawn === null || b.withdrawn === null ? (a.withdrawn ?? b.withdrawn) : Math.min(a.withdrawn, b.withdrawn);
	return {...a, used: Math.max(a.used, b.used), withdrawn};
}

/** The later word counts; of two at the same time the removal. */
function mergeMember(a: Member, b: Member): Member {
	const said = (member: Member) => Math.max(member.joined, member.removed ?? 0);
	const isSecond = said(b) > said(a) || (said(b) === said(a) && b.removed !== null && a.removed === null);
	const later = isSecond ? b : a;
	const named = b.seen > a.seen ? b : a;
	return {...later, name: named.name, number: a.number ?? b.number, seen: Math.max(a.seen, b.seen)};
}

function same(a: Invite, b: Invite | undefined): boolean {
	return b !== undefined && a.used === b.used && a.withdrawn === b.withdrawn;
}

function sameMember(a: Member, b: Member | undefined): boolean {
	return (
		b !== undefined &&
		a.joined === b.joined &&
		a.removed === b.removed &&
		a.name === b.name &&
		a.number === b.number &&
		a.invite === b.invite &&
		a.seen - b.seen < seenStep
	);
}

function put<T extends {id: string}>(map: Map<string, T>, value: T | undefined): void {
	if (value) map.set(value.id, value);
}
