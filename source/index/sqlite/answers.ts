import type {SearchText} from '../store.ts';

/** Bytes of answers that are kept, and for how long, in milliseconds. */
const mostBytes = 16 * 1024 * 1024;
const longest = 2000;

type Kept = {clock: number; at: number; answer: Promise<SearchText>; bytes: number};

/**
 * Answers of the last moments: many people type the same first letters, and what one asks while the same is being looked
 * up waits for that. An answer is given again only while nothing that it may depend on has changed.
 */
export class Answers {
	readonly #kept = new Map<string, Kept>();
	#bytes = 0;

	/**
	 * @param key all that was asked
	 * @param clock the state of the index before this call; see SharedPresence.clock
	 */
	get(key: string, clock: number, ask: () => Promise<SearchText>): Promise<SearchText> {
		const now = performance.now();
		const known = this.#kept.get(key);
		if (known?.clock === clock && now - known.at < longest) return known.answer;
		if (known) this.#forget(key, known);
		const kept: Kept = {clock, at: now, answer: ask(), bytes: 2 * key.length};
		this.#kept.set(key, kept);
		this.#bytes += kept.bytes;
		kept.answer.then(
			({json}) => {
				if (this.#kept.get(key) !== kept) return;
				kept.bytes += json.byteLength;
				this.#bytes += json.byteLength;
				this.#makeRoom();
			},
			() => {
				if (this.#kept.get(key) === kept) this.#forget(key, kept);
			},
		);
		return kept.answer;
	}

	#makeRoom(): void {
		for (const [key, kept] of this.#kept) {
			if (this.#bytes <= mostBytes) return;
			this.#forget(key, kept);
		}
	}

	#forget(key: string, {bytes}: Kept): void {
		this.#kept.delete(key);
		this.#bytes -= bytes;
	}
}
