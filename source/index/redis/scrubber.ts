import {setTimeout as sleep} from 'node:timers/promises';
import type {CatalogChange} from '../../api/schemas.ts';
import {catalogFiles} from './catalog-files.ts';
import {Claim} from './claim.ts';
import type {FileRegistry} from './file-registry.ts';
import {keys, partitionOf} from './keys.ts';
import type {ReadModel} from './read-model.ts';
import type {RedisLink} from './redis-link.ts';
import {Rounds} from './rounds.ts';
import * as scripts from './scripts.ts';

/** Milliseconds between two looks at who the masters are. */
const lookEvery = 2000;
/** Milliseconds that uploads of a peer wait at most while one of its pages is written. */
const hold = 5000;
/** Milliseconds between two pages, so that whoever registers hardly notices. */
const pause = 50;

/** Looks at a peer that is busy, and times that it is begun again, until it is left out: its uploads write what they bring. */
const mostWaits = 300;

/** What a scrubber works on. `ready`: the read model is whole. */
export type ScrubberOptions = {
	link: RedisLink;
	model: ReadModel;
	files: FileRegistry;
	/** This server's ID. */
	self: string;
	lineage(): string;
	ready(): boolean;
	failed(error: unknown): void;
};

/**
 * Heals the registry of files after a failover, in which a master may lose its last writes while the log, on another, has
 * them. When the masters are others than at the last time, one server writes every peer's files once more from its read
 * model, under a new generation, and what was not written counts no more. Peers are held page by page, so that an
 * upload waits for one page at most; one whose catalog is not the one of the read model is left out, as its upload does it.
 */
export class Scrubber {
	readonly #options: ScrubberOptions;
	readonly #claim: Claim;
	readonly #rounds: Rounds;
	#seen = '';

	constructor(options: ScrubberOptions) {
		this.#options = options;
		this.#claim = new Claim(options.link, keys.scrubbing);
		this.#rounds = new Rounds(lookEvery, () => this.#look(), options.failed);
	}

	start(): void {
		this.#rounds.start();
	}

	async stop(): Promise<void> {
		await this.#rounds.stop();
	}

	async #look(): Promise<void> {
		const {link, ready} = this.#options;
		if (!ready()) return;
		const masters = link.masters.toSorted().join();
		// Twice the same: in the middle of a failover it changes again.
		const isSettled = masters === this.#seen;
		this.#seen = masters;
		if (!isSettled || masters === '') return;
		const known = await link.call<string | null>(keys.meta, ['HGET', keys.meta, 'scrubbed']);
		if (known === masters) return;
		const done = () => link.call(keys.meta, ['HSET', keys.meta, 'scrubbed', masters]);
		// With a new cluster there is nothing to heal.
		if (known === null) return void (await done());
		if (!(await this.#claim.take())) return;
		try {
			if (await this.#scrub()) await done();
		} finally {
			await this.#claim.release();
		}
	}

	/** @returns whether all was written; not when another server has taken the work over, for one */
	async #scrub(): Promise<boolean> {
		for (const {id, left} of this.#options.model.store.records())
			if (!left && !(await this.#scrubPeer(id))) return false;
		return true;
	}

	/** @returns whether the work may go on */
	async #scrubPeer(id: string): Promise<boolean> {
		const {link, model, files, self, lineage, ready} = this.#options;
		const [record, dead] = [keys.peer(id), keys.dead(partitionOf(id))];
		let pages: AsyncGenerator<CatalogChange[]> | undefined;
		let rows = 0;
		let waits = 0;
		while (!this.#rounds.signal.aborted && ready() && (await this.#claim.renew())) {
			const have = model.store.point(id);
			if (!have) return true;
			const values = [self, have.epoch, String(have.version), lineage(), String(hold), pages ? '0' : '1'];
			const [answer, number, gen] = await link.run<string[]>(scripts.holdPeer, [record], values);
			if (answer === 'gone') return true;
			// An upload is running, or the read model is about to have what it brought.
			if (answer === 'busy') {
				if (++waits > mostWaits) return true;
				await sleep(pause * 4);
				continue;
			}
			pages ??= catalogFiles(model.store, id);
			let isEnd = false;
			let wasHeld = true;
			try {
				const {value, done = false} = await pages.next();
				if (value) rows += (await files.apply({number: Number(number), gen: Number(gen)}, value)).rows;
				isEnd = done;
			} finally {
				const ended = [self, id, isEnd ? String(rows) : ''];
				wasHeld = (await link.run<number>(scripts.releasePeer, [record, dead], ended)) === 1;
			}
			if (wasHeld && isEnd) return true;
			if (!wasHeld) {
				if (++waits > mostWaits) return true;
				[pages, rows] = [undefined, 0];
			}
			await sleep(pause);
		}
		return false;
	}
}
