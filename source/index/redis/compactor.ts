import {randomUUID} from 'node:crypto';
import {Claim} from './claim.ts';
import {filterRows, type HoldingRow} from './holding-rows.ts';
import {buckets, keys, partitions} from './keys.ts';
import type {RedisLink} from './redis-link.ts';
import {Rounds} from './rounds.ts';
import * as scripts from './scripts.ts';

/** Milliseconds between two looks at how many rows are dead. */
const lookEvery = 2000;
/** Chunks that are read or written at once: some 100 KB. */
const pageChunks = 64;
/** The registry is written anew when this part of as many rows as there are files is dead. */
const deadPart = 0.25;

/** What a compactor works on. `files`: that are registered now. */
export type CompactorOptions = {
	link: RedisLink;
	files(): number;
	failed(error: unknown): void;
};

/** A peer with dead rows. `floor`: the first generation of its catalog that still counts. */
type DeadPeer = {id: string; partition: number; count: number; number: number; floor: number};

/**
 * Takes dead rows out of the registry of files: those of peers that left or began a new catalog, and those that a later row
 * ended. How many there are is counted in the cluster until it is done, so that another server does it where one died; one
 * at a time. A bucket is written anew beside the old one and takes its place in one step.
 */
export class Compactor {
	readonly #options: CompactorOptions;
	readonly #claim: Claim;
	readonly #rounds: Rounds;

	constructor(options: CompactorOptions) {
		this.#options = options;
		this.#claim = new Claim(options.link, keys.compacting);
		this.#rounds = new Rounds(lookEvery, () => this.#look(), options.failed);
	}

	start(): void {
		this.#rounds.start();
	}

	async stop(): Promise<void> {
		await this.#rounds.stop();
	}

	async #look(): Promise<void> {
		const {link, files} = this.#options;
		const peers = await this.#deadPeers();
		const dead = peers.reduce((sum, {count}) => sum + count, 0);
		if (dead === 0 || dead < files() * deadPart || !(await this.#claim.take())) return;
		try {
			const floors = new Map(peers.map(({number, floor}) => [number, floor]));
			for (let bucket = 0; bucket < buckets; bucket++) if (!(await this.#compact(bucket, floors))) return;
			for (const {id, partition, count} of peers) {
				if (!(await this.#claim.renew())) return;
				await link.run(scripts.buriedRows, [keys.dead(partition)], [id, String(count)]);
			}
		} finally {
			await this.#claim.release();
		}
	}

	async #deadPeers(): Promise<DeadPeer[]> {
		const {link} = this.#options;
		const peers: DeadPeer[] = [];
		for (let partition = 0; partition < partitions && !this.#rounds.signal.aborted; partition++) {
			const key = keys.dead(partition);
			const listed = await link.call<string[]>(key, ['HGETALL', key]);
			for (let at = 0; at + 1 < listed.length; at += 2) {
				const id = listed[at] as string;
				const record = ['HMGET', keys.peer(id), 'number', 'floor'];
				const [number, floor] = await link.call<(string | null)[]>(keys.peer(id), record);
				peers.push({id, partition, count: Number(listed[at + 1]), number: Number(number), floor: Number(floor ?? 0)});
			}
		}
		return peers;
	}

	/** @returns whether the work may go on */
	async #compact(bucket: number, floors: Map<number, number>): Promise<boolean> {
		const {link} = this.#options;
		const [key, fresh] = [keys.bucket(bucket), keys.fresh(bucket)];
		const length = await link.call<number>(key, ['LLEN', key]);
		const ended = new Set<string>();
		// From the newest to the oldest: what ends a row comes before it.
		const stays = ({key: about, number, gen, isOver}: HoldingRow) => {
			if (gen < (floors.get(number) ?? 0) || ended.has(about)) return false;
			ended.add(about);
			return !isOver;
		};
		const kept: Buffer[][] = [];
		let last: Buffer | undefined;
		let isChanged = false;
		for (let end = length; end > 0; end -= pageChunks) {
			if (this.#rounds.signal.aborted || !(await this.#claim.renew())) return false;
			const range = ['LRANGE', key, String(Math.max(0, end - pageChunks)), String(end - 1)];
			const chunks = await link.call<Buffer[]>(key, range, {buffers: true});
			last ??= chunks.at(-1);
			const page: Buffer[] = [];
			for (const chunk of chunks.toReversed()) {
				const rest = filterRows(chunk, stays);
				if (rest) page.push(rest);
				isChanged ||= rest !== chunk;
			}
			kept.push(page.reverse());
		}
		if (!isChanged || !last) return true;
		// Another server that takes the claim over begins the list anew, under a token of its own.
		const token = randomUUID();
		await link.call(fresh, ['UNLINK', fresh]);
		await link.call(fresh, ['RPUSH', fresh, token]);
		let count = 0;
		for (const page of kept.reverse()) {
			if (page.length === 0) continue;
			count += page.length;
			await link.call(fresh, ['RPUSH', fresh, ...page]);
		}
		const values = [String(length), last, String(count), token];
		return (await link.run<number>(scripts.replaceBucket, [key, fresh], values)) === 1;
	}
}
