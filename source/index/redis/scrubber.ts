import {setTimeout as sleep} from 'node:timers/promises';
import {catalogFiles} from './catalog-files.ts';
import type {FileRegistry} from './file-registry.ts';
import {keys, partitionOf} from './keys.ts';
import type {ReadModel} from './read-model.ts';
import type {RedisLink} from './redis-link.ts';
import {Rounds} from './rounds.ts';
import * as scripts from './scripts.ts';

/** Milliseconds between two looks at who the masters are. */
const lookEvery = 2000;
/** Milliseconds that a server has the work for itself; renewed with each page. */
const claim = 30_000;
/** Milliseconds that uploads of a peer wait at most while one of its pages is written. */
const hold = 5000;
/** Milliseconds between two pages, so that whoever registers hardly notices. */
const pause = 50;

/** Looks at a peer that is busy, until it is left out: its uploads write what they bring. */
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
	readonly #rounds: Rounds;
	#seen = '';

	constructor(options: ScrubberOptions) {
		this.#options = options;
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
		if (known !== null && !(await this.#claim('NX'))) return;
		// With a new cluster there is nothing to heal.
		if (known === null || (await this.#scrub())) await link.call(keys.meta, ['HSET', keys.meta, 'scrubbed', masters]);
		if (known !== null) await link.call(keys.scrubbing, ['DEL', keys.scrubbing]);
	}

	async #scrub(): Promise<boolean> {
		for (const {id, left} of this.#options.model.store.records()) {
			if (!left) await this.#scrubPeer(id);
			if (this.#rounds.signal.aborted || !this.#options.ready()) return false;
		}
		return true;
	}

	async #scrubPeer(id: string): Promise<void> {
		const {link, model, files, self, lineage} = this.#options;
		const [record, dead] = [keys.peer(id), keys.dead(partitionOf(id))];
		const pages = catalogFiles(model.store, id);
		let isFirst = true;
		let rows = 0;
		let waits = 0;
		while (!this.#rounds.signal.aborted) {
			const have = model.store.point(id);
			if (!have) return;
			const values = [self, have.epoch, String(have.version), lineage(), String(hold), isFirst ? '1' : '0'];
			const [answer, number, gen] = await link.run<string[]>(scripts.holdPeer, [record], values);
			if (answer === 'gone') return;
			// An upload is running, or the read model is about to have what it brought.
			if (answer === 'busy') {
				if (++waits > mostWaits) return;
				await sleep(pause * 4);
				continue;
			}
			isFirst = false;
			let isEnd = false;
			try {
				const {value, done = false} = await pages.next();
				if (value) rows += (await files.apply({number: Number(number), gen: Number(gen)}, value)).rows;
				isEnd = done;
			} finally {
				await link.run(scripts.releasePeer, [record, dead], [self, id, isEnd ? String(rows) : '']);
			}
			if (isEnd) return;
			if (!(await this.#claim('XX'))) return;
			await sleep(pause);
		}
	}

	async #claim(condition: 'NX' | 'XX'): Promise<boolean> {
		const {link, self} = this.#options;
		const parts = ['SET', keys.scrubbing, self, condition, 'PX', String(claim)];
		return (await link.call(keys.scrubbing, parts)) === 'OK';
	}
}
