import type {CatalogChange} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import type {SqliteStore} from '../sqlite/sqlite-store.ts';
import {unpackChanges} from './change-codec.ts';
import {Feed} from './feed.ts';
import {keys} from './keys.ts';
import {isBefore, isGap, type LogEntry, logStart, readEntry, timeOf} from './log-entry.ts';
import type {OwnBatches} from './own-batches.ts';
import type {RedisLink} from './redis-link.ts';

/** Entries that are read at once; a batch of an upload is one. */
const pageEntries = 16;
/** Milliseconds between two looks at a log: most of the time until others find a change. */
const pollPause = 150;
/** The same for a log in which nothing has happened for some milliseconds: 32 logs are looked at by every server. */
const quietPause = 400;
const quietAfter = 5000;
/** Milliseconds by which reading goes back after trouble: what a new master wrote while its clock was behind is found. */
const lookBack = 30_000;

/** Milliseconds until whoever waits for an entry hears something: the largest catalogs take a minute to be applied. */
const appliedWithin = 120_000;

/** What a follower works on, and whom it tells. */
export type FollowerOptions = {
	partition: number;
	link: RedisLink;
	/** The read model. */
	read: SqliteStore;
	/** Batches that this server wrote itself, which need not be unpacked. */
	own: OwnBatches;
	/** A peer's registration or files are others now, or it left. */
	changed(id: string, what: 'registered' | 'files' | 'left'): Promise<void>;
	/** This read model cannot continue a peer's catalog: something before is missing. */
	missing(id: string, epoch: string): Promise<void>;
	/** The log was trimmed past what was read: this read model cannot be continued. */
	gone(): void;
	failed(error: unknown): void;
};

type Upload = {peer: string; epoch: string; before: string; feed: Feed; done: Promise<unknown>};
/** `taken`: it was read here, and not only waited for; `since`: when it was, or that. */
type Applied = {
	promise: Promise<void>;
	resolve: () => void;
	reject: (error: unknown) => void;
	taken: boolean;
	since: number;
};

/** Applies one partition's log to the read model, in order, again and again until stopped. */
export class LogFollower {
	readonly #options: FollowerOptions;
	readonly #uploads = new Map<string, Upload>();
	readonly #byPeer = new Map<string, Upload>();
	/** Uploads whose last changes are being written. */
	readonly #ending = new Set<Promise<void>>();
	/** Entries of the last minute that were applied, and those that somebody waits for. */
	readonly #applied = new Map<string, Applied>();
	#position: string;
	/** Where this follower began: what is before was applied by an earlier one. */
	readonly #first: string;
	#caughtUpAt = 0;
	#entries = 0;
	/** When there last was an entry. */
	#readAt = 0;
	#lookAgain = true;
	#lostAt = 0;
	/** When reading went back after trouble, until the log has been read to its end since. */
	#lookedAt = 0;
	#stopped = false;
	#running: Promise<void> | undefined;
	#wake: (() => void) | undefined;
	/** Something came while the log was being read. */
	#woken = false;

	/** @param position the last entry that the read model has */
	constructor(options: FollowerOptions, position: string = logStart) {
		this.#options = options;
		this.#position = position;
		this.#first = position;
	}

	start(): void {
		this.#running ??= this.#run();
	}

	/** Ends after the entry that is being applied; uploads that are open are given up, and read again next time. */
	async stop(): Promise<void> {
		this.#stopped = true;
		this.#wake?.();
		for (const {feed} of this.#uploads.values()) feed.fail(new P2pError('cancelled', 'The index is closed'));
		await this.#running;
		await Promise.allSettled([...this.#uploads.values()].map(({done}) => done));
		const closed = new P2pError('cancelled', 'The index is closed');
		for (const waiting of this.#applied.values()) waiting.reject(closed);
	}

	/** Entries applied since the start. */
	get entries(): number {
		return this.#entries;
	}

	/** When the log was last read to its end, in Unix milliseconds; 0 for never. */
	get caughtUpAt(): number {
		return this.#caughtUpAt;
	}

	/** Since when the log cannot be read, in Unix milliseconds; 0 while it can. */
	get lostAt(): number {
		return this.#lostAt;
	}

	/** From where a later start has to read: before the oldest upload that is still open. */
	get position(): string {
		let position = this.#position;
		for (const {before} of this.#uploads.values()) if (isBefore(before, position)) position = before;
		return position;
	}

	/** There is something new, so look at once. */
	wake(): void {
		this.#woken = true;
		this.#wake?.();
	}

	/**
	 * Resolves when that entry was applied here.
	 *
	 * @throws what applying it threw; P2pError unreachable when a failover has lost it
	 */
	async applied(entry: string): Promise<void> {
		let waiting = this.#applied.get(entry);
		if (!waiting) {
			waiting = expect();
			this.#applied.set(entry, waiting);
			this.wake();
		}
		await inTime(waiting.promise);
	}

	async #run(): Promise<void> {
		while (!this.#stopped) {
			try {
				if (this.#lookAgain) {
					this.#lookAgain = false;
					this.#lookedAt = Date.now();
					await this.#readAgain();
				}
				this.#woken = false;
				const {entries, last, isEnd} = await this.#read();
				this.#lostAt = 0;
				if (entries.length > 0) this.#readAt = Date.now();
				for (const entry of entries) await this.#take(entry);
				// Past what cannot be read as well.
				if (isBefore(this.#position, last)) this.#position = last;
				if (isEnd) {
					// At first the read model counts as caught up when what was read is searchable.
					if (this.#caughtUpAt === 0) await Promise.allSettled(this.#ending);
					this.#caughtUpAt = Date.now();
					if (this.#lookedAt > 0 && !this.#lookAgain) this.#giveUpLost();
					if (entries.length === 0) await this.#pause();
				}
			} catch (error) {
				this.#lookAgain = true;
				if (this.#lostAt === 0) this.#lostAt = Date.now();
				if (this.#stopped) return;
				if (!(error instanceof P2pError && error.code === 'unreachable')) this.#options.failed(error);
				await this.#pause();
			}
		}
	}

	/** Entries of the last half minute that were not there when that stretch was read, and whether the log still goes on here. */
	async #readAgain(): Promise<void> {
		const {link, partition, gone} = this.#options;
		const trimmed = await link.call<string | null>(keys.trimmed(partition), ['GET', keys.trimmed(partition)]);
		if (trimmed && isGap(this.#position, trimmed)) {
			this.#stopped = true;
			gone();
			return;
		}
		// What was applied before this start is not known one by one, and must not be applied out of order.
		let before = `${Math.max(0, timeOf(this.#position) - lookBack)}-0`;
		if (isBefore(before, this.#first)) before = this.#first;
		if (!isBefore(before, this.#position)) return;
		while (true) {
			const {entries, last, isEnd} = await this.#read(before);
			for (const entry of entries) {
				if (isBefore(this.#position, entry.id)) return;
				if (!this.#applied.get(entry.id)?.taken) await this.#take(entry);
			}
			if (isEnd) return;
			before = last;
		}
	}

	/** What was waited for when reading went back, and did not turn up since, was lost with its master. */
	#giveUpLost(): void {
		for (const [id, {taken, since, reject}] of this.#applied) {
			if (taken || since > this.#lookedAt) continue;
			this.#applied.delete(id);
			reject(lostEntry());
		}
		this.#lookedAt = 0;
	}

	async #read(after = this.#position): Promise<{entries: LogEntry[]; last: string; isEnd: boolean}> {
		const {link, partition} = this.#options;
		const log = keys.log(partition);
		const parts = ['XREAD', 'COUNT', String(pageEntries), 'STREAMS', log, after];
		const answer = await link.call<[unknown, [Buffer, Buffer[]][]][] | null>(log, parts, {
			buffers: true,
			patience: 2000,
			troubled: () => {
				this.#lookAgain = true;
			},
		});
		let before = after;
		const page = answer?.[0]?.[1] ?? [];
		const entries = page.flatMap(([id, fields]) => {
			const place = before;
			before = String(id);
			try {
				const entry = readEntry(before, fields, place);
				return entry ? [entry] : [];
			} catch (error) {
				this.#options.failed(error);
				return [];
			}
		});
		return {entries, last: before, isEnd: page.length < pageEntries};
	}

	async #take(entry: LogEntry): Promise<void> {
		const told = this.#applied.get(entry.id) ?? expect();
		told.taken = true;
		this.#applied.set(entry.id, told);
		try {
			await this.#apply(entry, told);
		} catch (error) {
			told.reject(error);
			throw error;
		}
		this.#entries++;
		if (isBefore(this.#position, entry.id)) this.#position = entry.id;
		this.#forgetOld();
	}

	async #apply(entry: LogEntry, told: Applied): Promise<void> {
		const {read, changed} = this.#options;
		switch (entry.kind) {
			case 'peer':
				await read.register(entry.peer);
				await changed(entry.peer.id, 'registered');
				return told.resolve();
			case 'begin':
				await this.#begin(entry);
				return told.resolve();
			case 'batch':
				await this.#takeBatch(entry);
				return told.resolve();
			case 'end':
				await this.#end(entry.upload, told);
				return;
			case 'abort':
				await this.#giveUp(entry.peer, 'The upload was given up');
				return told.resolve();
			case 'leave':
				await this.#giveUp(entry.peer, 'The peer left');
				await changed(entry.peer, 'left');
				await read.leave(entry.peer);
				return told.resolve();
		}
	}

	async #begin(entry: LogEntry & {kind: 'begin'}): Promise<void> {
		const {read, missing, failed} = this.#options;
		const {upload, epoch, to, before} = entry;
		const peer = entry.peer.id;
		await read.register(entry.peer);
		await this.#giveUp(peer, 'A newer upload took its place');
		const have = read.point(peer);
		const {replace} = entry;
		let {from} = entry;
		// Read again after a restart, or after a failover: it is there already. A whole catalog with an older version is
		// that of a peer whose folder was set back; read again, what came after it follows in the log.
		const isThere = have?.epoch === epoch && (replace ? have.version === to : have.version >= to);
		if (isThere && to > 0) return;
		if (!replace) {
			if (have?.epoch !== epoch || have.version < from) return missing(peer, epoch);
			from = have.version;
		}
		const feed = new Feed();
		const done = read.applyChanges(peer, {epoch, from, to, at: timeOf(entry.id)}, feed).finally(() => {
			feed.close();
			this.#uploads.delete(upload);
			if (this.#byPeer.get(peer)?.feed === feed) this.#byPeer.delete(peer);
		});
		done.catch(error => {
			if (!(error instanceof P2pError)) failed(error);
		});
		const open = {peer, epoch, before, feed, done};
		this.#uploads.set(upload, open);
		this.#byPeer.set(peer, open);
	}

	async #takeBatch({upload, packed}: LogEntry & {kind: 'batch'}): Promise<void> {
		const open = this.#uploads.get(upload);
		if (!open) return;
		let changes: CatalogChange[];
		try {
			changes = this.#options.own.take(upload, packed) ?? (await unpackChanges(packed));
		} catch (error) {
			// It would be damaged at the next try as well, and must not hold up the others.
			this.#options.failed(error);
			await this.#giveUp(open.peer, 'A batch is damaged');
			return this.#options.missing(open.peer, open.epoch);
		}
		await open.feed.push(changes);
	}

	/** The rest of the log goes on while the last changes are written; the next upload of the same peer waits. */
	async #end(token: string, told: Applied): Promise<void> {
		const upload = this.#uploads.get(token);
		if (!upload) return told.resolve();
		await upload.feed.end();
		const ending = upload.done
			.then(() => this.#options.changed(upload.peer, 'files'))
			.then(told.resolve, told.reject)
			.finally(() => this.#ending.delete(ending));
		this.#ending.add(ending);
	}

	async #giveUp(peer: string, why: string): Promise<void> {
		const upload = this.#byPeer.get(peer);
		if (!upload) return;
		upload.feed.fail(new P2pError('cancelled', why));
		await upload.done.catch(() => undefined);
	}

	#forgetOld(): void {
		const border = timeOf(this.#position) - 2 * lookBack;
		for (const [id] of this.#applied) {
			if (timeOf(id) >= border) break;
			this.#applied.delete(id);
		}
	}

	async #pause(): Promise<void> {
		if (this.#stopped || this.#woken) return;
		await new Promise<void>(resolve => {
			const isQuiet = Date.now() - this.#readAt > quietAfter;
			const timer = setTimeout(resolve, isQuiet ? quietPause : pollPause);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		this.#wake = undefined;
	}
}

function lostEntry(): P2pError {
	return new P2pError('unreachable', 'A failover of the Redis Cluster lost this change', {hint: 'Try again'});
}

async function inTime(applied: Promise<void>): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(
			() =>
				reject(new P2pError('unreachable', 'A failover of the Redis Cluster lost this change', {hint: 'Try again'})),
			appliedWithin,
		);
	});
	try {
		await Promise.race([applied, late]);
	} finally {
		clearTimeout(timer);
	}
}

function expect(): Applied {
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	// Whether anybody waits for it is not known here.
	promise.catch(() => undefined);
	return {promise, resolve: () => resolve(), reject, taken: false, since: Date.now()};
}
