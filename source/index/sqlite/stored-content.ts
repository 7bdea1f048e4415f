// What a reader remembers of contents, names and folders.
import {readText, type TextWords} from '../../api/query-match.ts';
import {fold} from '../../api/tokens.ts';
import {pathIn} from '../../core/share-path.ts';

/** A folder of a peer. What is kept of it here never changes. */
export class StoredFolder {
	readonly path: string;
	/** When it was made, in Unix seconds: shares count from there. */
	readonly at: number;
	#folded: string | undefined;
	#words: TextWords | undefined;

	constructor(path: string, at: number) {
		this.path = path;
		this.at = at;
	}

	get text(): string {
		return this.path;
	}

	get folded(): string {
		this.#folded ??= fold(this.path);
		return this.#folded;
	}

	/** The path, cut. */
	get words(): TextWords {
		this.#words ??= readText(this.path);
		return this.#words;
	}

	/** The path of a file in it. */
	pathOf(name: string): string {
		return pathIn(this.path, name);
	}
}

/** A file's own name, which many peers may share it under. */
export class StoredName {
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

	/** The name, cut. */
	get words(): TextWords {
		this.#words ??= readText(this.text);
		return this.#words;
	}
}

/** A share. `at`: seconds after its folder was made. */
export type StoredShare = {peer: number; folder: number; name: StoredName; at: number; text?: string};

/** A hit in JSON as UTF-8, under one of the content's names; valid for the same clock, number of named sources and `here`. */
export type StoredHit = {
	clock: number;
	named: number;
	here: string | undefined;
	name: StoredName;
	sources: number;
	/** How many of them come from shares that were not read. */
	unread: number;
	json: Uint8Array;
};

/** A content as it is remembered. `asOf`: the transaction that it is no older than. */
export type StoredContent = {
	id: number;
	asOf: number;
	content: string;
	size: number;
	/** There are others who say that this content has another size. */
	isTwin: boolean;
	/** Oldest first, nearly. */
	shares: StoredShare[];
	/** The different names among them. */
	names: StoredName[];
	/** The oldest of each peer. */
	byPeer: StoredShare[];
	/** There are shares that were not read. */
	isPart: boolean;
	/** What was last told of it. */
	hit?: StoredHit;
};

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
