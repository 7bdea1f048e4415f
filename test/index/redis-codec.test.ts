import fc from 'fast-check';
import {expect, test} from 'vitest';
import type {CatalogChange} from '../../source/api/schemas.ts';
import {packChanges, unpackChanges} from '../../source/index/redis/change-codec.ts';
import {holderOf, numberOfHolder} from '../../source/index/redis/keys.ts';
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

test('a holding tells its peer', () => {
	fc.assert(
		fc.property(fc.integer({min: 1, max: 2 ** 30}), fc.uint8Array({minLength: 8, maxLength: 8}), (number, hash) => {
			const holder = holderOf(number, Buffer.from(hash));
			expect(numberOfHolder(holder)).toBe(number);
			// Sets of integers are stored compactly only up to 64 bits with sign.
			expect(BigInt(holder) < 2n ** 63n).toBe(true);
		}),
	);
});
