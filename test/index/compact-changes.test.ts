import fc from 'fast-check';
import {expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import type {CatalogChange} from '../../source/api/schemas.ts';
import {P2pError} from '../../source/core/errors.ts';
import {areThesePaths, compactValues, packCompact, unpackCompact} from '../../source/index/compact-changes.ts';
import {FoundPaths, pathHash} from '../../source/index/path-hash.ts';
import {contentId} from '../helpers/index.ts';

const changeOf = (path: string, size: number): CatalogChange => ({op: 'add', path, size, content: contentId(path)});
const packed = async (...args: Parameters<typeof packCompact>) => (await packCompact(...args)) ?? Buffer.alloc(0);

const path = fc.string({unit: 'binary', minLength: 1, maxLength: 20}).filter(text => !text.includes('\0'));
const someChanges = fc.uniqueArray(
	fc.record({
		path,
		size: fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constant(limits.fileSize)),
		kind: fc.constantFrom('known', 'new', 'removed'),
	}),
	{selector: ({path}) => path, maxLength: 40},
);

test('what is packed comes out again, whatever the paths and sizes', async () => {
	await fc.assert(
		fc.asyncProperty(someChanges, fc.integer({min: 1, max: 2e6}), async (list, files) => {
			const changes = list.map(
				({path, size, kind}): CatalogChange => (kind === 'removed' ? {op: 'remove', path} : changeOf(path, size)),
			);
			const known = new Set(list.filter(({kind}) => kind === 'known').map(({path}) => path));
			const body = await packCompact(changes, known, files);
			// Few files mean few bits, under which two may be the same.
			if (!body) {
				expect(known.size).toBeGreaterThan(1);
				return;
			}
			const upload = await unpackCompact(body);
			const found = new FoundPaths(upload);
			for (const path of known) found.look(path);
			const paths = found.all.filter(path => path !== undefined);
			expect(paths).toHaveLength(known.size);
			expect(areThesePaths(upload, paths)).toBe(true);
			const values = [...compactValues(upload, paths)].flat() as CatalogChange[];
			const byPath = (list: CatalogChange[]) => new Map(list.map(change => [change.path, change]));
			expect(byPath(values)).toEqual(byPath(changes));
			expect(values).toHaveLength(changes.length);
		}),
		{numRuns: 300},
	);
});

test('a hash that two paths have means neither, and another path than the one meant is found out', async () => {
	const known = Array.from({length: 300}, (_, i) => `s/${i}.txt`);
	const body = await packed([changeOf('s/0.txt', 1)], new Set(['s/0.txt']), 1);
	const upload = await unpackCompact(body);
	const twin = known.find(path => path !== 's/0.txt' && pathHash(path, upload.bits) === upload.hashes[0]);
	const found = new FoundPaths(upload);
	for (const path of known) found.look(path);
	expect(twin).toBeDefined();
	expect(found.all).toEqual([undefined]);
	expect(areThesePaths(upload, ['s/0.txt'])).toBe(true);
	expect(areThesePaths(upload, [twin ?? ''])).toBe(false);
	// With as many bits as so many files ask for, no two of these have the same.
	expect(
		(
			await unpackCompact(
				await packed(
					known.map(path => changeOf(path, 1)),
					new Set(known),
					300,
				),
			)
		).bits,
	).toBe(24);
});

test('the order of paths counts, and where one ends', async () => {
	const upload = await unpackCompact(await packed([changeOf('a', 1), changeOf('b', 1)], new Set(['a', 'b']), 1000));
	const paths = new FoundPaths(upload);
	for (const path of ['a', 'b']) paths.look(path);
	const inOrder = paths.all as string[];
	expect(areThesePaths(upload, inOrder)).toBe(true);
	expect(areThesePaths(upload, inOrder.toReversed())).toBe(false);
	expect(areThesePaths(upload, [inOrder.join('')])).toBe(false);
	expect(areThesePaths(upload, [])).toBe(false);
});

test('whatever is cut off, changed or made up is an error in words, or something else that is well formed', async () => {
	const known = Array.from({length: 30}, (_, i) => `s/${i}.txt`);
	const changes = [
		...known.map(path => changeOf(path, 5e6)),
		changeOf('s/new', 1),
		{op: 'remove', path: 's/x'} as const,
	];
	const body = await packed(changes, new Set(known), 1000);
	const read = (bytes: Buffer) =>
		unpackCompact(bytes).then(
			({paths}) => paths.length,
			error => {
				expect(error).toBeInstanceOf(P2pError);
				return (error as P2pError).code;
			},
		);
	expect(await read(body)).toBe(2);
	for (let length = 0; length < body.length; length++)
		expect(await read(body.subarray(0, length)), `${length} bytes`).toBe('bad-request');
	expect(await read(Buffer.concat([body, Buffer.alloc(1)]))).toBe('bad-request');
	await fc.assert(
		fc.asyncProperty(fc.uint8Array({maxLength: 60}), fc.nat(body.length), async (bytes, at) => {
			const damaged = Buffer.from(body);
			damaged.set(bytes.subarray(0, body.length - at), at);
			await read(damaged);
			await read(Buffer.concat([body.subarray(0, at), bytes]));
		}),
		{numRuns: 500},
	);
});

test('counts without bytes behind them, and more than a server takes, are refused before memory is taken', async () => {
	const head = async (...numbers: number[]) => {
		const body = Buffer.concat([(await packed([], new Set(), 1)).subarray(0, 37), Buffer.alloc(100_000)]);
		let at = 37;
		for (let rest of numbers) {
			for (; rest >= 128; rest = Math.floor(rest / 128)) body[at++] = (rest % 128) + 128;
			body[at++] = rest;
		}
		return unpackCompact(body).catch((error: P2pError) => error.code);
	};
	expect(await head(40, 2 ** 50, 0, 0)).toBe('bad-request');
	expect(await head(40, 0, 0, 2 ** 31)).toBe('bad-request');
	expect(await head(49, 1, 0, 0)).toBe('bad-request');
	expect(await head(40, limits.compactChanges, 1, 0)).toBe('too-large');
	expect(await head(4, 17, 0, 0)).toBe('bad-request');
	expect(await head(40, 1, 0, 0, 2 ** 53)).toBe('bad-request');
});

test('a path that UTF-8 cannot hold is not sent as another', async () => {
	expect(await packCompact([changeOf('s/\ud800', 1)], new Set(), 1)).toBeUndefined();
});
