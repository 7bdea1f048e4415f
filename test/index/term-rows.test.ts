// Lists of rows: what is looked up in them, and gone through, is what was put in.
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {rowIdOf} from '../../source/index/sqlite/fts-text.ts';
import {DenseRows, LiveRows, OrderedRows, TermRowsBuilder, termRows} from '../../source/index/sqlite/term-rows.ts';

/** Contents of some popularities, as the full-text index gives them. */
const rowsOf = (most: number, least = 0) =>
	fc
		.uniqueArray(fc.tuple(fc.nat(most), fc.constantFrom(0, 2, 3, 12, 39)), {
			selector: ([id]) => id,
			minLength: least,
			maxLength: 400,
		})
		.map(list => list.map(([id, popularity]) => rowIdOf(id, popularity)).sort((a, b) => a - b));

const idSpace = rowIdOf(0, 39);
const split = (row: number) => [Math.floor(row / idSpace), row % idSpace] as const;

function listOf(rows: number[], ordered: number | undefined, highest: number) {
	const builder = new TermRowsBuilder(7, highest, ordered);
	for (const row of rows) builder.add(row);
	return termRows(builder.build());
}

function allAfter(list: OrderedRows | LiveRows, after: number, most = Number.POSITIVE_INFINITY): number[] {
	const found: number[] = [];
	list.each(after, (at, id) => found.push(at * idSpace + id) < most);
	return found;
}

describe('rows in their order', () => {
	test('are found by whoever asks in that order, and no others', () => {
		fc.assert(
			fc.property(rowsOf(2000), rowsOf(2000), (rows, asked) => {
				const list = listOf(rows, undefined, 2000);
				expect(list).toBeInstanceOf(OrderedRows);
				expect([list.count, list.asOf]).toEqual([rows.length, 7]);
				const known = new Set(rows);
				for (const one of [list, new LiveRows(rows)]) {
					const cursor = one.cursor();
					for (const row of asked) expect(cursor.has(...split(row))).toBe(known.has(row));
				}
			}),
		);
	});

	test('are gone through from any row on, as far as wanted', () => {
		fc.assert(
			fc.property(rowsOf(2000), fc.nat(41 * 4), fc.integer({min: 1, max: 9}), (rows, place, most) => {
				const after = rows[place] ?? rowIdOf(place * 10, place % 40) - 1;
				const rest = rows.filter(row => row > after);
				for (const list of [listOf(rows, undefined, 2000) as OrderedRows, new LiveRows(rows)]) {
					expect(allAfter(list, -1)).toEqual(rows);
					expect(allAfter(list, after)).toEqual(rest);
					expect(allAfter(list, after, most)).toEqual(rest.slice(0, most));
				}
			}),
		);
	});
});

test('of many rows each content has a bit, also one that was met before they were many', () => {
	fc.assert(
		fc.property(rowsOf(500, 41), rowsOf(500), (rows, asked) => {
			const list = listOf(rows, 40, 500);
			expect(list).toBeInstanceOf(DenseRows);
			expect(list.count).toBe(rows.length);
			const known = new Set(rows.map(row => split(row)[1]));
			const cursor = list.cursor();
			for (const row of asked) expect(cursor.has(...split(row))).toBe(known.has(split(row)[1]));
			// What is newer than the list.
			expect(cursor.has(40, 100_000)).toBe(false);
		}),
	);
});

test('a list is memory that threads share', () => {
	for (const ordered of [1, 1000]) {
		const builder = new TermRowsBuilder(1, 300, ordered);
		for (let id = 1; id < 300; id += 2) builder.add(rowIdOf(id, 0));
		const {words} = builder.build();
		expect(words.buffer).toBeInstanceOf(SharedArrayBuffer);
	}
});
