// What the reading side keeps in memory: pieces of answers, pages, words, times.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {HitPage} from '../../source/index/sqlite/hit-page.ts';
import {isoSeconds} from '../../source/index/sqlite/iso-seconds.ts';
import {KeptBytes} from '../../source/index/sqlite/kept-bytes.ts';
import {KeptShares} from '../../source/index/sqlite/kept-shares.ts';
import {openForReading, openForWriting} from '../../source/index/sqlite/open-database.ts';
import {VocabularyReader, VocabularyWriter} from '../../source/index/sqlite/vocabulary.ts';
import {WordParts} from '../../source/index/sqlite/word-parts.ts';

describe('kept bytes', () => {
	test('come back as they were, or not at all once newer ones took their room', () => {
		const kept = new KeptBytes(6400);
		const target = Buffer.alloc(100);
		const pieces: {place: number; bytes: Buffer}[] = [];
		for (let number = 0; number < 500; number++) {
			const bytes = Buffer.alloc(1 + ((number * 37) % 100), number);
			const place = kept.keep(bytes, 0, bytes.length);
			if (place === undefined) throw new Error('a small piece is kept');
			pieces.push({place, bytes});
			for (const piece of pieces) {
				if (!kept.copy(piece.place, piece.bytes.length, target, 0)) continue;
				expect(target.subarray(0, piece.bytes.length).equals(piece.bytes)).toBe(true);
			}
		}
		const there = pieces.map(({place, bytes}) => kept.copy(place, bytes.length, target, 0));
		expect(there.at(-1)).toBe(true);
		expect(there[0]).toBe(false);
		// The newest ones, without a gap.
		expect(there.indexOf(true)).toBe(there.lastIndexOf(false) + 1);
		expect(there.filter(Boolean).length).toBeGreaterThan(100);
	});

	test('are not too large for the room of many', () => {
		expect(new KeptBytes(640).keep(Buffer.alloc(11), 0, 11)).toBeUndefined();
	});
});

test('shares are there as they were, or known to be gone once newer ones took their room', () => {
	const kept = new KeptShares(1000);
	const contents: {from: number; until: number; count: number; number: number}[] = [];
	for (let number = 1; number <= 300; number++) {
		const count = (number * 37) % 65;
		const {from, until} = kept.reserve(count);
		expect(from + count).toBeLessThanOrEqual(1000);
		for (let share = from; share < from + count; share++) {
			kept.peers[share] = number;
			kept.folders[share] = share;
			kept.times[share] = -number;
		}
		contents.push({from, until, count, number});
		for (const {from, until, count, number} of contents) {
			if (!kept.has(until)) continue;
			for (let share = from; share < from + count; share++)
				expect([kept.peers[share], kept.folders[share], kept.times[share]]).toEqual([number, share, -number]);
		}
	}
	const there = contents.map(({until}) => kept.has(until));
	expect(there[0]).toBe(false);
	// The newest ones, without a gap, and nearly all that fit.
	expect(there.indexOf(true)).toBe(there.lastIndexOf(false) + 1);
	const held = contents.filter((_, at) => there[at]).reduce((sum, {count}) => sum + count, 0);
	expect(held).toBeGreaterThan(800);
});

test('a page has its hits in the order asked for, however long they are', () => {
	const page = new HitPage();
	for (const round of [1, 2]) {
		page.clear();
		const found = Array.from({length: 40}, (_, number) => {
			const from = page.end;
			page.write(JSON.stringify({number, text: 'é山'.repeat(number * 200 * round)}));
			return {rank: 0, id: number, sources: 1, from, to: page.end};
		});
		const answer = JSON.parse(page.take(found.reverse(), ',"total":40').toString()) as {
			hits: {number: number; text: string}[];
			total: number;
		};
		expect(answer.total).toBe(40);
		expect(answer.hits.map(({number}) => number)).toEqual(Array.from({length: 40}, (_, at) => 39 - at));
		for (const {number, text} of answer.hits) expect(text).toBe('é山'.repeat(number * 200 * round));
	}
	page.clear();
	expect(page.take([], '').toString()).toBe('{"hits":[]}');
});

test('words are found by what is inside them, those seen first first', () => {
	const word = fc.string({unit: fc.constantFrom('a', 'b', 'é', '山'), minLength: 1, maxLength: 9});
	fc.assert(
		fc.property(fc.array(word, {maxLength: 60}), word, fc.integer({min: 1, max: 8}), (words, inside, most) => {
			fc.pre(inside.length >= 3);
			const different = [...new Set(words)];
			const parts = new WordParts();
			for (const one of different) parts.add(one);
			const expected = different.filter(one => one.includes(inside) && !one.startsWith(inside)).slice(0, most);
			expect(parts.find(inside, most)).toEqual(expected);
		}),
	);
});

test('words past what is kept in memory, and those that came since, are found in the database', () => {
	const folder = mkdtempSync(path.join(tmpdir(), 'p2p-words-'));
	const file = path.join(folder, 'index.db');
	const {database} = openForWriting(file);
	const reading = openForReading(file);
	try {
		const writer = new VocabularyWriter(database);
		const words = Array.from({length: 300}, (_, number) => `w${number}middle${number % 7}`);
		writer.add(words);
		for (const most of [1_000_000, 1]) {
			const reader = new VocabularyReader(reading, most);
			expect(reader.wordsWith('middle3', true)).toEqual(words.filter(word => word.endsWith('middle3')).slice(0, 32));
			while (reader.learn());
			expect(reader.wordsWith('middle4', true)).toEqual(words.filter(word => word.endsWith('middle4')).slice(0, 32));
			const late = `late${most}comer`;
			writer.add([late]);
			expect(reader.wordsWith(`${most}comer`, true)).toContain(late);
			expect(reader.hasLonger(late)).toBe(false);
			expect(reader.hasLonger(late.slice(0, -1))).toBe(true);
		}
	} finally {
		reading.close();
		database.close();
		rmSync(folder, {recursive: true});
	}
});

test('a time is written as Date writes it', () => {
	fc.assert(
		fc.property(fc.integer({min: 0, max: 400_000_000_000}), at => {
			expect(isoSeconds(at)).toBe(new Date(at * 1000).toISOString());
		}),
	);
});
