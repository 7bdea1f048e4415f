import fc from 'fast-check';
import {expect, test} from 'vitest';
import {tokenSet} from '../../source/api/tokens.ts';
import {ContentTexts} from '../../source/index/sqlite/content-texts.ts';
import {popularityOf, rowIdOf} from '../../source/index/sqlite/fts-text.ts';

test('cutting a path piece by piece gives the words of the whole path', () => {
	const signs = fc.constantFrom(
		'a',
		'B',
		'1',
		'/',
		'-',
		'_',
		'=',
		'<',
		'.',
		' ',
		'é',
		'e\u0301',
		'\u0338',
		'\u05d0',
		'ガ',
		'カ\u3099',
		'한',
		'富',
		'①',
		'ß',
		'🎉',
		'\u0e33',
		'\u0653',
		'ا',
	);
	const names = fc.oneof(
		fc.string({unit: 'binary', maxLength: 12}),
		fc.array(signs, {maxLength: 14}).map(list => list.join('')),
	);
	const learned = new Set<string>();
	const texts = new ContentTexts(words => {
		for (const word of words) learned.add(word);
	});
	fc.assert(
		fc.property(names, path => {
			const slash = path.lastIndexOf('/');
			const place = {folder: path.slice(0, Math.max(0, slash)), name: path.slice(slash + 1)};
			// Signs are private-use characters, which no word has.
			const words = texts
				.of([place], 0)
				.split(' ')
				.filter(word => word !== '' && !/^\p{Co}$/u.test(word));
			expect([...new Set(words)].sort()).toEqual([...tokenSet(path)].sort());
			for (const word of words) expect(learned).toContain(word);
		}),
		{numRuns: 5000},
	);
});

test('what more peers share has the smaller row ID', () => {
	expect(rowIdOf(1, popularityOf(8))).toBeLessThan(rowIdOf(1, popularityOf(7)));
	expect(rowIdOf(2 ** 40 - 1, popularityOf(1024))).toBeLessThan(rowIdOf(1, popularityOf(500)));
	expect([0, 1, 3, 4, 7, 8, 1e15].map(popularityOf)).toEqual([0, 0, 0, 2, 2, 3, 39]);
});
