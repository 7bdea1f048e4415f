// Lists of rows: what is looked up in them, and gone through, is what was put in.
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {rowIdOf} from '../../source/index/sqlite/fts-text.ts';
import {
	bytesOf,
	DenseRows,
	LiveRows,
	OrderedRows,
	TermRowsBuilder,
	termRows,
} from '../../source/index/sqlite/term-rows.ts';

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

function builtFrom(rows: number[]) {
	const builder = new TermRowsBuilder(7, 2 ** 28, rows.length);
	for (const row of rows) builder.add(row);
	return builder.build().rows;
}

function allAfter(list: OrderedRows | LiveRows, after: number, most = Number.POSITIVE_INFINITY): number[] {
	const found: number[] = [];
	list.each(after, (at, id) => found.push(at * idSpace + id) < most);
	return found;
}

test('very long lists, of neighbours and of what lies far apart, are whole', () => {
	for (const distance of [1, 2, 127, 128, 20_000, 3_000_000]) {
		const popularities = [39, 3, 0];
		const rows = popularities.flatMap(popularity =>
			Array.from({length: Math.min(3000, Math.floor(2 ** 28 / distance))}, (_, place) =>
				rowIdOf(7 + place * distance, popularity),
			),
		);
		const list = listOf(rows, rows.length, 2 ** 28) as OrderedRows;
		expect(allAfter(list, -1)).toEqual(rows);
		const cursor = list.cursor();
		const known = rows
			.flatMap(row => (distance === 1 ? [row] : [row, row + 1]))
			.filter(row => cursor.has(...split(row)));
		expect(known).toEqual(rows);
		expect(bytesOf({asOf: 1, count: 0, rows: builtFrom(rows)})).toBeLessThan(
			(distance < 128 ? 1.5 : 4.5) * rows.length + 400,
		);
	}
});

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
		fc.property(rowsOf(500, 70), rowsOf(500), (rows, asked) => {
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
		const {rows} = builder.build();
		const pieces = rows instanceof Uint32Array ? [rows] : [rows.bytes, rows.blocks];
		for (const {buffer} of pieces) expect(buffer).toBeInstanceOf(SharedArrayBuffer);
	}
});
