import {hash} from 'node:crypto';
import type {CatalogChange} from '../../api/schemas.ts';
import {baseName} from '../../core/share-path.ts';
import {bucketOf, holderOf, keys, numberOfHolder} from './keys.ts';
import type {RedisLink} from './redis-link.ts';
import * as scripts from './scripts.ts';

/** Groups that a peer's paths are divided into, each in a slot of its own. */
const pathGroups = 16;
/** Hashes of each group, so that they stay small; the scripts know this number as well. */
const pathParts = 64;
/** Items that one script looks at: some milliseconds in which its node answers nobody else. */
const scriptItems = 500;
/** Calls that are sent together: they share writes to the nodes, which cost more than what is in them. */
const callsAtOnce = 256;
/** Bytes of a name in a content's record: with size and time it stays within 64, which small hashes store compactly. */
const nameBytes = 44;
const contentBytes = 32;

/** The peer whose files are written. `gen`: of its catalog, which a new catalog counts up; `fresh`: it had none before. */
export type RegistryPeer = {id: string; number: number; gen: number; fresh: boolean};

/** What the registry knows of a content. `peers`: numbers of some that hold it; `at`: Unix seconds. */
export type RegisteredContent = {name: string; size: number; at: number; holdings: number; peers: number[]};

type Place = {group: number; part: string; hash: Buffer};
type Holding = {content: Buffer; holder: string; record: string};

/**
 * The registry of files: a hash table that is spread over the cluster by content ID (DESIGN section 6). It says who
 * holds what without any index server's read model, and of each peer's paths what stands there, so that changes and
 * departures take out just what they should. All writes may be done twice.
 */
export class FileRegistry {
	readonly #link: RedisLink;

	constructor(link: RedisLink) {
		this.#link = link;
	}

	/** Takes in changes of a peer's catalog. */
	async apply(peer: RegistryPeer, changes: CatalogChange[]): Promise<void> {
		const last = new Map<string, CatalogChange>();
		for (const change of changes) last.set(change.path, change);
		const places = [...last.keys()].map(placeOf);
		const known = peer.fresh ? [] : await this.#readPaths(peer.id, places);
		const at = Math.floor(Date.now() / 1000);
		const holdings: Holding[] = [];
		const values: (Buffer | string)[] = [];
		let index = 0;
		for (const change of last.values()) {
			const place = places[index]!;
			const before = known[index++]?.subarray(2);
			const holder = holderOf(peer.number, place.hash);
			const content = change.op === 'add' ? Buffer.from(change.content, 'hex') : undefined;
			if (before?.length === contentBytes && !(content && before.equals(content)))
				holdings.push({content: before, holder, record: ''});
			if (change.op === 'add' && content)
				holdings.push({content, holder, record: recordOf(change.path, change.size, at)});
			values.push(content ? Buffer.concat([generation(peer.gen), content]) : '');
		}
		// The paths come last: what they say is what a repetition finds to take out.
		await this.#hold(holdings);
		await this.#writePaths(peer.id, places, values);
	}

	/**
	 * Takes out what a peer had in other generations of its catalog, step by step.
	 *
	 * @param goOn asked before each step
	 */
	async sweep({id, number, gen}: Omit<RegistryPeer, 'fresh'>, goOn: () => Promise<boolean>): Promise<boolean> {
		for (let group = 0; group < pathGroups; group++) {
			let part = 0;
			while (part >= 0) {
				if (!(await goOn())) return false;
				const values = [String(gen % 65_536), String(part), String(scriptItems)];
				const options = {buffers: true};
				const found = await this.#link.run<[number, ...Buffer[]]>(
					scripts.stalePaths,
					[keys.paths(id, group)],
					values,
					options,
				);
				const [next, ...rest] = found;
				const holdings: Holding[] = [];
				const places: Place[] = [];
				for (let at = 0; at + 2 < rest.length; at += 3) {
					const [name, path, value] = rest.slice(at, at + 3) as [Buffer, Buffer, Buffer];
					holdings.push({content: value.subarray(2), holder: holderOf(number, path), record: ''});
					places.push({group, part: String(name), hash: path});
				}
				await this.#hold(holdings);
				await this.#writePaths(
					id,
					places,
					places.map(() => ''),
				);
				part = next;
			}
		}
		return true;
	}

	/** Who holds a content; undefined when nobody does. */
	async find(content: string, most: number): Promise<RegisteredContent | undefined> {
		const id = Buffer.from(content, 'hex');
		const key = keys.bucket(bucketOf(id));
		const [record, count, holders] = await this.#link.run<[Buffer?, number?, Buffer[]?]>(
			scripts.findContent,
			[key],
			[id, String(most)],
			{buffers: true},
		);
		if (!record) return undefined;
		const [size = '0', at = '0', ...name] = record.toString().split(' ');
		const peers = [...new Set((holders ?? []).map(holder => numberOfHolder(String(holder))))];
		return {
			name: name.join(' '),
			size: Number.parseInt(size, 36),
			at: Number.parseInt(at, 36),
			holdings: count ?? 0,
			peers,
		};
	}

	async #readPaths(id: string, places: Place[]): Promise<Buffer[]> {
		const found: Buffer[] = new Array(places.length);
		await this.#inGroups(
			places,
			({group}) => group,
			async (group, items) => {
				const values = items.flatMap(index => [places[index]!.part, places[index]!.hash]);
				const answer = await this.#link.run<Buffer[]>(scripts.readPaths, [keys.paths(id, group)], values, {
					buffers: true,
				});
				for (const [at, index] of items.entries()) found[index] = answer[at]!;
			},
		);
		return found;
	}

	async #writePaths(id: string, places: Place[], values: (Buffer | string)[]): Promise<void> {
		await this.#inGroups(
			places,
			({group}) => group,
			(group, items) => {
				const triples = items.flatMap(index => [places[index]!.part, places[index]!.hash, values[index]!]);
				return this.#link.run(scripts.writePaths, [keys.paths(id, group)], [pack(triples)]);
			},
		);
	}

	async #hold(holdings: Holding[]): Promise<void> {
		await this.#inGroups(
			holdings,
			({content}) => bucketOf(content),
			(bucket, items) => {
				const triples = items.flatMap(index => {
					const {content, holder, record} = holdings[index]!;
					return [content, holder, record];
				});
				return this.#link.run(scripts.holdContents, [keys.bucket(bucket)], [pack(triples)]);
			},
		);
	}

	/** Calls `work` for the items of each group, some of them at a time; several calls are under way at once. */
	async #inGroups<T>(
		all: T[],
		groupOf: (item: T) => number,
		work: (group: number, items: number[]) => Promise<unknown>,
	): Promise<void> {
		const groups = new Map<number, number[]>();
		for (const [index, item] of all.entries()) {
			const group = groupOf(item);
			const items = groups.get(group);
			if (items) items.push(index);
			else groups.set(group, [index]);
		}
		let calls: Promise<unknown>[] = [];
		const sent = async () => {
			const done = calls;
			calls = [];
			// All have ended when this does, also when one fails.
			for (const result of await Promise.allSettled(done)) if (result.status === 'rejected') throw result.reason;
		};
		for (const [group, items] of groups) {
			for (let at = 0; at < items.length; at += scriptItems) {
				calls.push(work(group, items.slice(at, at + scriptItems)));
				if (calls.length >= callsAtOnce) await sent();
			}
		}
		await sent();
	}
}

/** Short texts in one, a byte with the length before each: one argument costs the client less than a thousand. */
function pack(parts: (Buffer | string)[]): Buffer {
	let bytes = 0;
	for (const part of parts) bytes += 1 + (typeof part === 'string' ? Buffer.byteLength(part) : part.length);
	const packed = Buffer.allocUnsafe(bytes);
	let at = 0;
	for (const part of parts) {
		const length = typeof part === 'string' ? packed.write(part, at + 1) : part.copy(packed, at + 1);
		packed[at] = length;
		at += 1 + length;
	}
	return packed;
}

/** Where a path stands: 8 bytes of its hash name it, others choose the place. */
function placeOf(path: string): Place {
	const digest = hash('sha1', path, 'buffer');
	return {group: digest[8]! % pathGroups, part: String(digest[9]! % pathParts), hash: digest.subarray(0, 8)};
}

function generation(gen: number): Buffer {
	const bytes = Buffer.alloc(2);
	bytes.writeUInt16BE(gen % 65_536);
	return bytes;
}

/** Size, time and name in 64 bytes at most; a long name is cut, as it only stands in until a read model answers. */
function recordOf(path: string, size: number, at: number): string {
	let name = baseName(path);
	while (Buffer.byteLength(name) > nameBytes) name = [...name].slice(0, -Math.ceil(name.length / 8)).join('');
	return `${size.toString(36)} ${at.toString(36)} ${name}`;
}
