// Publishing what this peer shares, by sweep: everything that one node keeps goes to it in the same packets.
import {setTimeout as sleep} from 'node:timers/promises';
import type {CatalogChange} from '../api/schemas.ts';
import {errorLine} from '../core/errors.ts';
import {Delivery} from './delivery.ts';
import type {NetworkKey} from './network-key.ts';
import type {DhtNode, TableNode} from './node.ts';
import {Placing} from './placing.ts';
import {type FileRecord, recordPathBytes, type Signer} from './records.ts';
import {KeyRegions} from './regions.ts';
import type {Sender} from './sender.ts';

/** What of the catalog is published. */
export type PublishedCatalog = {
	readonly epoch: string;
	readonly version: number;
	readonly files: number;
	changesSince(version: number, limit: number): {epoch: string; changes: CatalogChange[]; to: number; last: boolean};
};

/** How long records live and when they are sent anew, in seconds. Shares of many files are sent less often. */
export const recordLife = {files: 10_000, short: 6 * 3600, long: 24 * 3600} as const;
/** Changes that are published together, and how many such parts are on their way: what is held in memory at once. */
const chunk = 1000;
const atOnce = 3;
/** Milliseconds from a change of the catalog, or of the nodes, to telling of it. */
const settleMs = 100;
const repairMs = 1500;
/**
 * In a network where not everybody knows everybody, milliseconds from the loss of a keeper to sending its records to the
 * next one, for others that leave with it, and between two such sweeps; what part of the time they may take; and what part of the keepers must be lost.
 */
const repairLarge = {settle: 5000, every: 30_000, share: 1 / 20, lost: 1 / 20} as const;
/**
 * A keeper that a tombstone did not reach would show a removed file for hours. So everything is sent once more, after which
 * older records are void: milliseconds after the removal, and what part of the time such sweeps may take.
 */
const afterRemoval = {settle: 3000, share: 1 / 20} as const;
/**
 * What a node did not take, since it was busy or its own part had just failed, is sent to it again: milliseconds until then,
 * twice as many after each time that it takes nothing, and what part of the time that may take.
 */
const againTo = {first: 2000, most: 1_800_000, share: 1 / 20} as const;
/** How much sooner than at half of their life records may be sent anew. */
const jitter = 0.2;

export type PublisherOptions = {
	node: DhtNode;
	sender: Sender;
	key: NetworkKey;
	signer: Signer;
	catalog: PublishedCatalog;
	/** Told after each sweep. */
	published(state: {files: number; ms: number}): void;
	log(message: string): void;
};

/** Keeps the table up to date with the catalog until it is stopped. */
export class Publisher {
	readonly #options: PublisherOptions;
	readonly #stop = new AbortController();
	/** When the last sweep of everything began that was finished, in Unix seconds: what was signed before is void. */
	floor = 0;
	#epoch = '';
	#version = 0;
	#dirty = true;
	/** Every record is due: the first time, and before they expire. */
	#all = true;
	#nodesChanged = false;
	#wake: (() => void) | undefined;
	#done: Promise<void> | undefined;
	/** Who kept what after the last sweep of everything, by ID: in a small network everybody. */
	#keepers: {small: boolean; nodes: Map<string, TableNode>} | undefined;
	/** Of those, in a large network, who is gone since. */
	readonly #lost = new Set<string>();
	/** Keepers that did not take something, or lost it, by ID: in a small network everything is sent to them once more. */
	readonly #lacking = new Set<string>();
	#lackingMs: number = againTo.first;
	#lackingTimer: NodeJS.Timeout | undefined;
	/** When the next repair of a large network may begin, in milliseconds of the process's clock. */
	#repairAt = 0;
	#repairTimer: NodeJS.Timeout | undefined;
	/** A removal was published since the last sweep of everything. */
	#removed = false;
	/** Milliseconds that the last sweep of everything took. */
	#sweepMs = 0;
	#sweepTimer: NodeJS.Timeout | undefined;

	constructor(options: PublisherOptions) {
		this.#options = options;
	}

	start(): void {
		this.#done ??= this.#run();
	}

	async stop(): Promise<void> {
		this.#stop.abort();
		clearTimeout(this.#repairTimer);
		clearTimeout(this.#sweepTimer);
		clearTimeout(this.#lackingTimer);
		this.#wake?.();
		await this.#done;
	}

	catalogChanged(): void {
		this.#dirty = true;
		this.#wake?.();
	}

	/** Nodes came or went: what is kept where may have changed. @param there whether that node is there now */
	nodesChanged(node?: TableNode, there = false): void {
		const id = node?.id.toString('hex');
		if (id !== undefined && there) this.#lost.delete(id);
		else if (id !== undefined && this.#keepers?.nodes.has(id)) {
			if (this.#lost.size === 0) this.#repairAt = Math.max(this.#repairAt, performance.now() + repairLarge.settle);
			this.#lost.add(id);
		}
		this.#nodesChanged = true;
		this.#wake?.();
	}

	/** This node's part lacks what came last. The other keepers have it, but in a small network there may be none. */
	ownPartForgot(): void {
		this.#lacking.add('self');
		this.nodesChanged();
	}

	async #run(): Promise<void> {
		const {signal} = this.#stop;
		while (!signal.aborted) {
			try {
				await this.#work(signal);
			} catch (error) {
				if (signal.aborted) return;
				this.#all ||= this.#version === 0;
				this.#dirty = true;
				this.#options.log(`DHT: publishing failed: ${errorLine(error)}`);
				await sleep(5000, undefined, {signal}).catch(() => undefined);
			}
			if (signal.aborted) return;
			if (!this.#dirty && !this.#all && !this.#nodesChanged) await this.#waitForWork(signal);
			await sleep(this.#nodesChanged && !this.#dirty ? repairMs : settleMs, undefined, {signal}).catch(() => undefined);
		}
	}

	async #waitForWork(signal: AbortSignal): Promise<void> {
		const {catalog} = this.#options;
		const life = lifeOf(catalog.files);
		await new Promise<void>(resolve => {
			const due = setTimeout(
				() => {
					this.#all = true;
					resolve();
				},
				(life / 2) * 1000 * (1 - Math.random() * jitter),
			);
			this.#wake = () => {
				clearTimeout(due);
				resolve();
			};
			signal.addEventListener('abort', this.#wake, {once: true});
		});
		this.#wake = undefined;
	}

	async #work(signal: AbortSignal): Promise<void> {
		const {catalog, node, published} = this.#options;
		const started = performance.now();
		const repair = this.#nodesChanged && !this.#all;
		this.#nodesChanged = false;
		if (node.size === 0 && !node.id) return;
		if (this.#epoch !== catalog.epoch) this.#all = true;
		if (this.#all || this.#dirty) {
			const from = this.#all ? 0 : this.#version;
			this.#epoch = catalog.epoch;
			this.#all = this.#dirty = false;
			const began = Math.floor(Date.now() / 1000);
			const files = await this.#sweep(from, signal);
			const ms = performance.now() - started;
			if (from === 0 && files !== undefined) [this.floor, this.#sweepMs] = [began, ms];
			if (from !== 0 && this.#removed) this.#sweepSoon();
			this.#removed = false;
			if (files !== undefined) published({files: catalog.files, ms});
			return;
		}
		if (repair) await this.#repair(signal);
	}

	#sweepSoon(): void {
		this.#sweepTimer ??= setTimeout(
			() => {
				this.#sweepTimer = undefined;
				this.#all = true;
				this.#wake?.();
			},
			Math.max(afterRemoval.settle, this.#sweepMs / afterRemoval.share),
		);
	}

	/** Sends records to nodes that have become one of their keepers. */
	async #repair(signal: AbortSignal): Promise<void> {
		const {node} = this.#options;
		const before = this.#keepers;
		if (!before || before.small !== node.isSmall) {
			this.#all = true;
			return;
		}
		if (node.isSmall) {
			for (const id of this.#lacking) before.nodes.delete(id === 'self' ? (node.id?.toString('hex') ?? '') : id);
			this.#lacking.clear();
			const now = this.#everybody();
			if (now.length !== before.nodes.size || now.some(({id}) => !before.nodes.has(id.toString('hex'))))
				await this.#sweep(0, signal, [...before.nodes.values()]);
			return;
		}
		// Those that came are asked on the way to a key anyway, together with those that had it before them.
		if (this.#lost.size === 0 || this.#lost.size < before.nodes.size * repairLarge.lost) return;
		const started = performance.now();
		if (started < this.#repairAt) {
			this.#repairTimer ??= setTimeout(() => {
				this.#repairTimer = undefined;
				this.nodesChanged();
			}, this.#repairAt - started);
			return;
		}
		await this.#sweep(0, signal, [...before.nodes.values()]);
		const ended = performance.now();
		this.#repairAt = ended + Math.max(repairLarge.every, (ended - started) / repairLarge.share);
	}

	/** @param missed who did not take something in the last sweep, by ID */
	#sendAgain(missed: Set<string>): void {
		if (missed.size === 0) {
			this.#lackingMs = againTo.first;
			return;
		}
		for (const id of missed) this.#lacking.add(id);
		this.#lackingTimer ??= setTimeout(
			() => {
				this.#lackingTimer = undefined;
				this.nodesChanged();
			},
			Math.max(this.#lackingMs, this.#sweepMs / againTo.share),
		);
		this.#lackingMs = Math.min(2 * this.#lackingMs, againTo.most);
	}

	/** All nodes of a small network, this one among them if it keeps a part. */
	#everybody(): TableNode[] {
		const {node} = this.#options;
		const others = node.knownClosest(node.id ?? Buffer.alloc(32), 1000);
		return node.id ? [...others, {...node.address, id: node.id}] : others;
	}

	/** @param before nodes that have kept it already: only what others keep now is sent */
	async #sweep(from: number, signal: AbortSignal, before?: TableNode[]): Promise<number | undefined> {
		const {catalog, node, key, signer, sender} = this.#options;
		const everybody = node.isSmall ? this.#everybody() : undefined;
		const regions = new KeyRegions(node, everybody, before);
		const delivery = new Delivery({
			placing: new Placing(regions, key, signer.peer, everybody !== undefined),
			signer,
			sender,
		});
		if (from === 0) this.#lost.clear();
		let files = 0;
		/** Parts on their way, in their order. While some are, the next is signed. */
		const going: Array<{sent: Promise<void>; to: number}> = [];
		const settle = async (most: number) => {
			while (going.length > most) {
				const {sent, to} = going.shift()!;
				await sent;
				signal.throwIfAborted();
				if (!before) this.#version = to;
			}
		};
		for (let version = from; ; ) {
			const page = catalog.changesSince(version, chunk);
			if (page.epoch !== this.#epoch) {
				await settle(0);
				this.#all = true;
				return undefined;
			}
			const sent = delivery.deliver(
				page.changes.map(change => this.#record(change)),
				signal,
			);
			sent.catch(() => undefined);
			going.push({sent, to: page.to});
			files += page.changes.length;
			this.#removed ||= page.changes.some(({op}) => op === 'remove');
			version = page.to;
			await settle(page.last ? 0 : atOnce - 1);
			if (!page.last) continue;
			if (everybody) this.#sendAgain(delivery.missed);
			if (from === 0) this.#keepers = {small: everybody !== undefined, nodes: byId(everybody ?? regions.seen)};
			return files;
		}
	}

	#record(change: CatalogChange): FileRecord {
		const time = Math.floor(Date.now() / 1000);
		const expiry = time + lifeOf(this.#options.catalog.files);
		const path = shortened(change.path);
		if (change.op === 'remove') return {content: '0'.repeat(64), size: 0, path, time, expiry, removed: true};
		return {content: change.content, size: change.size, path, time, expiry, removed: false};
	}
}

function byId(nodes: TableNode[]): Map<string, TableNode> {
	return new Map(nodes.map(node => [node.id.toString('hex'), node]));
}

/** How long records of a share of so many files live, in seconds. */
function lifeOf(files: number): number {
	return files > recordLife.files ? recordLife.long : recordLife.short;
}

/** A path that fits into a record: folders at its start go first, then the start of the name. */
function shortened(path: string): string {
	let short = path;
	while (Buffer.byteLength(short) > recordPathBytes && short.includes('/')) short = short.slice(short.indexOf('/') + 1);
	return short;
}
