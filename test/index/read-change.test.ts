import fc from 'fast-check';
import {expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {catalogChangeSchema} from '../../source/api/schemas.ts';
import {readChange} from '../../source/index/read-change.ts';

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-fA-F]{${length}}$`));
const path = fc.oneof(
	fc.string(),
	fc.constantFrom('', 's/a.txt', 'x'.repeat(limits.pathBytes), 'x'.repeat(limits.pathBytes + 1)),
);
const number = fc.oneof(
	fc.integer(),
	fc.double(),
	fc.constantFrom(
		0,
		-0,
		-1,
		1.5,
		Number.MAX_SAFE_INTEGER,
		Number.MAX_SAFE_INTEGER + 1,
		Number.MIN_SAFE_INTEGER,
		Number.NaN,
	),
);
const any = fc.oneof(path, number, fc.anything());
const nearly = fc.record(
	{
		op: fc.oneof({weight: 5, arbitrary: fc.constantFrom('add', 'remove', 'ADD')}, any),
		path: fc.oneof({weight: 5, arbitrary: path}, any),
		size: fc.oneof({weight: 5, arbitrary: fc.nat()}, {weight: 2, arbitrary: number}, any),
		content: fc.oneof({weight: 5, arbitrary: hex(64)}, hex(63), hex(65), any),
		mtime: fc.oneof({weight: 3, arbitrary: fc.constant(undefined)}, number, any),
		more: fc.anything(),
	},
	{requiredKeys: ['op', 'path']},
);

test('takes exactly what the schema takes, and makes the same of it', () => {
	let taken = 0;
	fc.assert(
		fc.property(fc.oneof({weight: 9, arbitrary: nearly}, fc.anything()), value => {
			const parsed = catalogChangeSchema.safeParse(value);
			const read = readChange(value);
			expect(typeof read !== 'string').toBe(parsed.success);
			if (!parsed.success) return;
			taken++;
			expect(read).toEqual(parsed.data);
		}),
		{numRuns: 3000},
	);
	expect(taken).toBeGreaterThan(100);
});

test('says which field is wrong', () => {
	expect(readChange({op: 'add', path: 's/a', size: -1, content: '0'.repeat(64)})).toContain('size');
	expect(readChange({op: 'explode', path: 's/a'})).toContain('op');
});
