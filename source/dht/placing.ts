// Which nodes keep a file, and under which of its words.
import {setImmediate} from 'node:timers/promises';
import {contentBit} from './messages.ts';
import type {NetworkKey} from './network-key.ts';
import type {TableNode} from './node.ts';
import type {FileRecord} from './records.ts';
import type {KeyKeeper, KeyRegions} from './regions.ts';
import {keyWords, mostWords} from './words.ts';

/** Under which words a file is kept: whole words, and parts of words that have too many files, as masks. */
export type Masks = {mask: number; parts: number};

/** What one node is to keep: files by their place in what was placed. */
export type Load = {to: TableNode | 'self'; files: Map<number, Masks>};

/** Finds places for files. */
export class Placing {
	readonly #regions: KeyRegions;
	readonly #key: NetworkKey;
	readonly #peer: string;
	readonly #small: boolean;
	/** Words that were full at most of their keepers: what comes goes to their parts at once. */
	readonly #full = new Set<string>();

	/** @param small everybody is asked in this network: then a file is kept whole, wherever */
	constructor(regions: KeyRegions, key: NetworkKey, peer: string, small: boolean) {
		this.#regions = regions;
		this.#key = key;
		this.#peer = peer;
		this.#small = small;
	}

	/** Remembers that a word of a file is full, by its place among the file's words. */
	markFull(file: FileRecord, word: number): void {
		const text = keyWords(file.path)[word];
		if (text !== undefined) this.#full.add(text);
	}

	/** @param only the words of files that are meant, in parts, by place; absent: all files with all words */
	async place(files: FileRecord[], only?: Map<number, number>): Promise<Load[]> {
		const loads = new Map<string, Load>();
		const add = ({name, to}: KeyKeeper, index: number, {mask, parts}: Masks) => {
			let load = loads.get(name);
			if (!load) {
				load = {to, files: new Map()};
				loads.set(name, load);
			}
			const masks = load.files.get(index);
			if (masks) {
				masks.mask += mask;
				masks.parts += parts;
			} else load.files.set(index, {mask, parts});
		};
		if (this.#small) await this.#placeWhole(files, only, add);
		else await this.#placeByWord(files, only, add);
		return [...loads.values()];
	}

	#masksOf(file: FileRecord, words: string[], only: number | undefined): Masks {
		if (only !== undefined) return {mask: 0, parts: only};
		const all = 2 ** Math.min(words.length, mostWords) - 1;
		let parts = 0;
		if (this.#full.size > 0) for (const [n, word] of words.entries()) if (this.#full.has(word)) parts += 2 ** n;
		if (file.removed) return {mask: all, parts: 0};
		return {mask: all - parts + contentBit, parts};
	}

	async #placeWhole(files: FileRecord[], only: Map<number, number> | undefined, add: Add): Promise<void> {
		for (const [index, file] of files.entries()) {
			if (index % 200 === 199) await setImmediate();
			const part = only?.get(index);
			if (only && part === undefined) continue;
			const masks = this.#masksOf(file, keyWords(file.path), part);
			for (const keeper of await this.#regions.keepers(this.#key.file(this.#peer, file.path)))
				add(keeper, index, masks);
		}
	}

	/** In the order of their keys, so that neighbours share lookups. */
	async #placeByWord(files: FileRecord[], only: Map<number, number> | undefined, add: Add): Promise<void> {
		const wanted: Array<{topic: Buffer; index: number; masks: Masks}> = [];
		const topics = new Map<string, Buffer>();
		const topicOf = (word: string, part: string) => {
			const name = `${part} ${word}`;
			const topic = topics.get(name) ?? this.#key.word(word, part);
			topics.set(name, topic);
			return topic;
		};
		for (const [index, file] of files.entries()) {
			if (index % 200 === 199) await setImmediate();
			const meant = only?.get(index);
			if (only && meant === undefined) continue;
			const words = keyWords(file.path);
			const {mask, parts} = this.#masksOf(file, words, meant);
			for (const [n, word] of words.entries()) {
				const bit = 2 ** n;
				if ((mask & bit) !== 0) wanted.push({topic: topicOf(word, ''), index, masks: {mask: bit, parts: 0}});
				if ((parts & bit) !== 0)
					wanted.push({topic: topicOf(word, file.content[0]!), index, masks: {mask: 0, parts: bit}});
			}
			if (mask >= contentBit)
				wanted.push({topic: this.#key.content(file.content), index, masks: {mask: contentBit, parts: 0}});
		}
		wanted.sort((a, b) => Buffer.compare(a.topic, b.topic));
		for (const [turn, {topic, index, masks}] of wanted.entries()) {
			if (turn % 500 === 499) await setImmediate();
			for (const keeper of await this.#regions.keepers(topic)) add(keeper, index, masks);
		}
	}
}

type Add = (keeper: KeyKeeper, index: number, masks: Masks) => void;
