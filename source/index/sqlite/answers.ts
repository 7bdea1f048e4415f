import type {SearchText} from '../store.ts';

/** Bytes of answers that are kept, and for how long, in milliseconds. */
const mostBytes = 16 * 1024 * 1024;
const longest = 2000;

type Kept = {
	clock: number;
	at: number;
	answer: Promise<SearchText>;
	bytes: number;
	/** Who waits for it; undefined: somebody who will not go away, or it is there. */
	askers: (() => boolean)[] | undefined;
};

const nothingYet = Promise.resolve({json: new Uint8Array(), total: 0, more: false});

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
	 * @param isWanted whether this caller still waits; undefined: it always does
	 * @param ask looks it up; what it is given says whether anybody still waits
	 */
	get(
		key: string,
		clock: number,
		isWanted: (() => boolean) | undefined,
		ask: (isWanted: () => boolean) => Promise<SearchText>,
	): Promise<SearchText> {
		const now = performance.now();
		const known = this.#kept.get(key);
		if (known?.clock === clock && now - known.at < longest) {
			if (isWanted) known.askers?.push(isWanted);
			else known.askers = undefined;
			return known.answer;
		}
		if (known) this.#forget(key, known);
		const askers = isWanted && [isWanted];
		const kept: Kept = {clock, at: now, answer: nothingYet, bytes: 2 * key.length, askers};
		kept.answer = ask(() => kept.askers?.some(waits => waits()) ?? true);
		this.#kept.set(key, kept);
		this.#bytes += kept.bytes;
		kept.answer.then(
			({json}) => {
				kept.askers = undefined;
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
