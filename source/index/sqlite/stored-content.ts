// What a reader remembers of contents, names and folders.
import {readText, type TextWords} from '../../api/query-match.ts';
import {fold} from '../../api/tokens.ts';

/** A folder of a peer. What is kept of it here never changes. */
export class StoredFolder {
	readonly path: string;
	/** When it was made, in Unix seconds: shares count from there. */
	readonly at: number;
	#words: TextWords | undefined;

	constructor(path: string, at: number) {
		this.path = path;
		this.at = at;
	}

	/** The path, cut. */
	get words(): TextWords {
		this.#words ??= readText(this.path);
		return this.#words;
	}

	/** The path of a file in it. */
	pathOf(name: string): string {
		return this.path === '' ? name : `${this.path}/${name}`;
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

/** A hit in JSON, under one of the content's names; valid for the same clock, number of named sources and `here`. */
export type StoredHit = {
	clock: number;
	named: number;
	here: string | undefined;
	name: StoredName;
	sources: number;
	text: string;
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
	/** The oldest of each peer. */
	byPeer: StoredShare[];
	/** There are shares that were not read. */
	isPart: boolean;
	/** What was last told of it. */
	hit?: StoredHit;
};

/** A map that forgets what it has held for longest when it is full. */
export class Remembered<K, V> {
	readonly #most: number;
	readonly #map = new Map<K, V>();

	constructor(most: number) {
		this.#most = most;
	}

	get(key: K): V | undefined {
		return this.#map.get(key);
	}

	set(key: K, value: V): void {
		this.#map.set(key, value);
		if (this.#map.size <= this.#most) return;
		for (const oldest of this.#map.keys()) {
			this.#map.delete(oldest);
			return;
		}
	}

	delete(key: K): void {
		this.#map.delete(key);
	}
}
