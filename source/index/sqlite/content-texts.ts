// The text under which a content is found, put together from texts of the pieces of its paths: the same folders and words
// come again and again, and cutting them anew is a fifth of all work.
import {extensionOf, kindOf} from '../../api/kinds.ts';
import {limits} from '../../api/limits.ts';
import {nameStem} from '../../api/query-match.ts';
import {fold, tokenSet} from '../../api/tokens.ts';
import {pathIn} from '../../core/share-path.ts';
import {extensionSign, kindSign, nameSign, sizeSignsOf} from './fts-text.ts';

/** Where a content is shared: the path of the folder, '' for the root, and the file's own name. */
export type Place = {folder: string; name: string};

/** Texts that are remembered: of pieces of names, of folders, of endings. */
const piecesRemembered = 50_000;
const foldersRemembered = 5000;
const endingsRemembered = 1000;
/** With its dot: a longer one is most likely nobody else's. */
const endingLength = 8;

/** The path of a place. */
export function pathOf({folder, name}: Place): string {
	return pathIn(folder, name);
}

/** The different places of a content under which it is searched: more names than that are spam. */
export function searchedPlaces(places: Place[]): Place[] {
	if (places.length === 1) return places;
	const different = new Map<string, Place>();
	for (const place of places) {
		const path = pathOf(place);
		if (!different.has(path) && different.size < limits.namesPerContent) different.set(path, place);
	}
	return [...different.values()];
}

/** Makes the texts, and tells every word that it meets. */
export class ContentTexts {
	readonly #pieces: Memo;
	readonly #folders: Memo;
	readonly #endings = new Memo(endingsRemembered, ending => signsOf(`x${ending}`));

	/** @param learn told the words of each text that is not remembered */
	constructor(learn: (words: Iterable<string>) => void) {
		this.#pieces = new Memo(piecesRemembered, piece => {
			const words = [...tokenSet(piece)];
			learn(words);
			return words.join(' ');
		});
		this.#folders = new Memo(foldersRemembered, folder => this.#wordsOf(folder));
	}

	/** What stands in the full-text table for a content: its words, and signs for the filters. A word may come twice. */
	of(places: Place[], size: number): string {
		let text = sizeSignsOf(size);
		for (const {folder, name} of places) {
			if (folder !== '') text += ` ${this.#folders.get(folder)}`;
			text += ` ${this.#wordsOf(name)} ${this.#signsOf(name)} ${nameSign(nameStem(fold(name)))}`;
		}
		return text;
	}

	/** Forgets all, so that every word is told again. */
	reset(): void {
		this.#pieces.clear();
		this.#folders.clear();
	}

	/** The words of what stands between ASCII's punctuation, which separates words whatever is around it. */
	#wordsOf(text: string): string {
		let words = '';
		let start = -1;
		for (let at = 0; at <= text.length; at++) {
			const isIn = at < text.length && isInWord(text.charCodeAt(at));
			if (isIn && start < 0) start = at;
			else if (!isIn && start >= 0) {
				words += `${this.#pieces.get(text.slice(start, at))} `;
				start = -1;
			}
		}
		return words;
	}

	#signsOf(name: string): string {
		const dot = name.lastIndexOf('.');
		return dot > 0 && name.length - dot <= endingLength ? this.#endings.get(name.slice(dot)) : signsOf(name);
	}
}

/** Remembers what was made of texts. */
class Memo {
	readonly #make: (text: string) => string;
	readonly #most: number;
	#known = new Map<string, string>();

	constructor(most: number, make: (text: string) => string) {
		this.#most = most;
		this.#make = make;
	}

	get(text: string): string {
		let made = this.#known.get(text);
		if (made !== undefined) return made;
		made = this.#make(text);
		if (this.#known.size >= this.#most) this.clear();
		this.#known.set(text, made);
		return made;
	}

	clear(): void {
		this.#known = new Map();
	}
}

/** The signs of a name's kind and ending. */
function signsOf(name: string): string {
	return `${kindSign(kindOf(name))} ${extensionSign(extensionOf(name))}`;
}

function isInWord(unit: number): boolean {
	const letter = unit | 0x20;
	return unit > 0x7f || (letter >= 0x61 && letter <= 0x7a) || (unit >= 0x30 && unit <= 0x39);
}
