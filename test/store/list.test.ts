import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {followRow, placeCursor, stepIndex} from '../../source/store/list.ts';

const keys = (count: number) => Array.from({length: count}, (_, index) => `k${index}`);
const lookups = (rows: readonly string[]) => ({
	keyAt: (index: number) => rows[index],
	indexOf: (key: string) => (rows.includes(key) ? rows.indexOf(key) : undefined),
});

describe('placeCursor', () => {
	test('the cursor is always inside the list and visible', () => {
		fc.assert(
			fc.property(
				fc.nat(500),
				fc.integer({min: 1, max: 60}),
				fc.integer({min: -50, max: 600}),
				fc.nat(600),
				(total, rows, index, top) => {
					const {keyAt} = lookups(keys(total));
					const next = placeCursor({index: 0, top}, index, total, rows, keyAt);
					expect(next.index).toBeGreaterThanOrEqual(0);
					expect(next.index).toBeLessThanOrEqual(Math.max(0, total - 1));
					expect(next.top).toBeLessThanOrEqual(next.index);
					expect(next.top + rows).toBeGreaterThan(next.index);
					expect(next.key).toBe(total > 0 ? `k${next.index}` : undefined);
				},
			),
		);
	});

	test('is the same object when nothing changes', () => {
		const list = {index: 3, top: 0, key: 'k3'};
		expect(placeCursor(list, 3, 10, 5, lookups(keys(10)).keyAt)).toBe(list);
	});
});

describe('followRow', () => {
	test('the cursor stays with its row when others come before it', () => {
		const rows = ['new1', 'new2', ...keys(20)];
		const {indexOf, keyAt} = lookups(rows);
		const next = followRow({index: 5, top: 2, key: 'k5'}, rows.length, 8, indexOf, keyAt);
		expect(next).toEqual({index: 7, top: 4, key: 'k5'});
	});

	test('a row that is gone leaves the cursor where it was', () => {
		const rows = keys(20).filter(key => key !== 'k5');
		const {indexOf, keyAt} = lookups(rows);
		expect(followRow({index: 5, top: 2, key: 'k5'}, rows.length, 8, indexOf, keyAt)).toEqual({
			index: 5,
			top: 2,
			key: 'k6',
		});
	});

	test('a cursor that nobody moved stays at the top', () => {
		const rows = ['new', ...keys(5)];
		const {indexOf, keyAt} = lookups(rows);
		expect(followRow({index: 0, top: 0, key: 'k0'}, rows.length, 8, indexOf, keyAt)).toEqual({
			index: 0,
			top: 0,
			key: 'new',
		});
	});

	test('a list that shrinks takes the cursor along', () => {
		const {indexOf, keyAt} = lookups(keys(2));
		expect(followRow({index: 9, top: 5, key: 'k9'}, 2, 4, indexOf, keyAt)).toEqual({index: 1, top: 0, key: 'k1'});
		expect(
			followRow(
				{index: 1, top: 0, key: 'k1'},
				0,
				4,
				() => undefined,
				() => undefined,
			),
		).toEqual({index: 0, top: 0});
	});
});

test('steps', () => {
	expect(stepIndex(5, 'up', 100, 10)).toBe(4);
	expect(stepIndex(5, 'pageDown', 100, 10)).toBe(14);
	expect(stepIndex(5, 'pageUp', 100, 1)).toBe(4);
	expect(stepIndex(5, 'last', 100, 10)).toBe(99);
	expect(stepIndex(5, 'first', 100, 10)).toBe(0);
});
