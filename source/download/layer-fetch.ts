import {describe, type KnownSource, type SourceBook, targetOf} from './source-book.ts';
import type {TransferPool} from './transfer-pool.ts';
import type {Fault} from './types.ts';

/** What fetching a piece layer needs. */
export type LayerParts = {
	content: string;
	size: number;
	pool: TransferPool;
	book: SourceBook;
	/** A source was given up for good. */
	dropped(source: KnownSource, reason: string): void;
};

const stallMs = 5000;
/** A source that is still downloading itself is not asked more often for what it has. */
const refreshMs = 1000;

/** Fetches piece layers, checked against the content ID, from whoever gives one first. */
export class LayerFetch {
	readonly #parts: LayerParts;

	constructor(parts: LayerParts) {
		this.#parts = parts;
	}

	/** Asks one source after the other. @returns undefined when none can be asked any more at the moment */
	async fetch(signal: AbortSignal): Promise<Uint8Array | undefined> {
		for (let known = this.#parts.book.usable()[0]; known; known = this.#parts.book.usable()[0]) {
			const layer = await this.#ask(known, signal);
			if (layer) return layer;
		}
		return undefined;
	}

	/** Asks the sources that had only some pieces what they have by now. */
	async refreshPartial(signal: AbortSignal): Promise<void> {
		for (const known of this.#parts.book.usable()) {
			if (!known.have) continue;
			await this.#ask(known, signal);
			known.retryAt = Math.max(known.retryAt, performance.now() + refreshMs);
		}
	}

	/**
	 * Goes on asking the sources that had only some pieces, while others send.
	 *
	 * @param more called when they may have more than before
	 * @returns what ends it
	 */
	follow(outer: AbortSignal, more: () => void): () => void {
		const end = new AbortController();
		const signal = AbortSignal.any([outer, end.signal]);
		let asking = false;
		const ask = async () => {
			const partial = this.#parts.book.usable().filter(known => known.have);
			if (asking || partial.length === 0) return;
			asking = true;
			// One that gave no answer is dealt with as any source that fails.
			await Promise.all(partial.map(known => this.#ask(known, signal).catch(() => undefined)));
			asking = false;
			if (!signal.aborted) more();
		};
		const timer = setInterval(() => void ask(), refreshMs);
		void ask();
		return () => {
			clearInterval(timer);
			end.abort();
		};
	}

	async #ask(known: KnownSource, signal: AbortSignal): Promise<Uint8Array | undefined> {
		const {content, size, pool, book, dropped} = this.#parts;
		const lane = pool.lane(targetOf(known.source));
		const abort = () => void lane.close();
		signal.addEventListener('abort', abort, {once: true});
		try {
			const {layer, have} = await lane.layer({content, size, stallMs});
			known.have = have;
			return layer;
		} catch (fault) {
			signal.throwIfAborted();
			if (book.failed(known, fault as Fault)) dropped(known, describe(fault as Fault));
			return undefined;
		} finally {
			signal.removeEventListener('abort', abort);
			await lane.close();
		}
	}
}
