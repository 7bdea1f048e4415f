// What a reader remembers of contents, names and folders.
import {readText, type TextWords} from '../../api/query-match.ts';
import {fold} from '../../api/tokens.ts';
import {pathIn} from '../../core/share-path.ts';

/** A text that names are compared by: each form of it is made when it is asked for, and kept. */
class StoredText {
	readonly text: string;
	#folded: string | undefined;
	#words: TextWords | undefined;

	constructor(text: string) {
		this.text = text;
	}

	get folded(): string {
		this.#folded ??= fold(this.text);
		return this.#folded;
	}

	/** The text, cut. */
	get words(): TextWords {
		this.#words ??= readText(this.text);
		return this.#words;
	}
}

/** A folder of a peer by its path, '' for the root. What is kept of it here never changes. */
export class StoredFolder extends StoredText {
	/** When it was made, in Unix seconds: shares count from there. */
	readonly at: number;
	#json: string | undefined;

	constructor(path: string, at: number) {
		super(path);
		this.at = at;
	}

	/** The start of a file's path in it, as it stands after the quotation mark of a JSON string. */
	get json(): string {
		this.#json ??= this.text === '' ? '' : `${jsonOf(this.text)}/`;
		return this.#json;
	}

	/** The path of a file in it. */
	pathOf(name: string): string {
		return pathIn(this.text, name);
	}
}

/** A text as it stands between the quotation marks of a JSON string. */
export function jsonOf(text: string): string {
	return JSON.stringify(text).slice(1, -1);
}

/** A file's own name, which many peers may share it under. */
export class StoredName extends StoredText {}

/**
 * A hit in JSON as UTF-8, under one of the content's names; valid for the same clock, number of named sources and `here`.
 * `place`: where KeptBytes has it.
 */
export type StoredHit = {
	clock: number;
	named: number;
	here: string | undefined;
	name: StoredName;
	sources: number;
	/** How many of them come from shares that were not read. */
	unread: number;
	place: number;
	length: number;
};

/** A content as it is remembered. Its shares, nearly the oldest first, lie in KeptShares. */
export type StoredContent = {
	id: number;
	/** The transaction that it is no older than. */
	asOf: number;
	content: string;
	size: number;
	/** There are others who say that this content has another size. */
	isTwin: boolean;
	/** There are shares that were not read. */
	isPart: boolean;
	/** Where its shares lie, up to when they do, and how many were read. */
	from: number;
	until: number;
	shares: number;
	/** What the first share calls it. */
	name: StoredName;
	/** All names, where they differ. */
	names: StoredNames | undefined;
	/** The oldest share of each peer; undefined: all. */
	byPeer: number[] | undefined;
	/** What was last told of it. */
	hit: StoredHit | undefined;
};

/** The different names of a content, and which of them each share has. */
export type StoredNames = {different: StoredName[]; of: number[]};

/** The name of a share. */
export function nameOf({name, names}: StoredContent, share: number): StoredName {
	return names ? (names.different[names.of[share] as number] as StoredName) : name;
}

/** A map that forgets what has not been asked for lately: what is in neither of its two halves. */
export class Remembered<K, V> {
	readonly #half: number;
	#fresh = new Map<K, V>();
	#old = new Map<K, V>();

	constructor(most: number) {
		this.#half = Math.ceil(most / 2);
	}

	get(key: K): V | undefined {
		const value = this.#fresh.get(key);
		if (value !== undefined) return value;
		const old = this.#old.get(key);
		if (old !== undefined) this.set(key, old);
		return old;
	}

	set(key: K, value: V): void {
		if (this.#fresh.size >= this.#half) {
			this.#old = this.#fresh;
			this.#fresh = new Map();
		}
		this.#fresh.set(key, value);
	}

	delete(key: K): void {
		this.#fresh.delete(key);
		this.#old.delete(key);
	}
}
