import {setTimeout as sleep} from 'node:timers/promises';
import * as z from 'zod';
import {errorLine} from '../../core/errors.ts';
import {keys} from './keys.ts';
import type {RedisLink} from './redis-link.ts';
import {markPresence} from './scripts.ts';

/**
 * Milliseconds that a server counts as there without renewing its lease. A failover may take longer: while commands of
 * this server fail as well, and so long after, an expired lease says nothing, up to `troubleLasts`.
 */
const lease = 5000;
const troubleLasts = 15_000;
/** Milliseconds between renewals, which is also how soon a lost message is noticed. */
const beat = 1000;
/** Times that a lease must be missing: once may be a replica that took over and is a little behind. */
const misses = 2;
/** Milliseconds that a server that left no word is still listed. */
const listedFor = 10 * 60_000;
/** Peers of a board that are read at once. */
const pagePeers = 1000;

/** What a server says of itself. `positions`: up to where its stored read model has each log; `seen`: Unix milliseconds. */
const cardSchema = z.object({
	seen: z.number(),
	/** The ID of its key. */
	identity: z.string(),
	host: z.string(),
	port: z.number(),
	name: z.string(),
	whole: z.boolean(),
	/** Changes that its board has seen. */
	changes: z.number(),
	positions: z.array(z.string()),
});
/** See {@link cardSchema}. */
export type ServerCard = z.infer<typeof cardSchema>;

const newsSchema = z.object({
	/** The board's count after it. */
	count: z.number(),
	id: z.string(),
	/** Unix milliseconds; not there when the peer went. */
	since: z.number().optional(),
});

/** What a board works on, and whom it tells. */
export type BoardOptions = {
	link: RedisLink;
	/** This server's ID. */
	self: string;
	card(): Omit<ServerCard, 'seen' | 'changes'>;
	/** A peer is at no server any more, or at the first one. */
	changed(id: string, online: boolean): void;
	failed(error: unknown): void;
};

type Other = {
	card: ServerCard;
	count: number;
	here: Set<string>;
	misses: number;
	synced: boolean;
	/** When its lease was last seen, Unix milliseconds. */
	seenAt: number;
	syncing?: Promise<void>;
};

/**
 * Who is where, over all index servers. Each server has a board in the cluster with the peers that hold an event stream
 * open at it, under a lease of its own: a server that dies takes its peers offline when the lease ends, and renewing
 * costs one command a second however many peers it has. Changes are told on the server's sharded channel with the
 * board's count, so that whoever missed one reads the board again.
 */
export class PresenceBoard {
	readonly #options: BoardOptions;
	readonly #own = new Map<string, number>();
	readonly #others = new Map<string, Other>();
	#count = 0;
	#writes: Promise<void> = Promise.resolve();
	#timer: NodeJS.Timeout | undefined;
	#beating: Promise<void> | undefined;
	/** The cluster did not take a change of the own board. */
	#dirty = false;
	/** Commands sent again so far, and when that was seen to grow. */
	#retries = 0;
	#troubledAt = 0;
	#closed = false;

	constructor(options: BoardOptions) {
		this.#options = options;
	}

	/** Takes the place of what an earlier process of this server left, and learns of the others. */
	async start(): Promise<void> {
		const {link, self, failed} = this.#options;
		await link.call(keys.here(self), ['DEL', keys.here(self)]);
		await this.#beat();
		this.#timer = setInterval(() => {
			this.#beating ??= this.#beat()
				.catch(error => {
					if (!this.#closed) failed(error);
				})
				.finally(() => {
					this.#beating = undefined;
				});
		}, beat);
	}

	/** Takes this server off, so that the others need not wait for its lease. */
	async close(): Promise<void> {
		const {link, self} = this.#options;
		this.#closed = true;
		clearInterval(this.#timer);
		// A cluster that is out of reach must not hold up a stop.
		await Promise.race([Promise.all([this.#beating, this.#writes]), sleep(1000)]);
		const quick = {patience: 1000};
		await Promise.allSettled([
			link.call(keys.server(self), ['DEL', keys.server(self)], quick),
			link.call(keys.here(self), ['DEL', keys.here(self)], quick),
			link.call(keys.servers, ['HDEL', keys.servers, self], quick),
			link.call(keys.events(self), ['SPUBLISH', keys.events(self), 'bye'], quick),
		]);
	}

	/** Whether a peer is at any server. */
	isOnline(id: string): boolean {
		if (this.#own.has(id)) return true;
		for (const {here} of this.#others.values()) if (here.has(id)) return true;
		return false;
	}

	/** Everyone who is at any server. */
	online(): Set<string> {
		const all = new Set(this.#own.keys());
		for (const {here} of this.#others.values()) for (const id of here) all.add(id);
		return all;
	}

	/** The other servers, as they last said, with whether they are there. */
	servers(): Map<string, ServerCard & {alive: boolean}> {
		return new Map(
			[...this.#others].map(([id, {card, misses: missed}]) => [id, {...card, alive: missed < misses}] as const),
		);
	}

	/** A peer opened an event stream here, or closed it. The others are told as soon as the cluster takes it. */
	mark(id: string, online: boolean): void {
		if (online) this.#own.set(id, Date.now());
		else this.#own.delete(id);
		const since = online ? Date.now() : undefined;
		const {link, self, failed} = this.#options;
		this.#writes = this.#writes
			.then(async () => {
				const values = [id, since === undefined ? '' : String(since)];
				this.#count = await link.run<number>(markPresence, [keys.here(self)], values);
				const news = JSON.stringify({count: this.#count, id, since} satisfies z.infer<typeof newsSchema>);
				await link.call(keys.events(self), ['SPUBLISH', keys.events(self), news]);
			})
			// What the cluster did not take is put right below, with the next beat that goes through.
			.catch(error => {
				this.#dirty = true;
				if (!this.#closed) failed(error);
			});
	}

	/** Everyone who is here is written again, after the cluster took something not. */
	async #mend(): Promise<void> {
		const {link, self} = this.#options;
		this.#dirty = false;
		const fields = [...this.#own].flatMap(([id, since]) => [id, String(since)]);
		await link.call(keys.here(self), ['DEL', keys.here(self)]);
		for (let at = 0; at < fields.length; at += 2 * pagePeers)
			await link.call(keys.here(self), ['HSET', keys.here(self), ...fields.slice(at, at + 2 * pagePeers)]);
		// A count that nobody can have seen makes everybody read the board.
		this.#count = Date.now();
		await link.call(keys.here(self), ['HSET', keys.here(self), '#', String(this.#count)]);
	}

	async #beat(): Promise<void> {
		const {link, self, card} = this.#options;
		if (this.#dirty) await this.#mend();
		this.#noteTrouble();
		const text = JSON.stringify({...card(), seen: Date.now(), changes: this.#count} satisfies ServerCard);
		await link.call(keys.server(self), ['SET', keys.server(self), text, 'PX', String(lease)]);
		await link.call(keys.servers, ['HSET', keys.servers, self, text]);
		const listed = await link.call<string[]>(keys.servers, ['HGETALL', keys.servers]);
		const seen = new Set<string>();
		for (let at = 0; at + 1 < listed.length; at += 2) {
			const [id = '', said = ''] = [listed[at], listed[at + 1]];
			if (id === self) continue;
			seen.add(id);
			await this.#look(id, said);
		}
		for (const id of [...this.#others.keys()]) if (!seen.has(id)) this.#lose(id);
	}

	/** A node that does not answer this server does not take the leases of others either. */
	#noteTrouble(): void {
		const {retries} = this.#options.link.stats;
		if (retries !== this.#retries) this.#troubledAt = Date.now();
		this.#retries = retries;
	}

	async #look(id: string, listed: string): Promise<void> {
		const {link} = this.#options;
		const said = await link.call<string | null>(keys.server(id), ['GET', keys.server(id)]);
		const known = this.#others.get(id);
		const card = readCard(said ?? listed);
		if (!card) return;
		if (said === null) {
			if (Date.now() - card.seen > listedFor) await link.call(keys.servers, ['HDEL', keys.servers, id]);
			if (!known) return;
			this.#noteTrouble();
			const isCalm = Date.now() - this.#troubledAt > lease;
			if (!isCalm && Date.now() - known.seenAt < troubleLasts) return;
			known.misses++;
			if (known.misses === misses) this.#clear(known);
			return;
		}
		const other = known ?? {card, count: -1, here: new Set<string>(), misses: 0, synced: false, seenAt: 0};
		other.card = card;
		if (other.misses >= misses) other.synced = false;
		other.misses = 0;
		other.seenAt = Date.now();
		if (!known) {
			this.#others.set(id, other);
			await link.listen(keys.events(id), message => this.#hear(id, other, message));
		}
		if (!other.synced || other.count !== card.changes) await this.#sync(id, other);
	}

	#hear(id: string, other: Other, message: string): void {
		if (message === 'bye') {
			this.#lose(id);
			return;
		}
		const news = newsSchema.safeParse(parse(message)).data;
		if (!news || this.#others.get(id) !== other) return;
		if (other.synced && news.count === other.count + 1) {
			other.count = news.count;
			this.#set(other, news.id, news.since !== undefined);
		} else if (news.count > other.count) {
			other.synced = false;
			void this.#sync(id, other).catch(error => this.#closed || this.#options.failed(error));
		}
	}

	/** Reads a board. What changes meanwhile is told with higher counts, and taking it twice does no harm. */
	#sync(id: string, other: Other): Promise<void> {
		other.syncing ??= this.#readBoard(id, other).finally(() => {
			other.syncing = undefined;
		});
		return other.syncing;
	}

	async #readBoard(id: string, other: Other): Promise<void> {
		const {link} = this.#options;
		const board = keys.here(id);
		const count = Number((await link.call<string | null>(board, ['HGET', board, '#'])) ?? 0);
		const here = new Set<string>();
		let cursor = '0';
		do {
			const parts = ['HSCAN', board, cursor, 'COUNT', String(pagePeers)];
			const [next, fields] = await link.call<[string, string[]]>(board, parts);
			for (let at = 0; at < fields.length; at += 2) if (fields[at] !== '#') here.add(fields[at] ?? '');
			cursor = next;
		} while (cursor !== '0');
		other.count = count;
		other.synced = true;
		for (const peer of [...other.here]) if (!here.has(peer)) this.#set(other, peer, false);
		for (const peer of here) this.#set(other, peer, true);
	}

	#set(other: Other, id: string, here: boolean): void {
		if (other.here.has(id) === here) return;
		const before = this.isOnline(id);
		if (here) other.here.add(id);
		else other.here.delete(id);
		if (this.isOnline(id) !== before) this.#options.changed(id, here);
	}

	#lose(id: string): void {
		const other = this.#others.get(id);
		if (!other) return;
		this.#clear(other);
		this.#others.delete(id);
		void this.#options.link.unlisten(keys.events(id));
	}

	#clear(other: Other): void {
		for (const id of [...other.here]) this.#set(other, id, false);
	}
}

function readCard(text: string): ServerCard | undefined {
	return cardSchema.safeParse(parse(text)).data;
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		return errorLine(error);
	}
}
