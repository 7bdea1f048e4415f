import fc from 'fast-check';
import {expect, test} from 'vitest';
import {parseQuery} from '../../source/api/query.ts';
import {wordsRank} from '../../source/api/query-match.ts';
import {quickRank} from '../../source/index/sqlite/quick-rank.ts';
import {StoredFolder, StoredName} from '../../source/index/sqlite/stored-content.ts';

const syllables = [
	'ba',
	'Ba',
	'ñi',
	'öl',
	'ÉT',
	'x',
	'ß',
	'ﬁ',
	'Σας',
	'ГО',
	'да',
	'東京',
	'都',
	'が',
	'カ',
	'한글',
	'ไทย',
	'7',
	'20',
];
const signs = ['', '', '', ' ', '_', '-', '.', '·', '«', '\u0301', '\u00a0', '🎵'];
const text = fc
	.array(fc.tuple(fc.constantFrom(...syllables), fc.constantFrom(...signs)), {minLength: 1, maxLength: 6})
	.map(parts => parts.flat().join(''));
const path = fc.array(text, {minLength: 1, maxLength: 3});

/** Words as one types them for a name: pieces of it, in other case, and others. */
const queryFor = (name: string) =>
	fc
		.array(
			fc.oneof(
				text,
				fc.tuple(fc.nat(name.length), fc.integer({min: 1, max: 8})).map(([at, length]) => name.slice(at, at + length)),
				fc.nat(name.length).map(at => name.slice(at).split(/[ _.-]/)[0] ?? ''),
			),
			{minLength: 1, maxLength: 3},
		)
		.map(words => words.map(word => word.replace(/["\s:-]+/g, '').toLowerCase()).filter(Boolean));

test('what it is sure of is what cutting the names says', () => {
	let sure = 0;
	const named = path.chain(parts => fc.tuple(fc.constant(parts), queryFor(parts.join('/'))));
	fc.assert(
		fc.property(named, ([parts, words]) => {
			const name = new StoredName(parts.at(-1) ?? '');
			const folder = new StoredFolder(parts.slice(0, -1).join('/'), 0);
			let query: ReturnType<typeof parseQuery>;
			try {
				query = parseQuery(words.join(' '));
			} catch {
				return;
			}
			const quick = quickRank(query, name, folder);
			if (quick === undefined) return;
			sure++;
			expect(quick).toBe(wordsRank(query, {name: name.folded, folders: folder.words, own: name.words}));
		}),
		{numRuns: 20_000},
	);
	expect(sure).toBeGreaterThan(1000);
});

test.each([
	['exact, with and without its ending', 'holiday photo', 'Holiday Photo.jpg', '', 0],
	['whole words', 'photo holiday', '01_Holiday_Photo.jpg', '', 2],
	['whole in a folder', 'lisbon photo', 'photo.png', 'Pictures/Lisbon', 3],
	['a start', 'holiday pho', 'Holiday Photos.jpg', '', 4],
	['accents', 'senor', 'El-Señor.mp3', '', 2],
	['the start of a word with accents', 'senor', 'Señores.mp3', '', 4],
	['a word that begins with another case', 'photo', 'myPhoto.jpg', '', 2],
	['a start after digits', 'pho', '12PhotosOfLisbon.jpg', '', 4],
	['the last of several capitals', 'file', 'HTMLFile.txt', '', 2],
	['letters inside a word', 'hot', 'photo.jpg', '', 6],
	['letters inside a folder', 'isbo', 'photo.jpg', 'Lisbon', 7],
	['pairs of a script without spaces', '京都', '東京都.txt', '', 2],
])('it is sure of %s', (_what, query, name, folder, rank) => {
	expect(quickRank(parseQuery(query), new StoredName(name), new StoredFolder(folder, 0))).toBe(rank);
});

test.each([
	['phrases', '"holiday photo"', 'Holiday Photo.jpg'],
	['one letter of a script without spaces', '都', '東京都.txt'],
	['two letters inside a word', 'ho', 'photo.jpg'],
	['nothing of it there', 'other', 'photo.jpg'],
])('it leaves %s to whoever cuts the name', (_what, query, name) => {
	expect(quickRank(parseQuery(query), new StoredName(name), new StoredFolder('', 0))).toBeUndefined();
});
