// Changes of a catalog in columns, as a peer sends them that comes back with many files changed: of a path that the server
// has already only the first bits of a hash. docs/protocol.md has the form byte by byte.
import {isUtf8} from 'node:buffer';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {limits} from '../api/limits.ts';
import type {CatalogChange} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {PathsDigest, pathHash, pathHashBits} from './path-hash.ts';

/** The media type of a body of this form. */
export const compactType = 'application/vnd.p2p-tui.changes';

const magic = Buffer.from('P2PC\x01', 'latin1');
const contentBytes = 32;
const digestBytes = 32;
/** How many paths are hashed, or changes read, before others have a turn. */
const step = 2000;
/** A peer's other paths meet one of those sent at most once in so many uploads. */
const oddsOfMeeting = 100;

/** An upload of this form, taken apart. What is known comes first, then new files, then removed ones. */
export type CompactChanges = {
	/** Ascending hashes of the known paths, of so many bits; in memory that threads share. */
	hashes: Float64Array;
	bits: number;
	/** Over the known paths in that order. */
	digest: Buffer;
	/** Of known and new files. */
	sizes: number[];
	contents: Buffer;
	/** New files, then removed ones; undefined for one that is no UTF-8. */
	paths: (string | undefined)[];
};

type Added = CatalogChange & {op: 'add'};

/**
 * Packs changes, of each path only the last.
 *
 * @param known paths of files that the server has
 * @param files of the whole catalog: the more, the more bits tell a path
 * @returns undefined where two of the known paths have the same hash, or one is no valid Unicode
 */
export async function packCompact(
	changes: Iterable<CatalogChange>,
	known: ReadonlySet<string>,
	files: number,
): Promise<Buffer | undefined> {
	const changed: {hash: number; change: Added}[] = [];
	const fresh: Added[] = [];
	const removed: string[] = [];
	for (const change of changes) {
		if (change.op === 'remove') removed.push(change.path);
		else if (known.has(change.path)) changed.push({hash: 0, change});
		else fresh.push(change);
	}
	const bits = Math.min(pathHashBits, Math.ceil(Math.log2(Math.max(2, files * changed.length * oddsOfMeeting))));
	for (const [index, one] of changed.entries()) {
		one.hash = pathHash(one.change.path, bits);
		if (index % step === step - 1) await nextTurn();
	}
	changed.sort((a, b) => a.hash - b.hash);
	await nextTurn();
	const paths = new PathsDigest();
	const numbers: number[] = [bits, changed.length, fresh.length, removed.length];
	let before = -1;
	for (const {hash} of changed) {
		if (hash === before) return undefined;
		numbers.push(hash - before - 1);
		before = hash;
	}
	paths.add(changed.map(({change}) => change.path));
	const all = [...changed.map(({change}) => change), ...fresh];
	for (const {size} of all) numbers.push(size);
	await nextTurn();
	const contents = Buffer.alloc(all.length * contentBytes);
	for (const [index, {content}] of all.entries()) contents.write(content, index * contentBytes, 'hex');
	const others = [...fresh.map(({path}) => path), ...removed];
	if (others.some(path => !path.isWellFormed())) return undefined;
	const texts = others.map(path => Buffer.from(path));
	for (const {length} of texts) numbers.push(length);
	return Buffer.concat([magic, paths.end(), packNumbers(numbers), contents, ...texts]);
}

/** Takes an upload apart. @throws P2pError bad-request for one that is not of this form; too-large for too many changes */
export async function unpackCompact(body: Buffer): Promise<CompactChanges> {
	if (!body.subarray(0, magic.length).equals(magic))
		throw new P2pError('bad-request', 'The changes are not of the form that this server knows', {
			hint: 'Send them as application/x-ndjson',
		});
	const reader = new Reader(body, magic.length);
	const digest = reader.bytes(digestBytes);
	const bits = reader.number();
	const counts = [reader.number(), reader.number(), reader.number()] as const;
	const [known, fresh, removed] = counts;
	if (bits > pathHashBits || counts.some(count => count > body.length)) throw malformed();
	if (known + fresh + removed > limits.compactChanges)
		throw new P2pError('too-large', `At most ${limits.compactChanges} changes come in this form`);
	const hashes = new Float64Array(new SharedArrayBuffer(known * Float64Array.BYTES_PER_ELEMENT));
	let hash = -1;
	for (let index = 0; index < known; index++) {
		hash += reader.number() + 1;
		hashes[index] = hash;
	}
	if (hash >= 2 ** bits) throw malformed();
	await nextTurn();
	const sizes = Array.from({length: known + fresh}, () => reader.number());
	const lengths = Array.from({length: fresh + removed}, () => reader.number());
	await nextTurn();
	const contents = reader.bytes((known + fresh) * contentBytes);
	const paths = lengths.map(length => {
		const text = reader.bytes(length);
		return isUtf8(text) ? text.toString() : undefined;
	});
	reader.end();
	return {hashes, bits, digest, sizes, contents, paths};
}

/**
 * The changes as values that are still to be checked, some at a time.
 *
 * @param known the paths of the known files, in the order of their hashes
 */
export function* compactValues(
	{sizes, contents, paths}: CompactChanges,
	known: readonly string[],
): Generator<(object | undefined)[]> {
	const count = known.length + paths.length;
	for (let from = 0; from < count; from += step) {
		const values: (object | undefined)[] = [];
		for (let at = from; at < Math.min(count, from + step); at++) {
			const path = at < known.length ? known[at] : paths[at - known.length];
			if (path === undefined) values.push(undefined);
			else if (at >= sizes.length) values.push({op: 'remove', path});
			else {
				const content = contents.toString('hex', at * contentBytes, (at + 1) * contentBytes);
				values.push({op: 'add', path, size: sizes[at], content});
			}
		}
		yield values;
	}
}

/** Whether these are the paths that the sender meant. */
export function areThesePaths({digest}: CompactChanges, paths: readonly string[]): boolean {
	const found = new PathsDigest();
	found.add(paths);
	return found.end().equals(digest);
}

/** Whole numbers in LEB128: seven bits a byte, lowest first, the highest bit says that more follow. */
function packNumbers(numbers: number[]): Buffer {
	// Eight bytes hold 56 bits, and sizes have 53.
	const bytes = Buffer.allocUnsafe(numbers.length * 8);
	let end = 0;
	for (let rest of numbers) {
		for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[end++] = (rest % 128) + 128;
		bytes[end++] = rest;
	}
	return bytes.subarray(0, end);
}

/** Reads a body from its start on. */
class Reader {
	readonly #body: Buffer;
	#at: number;

	constructor(body: Buffer, at: number) {
		this.#body = body;
		this.#at = at;
	}

	number(): number {
		let value = 0;
		for (let weight = 1; weight < 2 ** 56; weight *= 128) {
			const byte = this.#body[this.#at++];
			if (byte === undefined) throw malformed();
			value += (byte % 128) * weight;
			if (byte < 128) {
				if (Number.isSafeInteger(value)) return value;
				break;
			}
		}
		throw malformed();
	}

	bytes(length: number): Buffer {
		const from = this.#at;
		this.#at += length;
		if (this.#at > this.#body.length) throw malformed();
		return this.#body.subarray(from, this.#at);
	}

	end(): void {
		if (this.#at !== this.#body.length) throw malformed();
	}
}

function malformed(): P2pError {
	return new P2pError('bad-request', 'The changes are cut off or malformed', {
		hint: 'Send them as application/x-ndjson',
	});
}
