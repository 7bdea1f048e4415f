import {setImmediate as nextTurn} from 'node:timers/promises';
import type {CatalogChange} from '../../api/schemas.ts';
import {type HoldingRow, packRows, type RowToWrite, readRows} from './holding-rows.ts';
import {bucketOf, keys} from './keys.ts';
import type {RedisLink} from './redis-link.ts';
import * as scripts from './scripts.ts';

/** Chunks that are looked at to tell who holds a content: of one that very many hold, the newest. */
const chunksLookedAt = 256;
/** Buckets that are packed in one turn of the event loop: of the largest upload's rows some milliseconds. */
const bucketsAtOnce = 64;

/** The peer whose files are written. `gen`: of its catalog, which a new catalog counts up. */
export type RegistryPeer = {number: number; gen: number};

/** A peer that holds a content, as it registered. */
export type RegisteredHolder = {id: string; number: number; info: string};

/** What the registry knows of a content. `at`: Unix seconds; `holders`: each once, however many paths it has it under. */
export type RegisteredContent = {name: string; size: number; at: number; holdings: number; holders: RegisteredHolder[]};

/** Rows that were written, and how many say nothing any more: those that end another, and the ones that they end. */
export type WrittenRows = {rows: number; dead: number};

/**
 * The registry of files: a hash table that is spread over the cluster by content ID (DESIGN section 6). It says who
 * holds what without any index server's read model. It is only ever added to: a row counts until one that ends it, or
 * until the generation of its peer's catalog is over; see compactor.ts. All writes may be done twice.
 */
export class FileRegistry {
	readonly #link: RedisLink;

	constructor(link: RedisLink) {
		this.#link = link;
	}

	/**
	 * Takes in changes of a peer's catalog.
	 *
	 * @param before the content that was under each path, where it is known: it is held there no longer
	 */
	async apply(
		peer: RegistryPeer,
		changes: CatalogChange[],
		before: readonly (string | undefined)[] = [],
	): Promise<WrittenRows> {
		const buckets = new Map<number, RowToWrite[]>();
		const put = (row: RowToWrite) => {
			const bucket = bucketOf(row.content);
			const rows = buckets.get(bucket);
			if (rows) rows.push(row);
			else buckets.set(bucket, [row]);
		};
		let [rows, dead] = [0, 0];
		for (const [index, change] of changes.entries()) {
			const {path} = change;
			const old = before[index];
			if (change.op === 'add') {
				put({content: change.content, path, size: change.size});
				rows++;
			}
			if (old === undefined || (change.op === 'add' && change.content === old)) continue;
			put({content: old, path});
			rows++;
			dead += 2;
		}
		const head = {...peer, at: Math.floor(Date.now() / 1000)};
		// Sent together: they share writes to the nodes, which cost more than what is in them.
		const calls: Promise<unknown>[] = [];
		for (const [bucket, list] of buckets) {
			const key = keys.bucket(bucket);
			const call = this.#link.call(key, ['RPUSH', key, ...packRows(head, list)]);
			// It is awaited with the others; until then a failure is nobody's.
			call.catch(() => undefined);
			calls.push(call);
			if (calls.length % bucketsAtOnce === 0) await nextTurn();
		}
		// All have ended when this does, also when one fails.
		for (const result of await Promise.allSettled(calls)) if (result.status === 'rejected') throw result.reason;
		return {rows, dead};
	}

	/** Who holds a content, of many `most`; undefined when nobody does. */
	async find(content: string, most: number): Promise<RegisteredContent | undefined> {
		const id = Buffer.from(content, 'hex');
		const key = keys.bucket(bucketOf(content));
		const values = [id, String(chunksLookedAt)];
		const chunks = await this.#link.run<Buffer[]>(scripts.findContent, [key], values, {buffers: true});
		const seen = new Set<string>();
		const holders = new Map<number, RegisteredHolder>();
		const passed = new Set<number>();
		let first: HoldingRow | undefined;
		let holdings = 0;
		for (const chunk of chunks) {
			for (const row of [...readRows(chunk)].reverse()) {
				if (!row.content.equals(id) || seen.has(row.key)) continue;
				seen.add(row.key);
				if (row.isOver || passed.has(row.number)) continue;
				if (!holders.has(row.number)) {
					const holder = holders.size < most ? await this.#holder(row) : undefined;
					if (!holder) {
						passed.add(row.number);
						continue;
					}
					holders.set(row.number, holder);
				}
				first ??= row;
				holdings++;
			}
		}
		if (!first) return undefined;
		const {name, size, at} = first;
		return {name, size, at, holdings, holders: [...holders.values()]};
	}

	/** The peer of a row; undefined when it left, or began another catalog since. */
	async #holder({number, gen}: HoldingRow): Promise<RegisteredHolder | undefined> {
		const numbered = keys.numbered(number);
		const id = await this.#link.call<string | null>(numbered, ['HGET', numbered, String(number)]);
		if (!id) return undefined;
		const record = ['HMGET', keys.peer(id), 'info', 'gone', 'floor'];
		const [info, gone, floor] = await this.#link.call<(string | null)[]>(keys.peer(id), record);
		return info && gone !== '1' && gen >= Number(floor ?? 0) ? {id, number, info} : undefined;
	}
}
