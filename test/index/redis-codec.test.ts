import fc from 'fast-check';
import {expect, test} from 'vitest';
import type {CatalogChange} from '../../source/api/schemas.ts';
import {packChanges, unpackChanges} from '../../source/index/redis/change-codec.ts';
import {filterRows, packRows, readRows} from '../../source/index/redis/holding-rows.ts';
import {isBefore, isGap, justBefore} from '../../source/index/redis/log-entry.ts';

const path = fc.string({unit: 'grapheme', minLength: 1}).filter(text => text.isWellFormed() && !text.includes('\0'));
const content = fc.uint8Array({minLength: 32, maxLength: 32}).map(bytes => Buffer.from(bytes).toString('hex'));
const change: fc.Arbitrary<CatalogChange> = fc.oneof(
	fc.record({op: fc.constant('add' as const), path, size: fc.maxSafeNat(), content}),
	fc.record({op: fc.constant('remove' as const), path}),
);

test('changes come out of the log as they went in', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(change), async changes => {
			expect(await unpackChanges(await packChanges(changes))).toEqual(changes);
		}),
	);
});

test('a damaged batch is an error and not something else', async () => {
	const packed = await packChanges([{op: 'add', path: 's/a', size: 1, content: 'ab'.repeat(32)}]);
	await expect(unpackChanges(packed.subarray(0, packed.length - 3))).rejects.toThrow();
	await expect(unpackChanges(Buffer.from('nothing of the kind'))).rejects.toThrow();
});

test('IDs of log entries are in order, and gaps are seen', () => {
	expect(isBefore('9-0', '10-0')).toBe(true);
	expect(isBefore('10-1', '10-0')).toBe(false);
	expect(justBefore('10-1')).toBe('10-0');
	expect(isBefore(justBefore('10-0'), '10-0')).toBe(true);
	expect(isBefore('9-5', justBefore('10-0'))).toBe(true);
	expect(isGap('10-0', '10-1')).toBe(false);
	expect(isGap(justBefore('10-0'), '10-0')).toBe(false);
	expect(isGap('9-0', '10-0')).toBe(true);
});

test('rows of the registry come out as they went in, and without those that shall go', () => {
	const head = {number: 2 ** 32 - 1, gen: 7, at: 1_700_000_000};
	const row = fc.record({content, path, size: fc.option(fc.maxSafeNat(), {nil: undefined})});
	fc.assert(
		fc.property(fc.array(row), fc.nat(5), (rows, part) => {
			const chunks = packRows(head, rows);
			const read = chunks.flatMap(chunk => [...readRows(chunk)]);
			const told = read.map(one => ({content: one.content.toString('hex'), size: one.isOver ? undefined : one.size}));
			expect(told).toEqual(rows.map(({content: id, size}) => ({content: id, size})));
			for (const [at, {number, gen, name, isOver}] of read.entries()) {
				const whole = isOver ? '' : (rows[at]?.path.split('/').at(-1) ?? '');
				expect([number, gen, whole.startsWith(name)]).toEqual([head.number, head.gen, true]);
			}
			const stays = ({content: id}: {content: Buffer}) => (id[1] ?? 0) % 6 > part;
			const left = chunks.flatMap(chunk => [...readRows(filterRows(chunk, stays) ?? Buffer.alloc(12))]);
			expect(left.map(({key, name}) => key + name)).toEqual(read.filter(stays).map(({key, name}) => key + name));
		}),
	);
});
