// Words by what is inside them, in memory: a list of words for each three letters in a row.

/** Words that are compared for one question, at most. */
const mostCompared = 8192;

/** Finds words by a part of them. Words are added in the order in which they were first seen: common ones come first. */
export class WordParts {
	readonly #words: string[] = [];
	/** By three UTF-16 units the words that have them, each as its place in the list. */
	readonly #byPart = new Map<string, number[]>();
	#entries = 0;

	/** Places of words in all lists: what the memory grows with, some 10 bytes each. */
	get entries(): number {
		return this.#entries;
	}

	add(word: string): void {
		const place = this.#words.push(word) - 1;
		for (let at = 0; at + 3 <= word.length; at++) {
			const part = word.slice(at, at + 3);
			const list = this.#byPart.get(part);
			if (list === undefined) this.#byPart.set(part, [place]);
			else if (list.at(-1) !== place) list.push(place);
			else continue;
			this.#entries++;
		}
	}

	/** The first words that have a text of three letters or more inside, but do not begin with it. */
	find(inside: string, most: number): string[] {
		const found: string[] = [];
		const lists: number[][] = [];
		for (let at = 0; at + 3 <= inside.length; at++) {
			const list = this.#byPart.get(inside.slice(at, at + 3));
			if (list === undefined) return found;
			lists.push(list);
		}
		const [shortest = [], next = shortest] = lists.sort((a, b) => a.length - b.length);
		let compared = 0;
		let other = 0;
		for (const place of shortest) {
			while ((next[other] ?? place) < place) other++;
			if (next[other] !== place) continue;
			const word = this.#words[place] as string;
			if (word.includes(inside) && !word.startsWith(inside) && found.push(word) === most) break;
			if (++compared === mostCompared) break;
		}
		return found;
	}
}
