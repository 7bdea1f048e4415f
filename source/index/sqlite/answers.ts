import type {SearchText} from '../store.ts';
import {KeptBytes} from './kept-bytes.ts';

/** Bytes of answers that are kept, and for how long, in milliseconds. */
const bytesKept = 16 * 1024 * 1024;
const longest = 2000;

type Kept = {
	clock: number;
	at: number;
	/** While it is looked up; undefined: it is there, at `place`. */
	answer: Promise<SearchText> | undefined;
	/** Who waits for it; undefined: somebody who will not go away, or it is there. */
	askers: (() => boolean)[] | undefined;
	place: number;
	length: number;
	total: number;
	more: boolean;
};

/**
 * Answers of the last moments: many people type the same first letters, and what one asks while the same is being looked
 * up waits for that. An answer is given again only while nothing that it may depend on has changed. Their bytes are kept
 * in one block: each by itself would live just long enough to become work for long collections of garbage.
 */
export class Answers {
	readonly #kept = new Map<string, Kept>();
	readonly #bytes = new KeptBytes(bytesKept);

	/**
	 * @param key all that was asked
	 * @param clock the state of the index before this call; see SharedPresence.clock
	 * @param isWanted whether this caller still waits; undefined: it always does
	 * @param ask looks it up; what it is given says whether anybody still waits
	 */
	async get(
		key: string,
		clock: number,
		isWanted: (() => boolean) | undefined,
		ask: (isWanted: () => boolean) => Promise<SearchText>,
	): Promise<SearchText> {
		const now = performance.now();
		this.#forgetOld(now);
		const known = this.#kept.get(key);
		if (known?.clock === clock) {
			if (known.answer) {
				if (isWanted) known.askers?.push(isWanted);
				else known.askers = undefined;
				return known.answer;
			}
			const json = Buffer.allocUnsafeSlow(known.length);
			if (this.#bytes.copy(known.place, known.length, json, 0)) return {json, total: known.total, more: known.more};
		}
		const askers = isWanted && [isWanted];
		const kept: Kept = {clock, at: now, answer: undefined, askers, place: 0, length: 0, total: 0, more: false};
		const answer = ask(() => kept.askers?.some(waits => waits()) ?? true);
		kept.answer = answer;
		// Anew, so that the oldest are always the first.
		this.#kept.delete(key);
		this.#kept.set(key, kept);
		try {
			const found = await answer;
			this.#keep(key, kept, found);
			return found;
		} catch (error) {
			if (this.#kept.get(key) === kept) this.#kept.delete(key);
			throw error;
		}
	}

	#keep(key: string, kept: Kept, {json, total, more}: SearchText): void {
		kept.askers = undefined;
		kept.answer = undefined;
		if (this.#kept.get(key) !== kept) return;
		const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
		const place = this.#bytes.keep(bytes, 0, bytes.length);
		if (place === undefined) this.#kept.delete(key);
		else Object.assign(kept, {place, length: bytes.length, total, more});
	}

	#forgetOld(now: number): void {
		for (const [key, {at}] of this.#kept) {
			if (now - at < longest) return;
			this.#kept.delete(key);
		}
	}
}
