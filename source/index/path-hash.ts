import {createHash, hash} from 'node:crypto';
import type {PathHashes} from './store.ts';

/** Bits that a short hash of a path has at most: SHA-256 is read no further. */
export const pathHashBits = 48;

/** The first bits of SHA-256 over a catalog path in UTF-8, as a whole number. */
export function pathHash(path: string, bits: number): number {
	// As text: it takes half the time that a buffer does.
	const first = Number.parseInt(hash('sha256', path, 'hex').slice(0, pathHashBits / 4), 16);
	return Math.floor(first / 2 ** (pathHashBits - bits));
}

/** SHA-256 over paths in their order, each ended by a NUL, which no path holds. */
export class PathsDigest {
	readonly #hash = createHash('sha256');

	add(paths: readonly string[]): void {
		if (paths.length > 0) this.#hash.update(`${paths.join('\0')}\0`);
	}

	/** The digest; nothing can be added after it. */
	end(): Buffer {
		return this.#hash.digest();
	}
}

/** The paths behind a list of hashes, as far as they were found. */
export class FoundPaths {
	/** In the order of the hashes; undefined where there is none, or several. */
	readonly all: (string | undefined)[];
	readonly #hashes: PathHashes;
	readonly #ambiguous = new Set<number>();

	constructor(hashes: PathHashes) {
		this.#hashes = hashes;
		this.all = Array.from({length: hashes.hashes.length});
	}

	/** Takes a path, if its hash is one of those. */
	look(path: string): void {
		const place = placeOf(this.#hashes, path);
		if (place >= 0) this.add(place, path);
	}

	/** Takes a path for the hash at that place. */
	add(place: number, path: string): void {
		if (this.all[place] !== undefined && this.all[place] !== path) this.#ambiguous.add(place);
		this.all[place] = this.#ambiguous.has(place) ? undefined : path;
	}
}

/** The place of a path's hash; -1 where it is not there. */
export function placeOf({hashes, bits}: PathHashes, path: string): number {
	const wanted = pathHash(path, bits);
	let [from, to] = [0, hashes.length];
	while (from < to) {
		const middle = (from + to) >>> 1;
		if ((hashes[middle] as number) < wanted) from = middle + 1;
		else to = middle;
	}
	return hashes[from] === wanted ? from : -1;
}
