import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {kindOf, matchesQuery, matchRank, parseQuery} from '../../source/api/query.ts';
import {P2pError} from '../../source/core/errors.ts';

const matches = (query: string, path: string, size = 100) => matchesQuery(parseQuery(query), {path, size});

describe('a query', () => {
	test('is read into its parts', () => {
		expect(
			parseQuery('Red img2024 "a  phrase" -live -"not this" ext:.FLAC kind:videos size:1KB..2KiB peer:bob name:1.TXT'),
		).toMatchObject({
			words: [
				{whole: [], start: 'red'},
				{whole: ['img'], start: '2024'},
			],
			phrases: [['a', 'phrase']],
			without: [['live'], ['not', 'this']],
			extensions: ['flac'],
			kinds: ['video'],
			size: {min: 1000, max: 2048},
			peers: ['bob'],
			names: ['1.txt'],
		});
		expect(parseQuery('name:"with space.txt"').names).toEqual(['with space.txt']);
		expect(parseQuery('re:zero').words).toHaveLength(1);
	});

	test.each([
		['size:>100MB', 100e6 + 1, Number.MAX_SAFE_INTEGER],
		['size:>=1.5GiB', 1.5 * 2 ** 30, Number.MAX_SAFE_INTEGER],
		['size:<1k', 0, 999],
		['size:<=1k', 0, 1000],
		['size:=5', 5, 5],
		['size:>1k size:<2k', 1001, 1999],
	])('%s is a range', (query, min, max) => {
		expect(parseQuery(query).size).toEqual({min, max});
	});

	test.each([
		['', 0, 0],
		['   ', 0, 3],
		['...', 0, 3],
		['-only', 0, 5],
		['good "open', 5, 5],
		['good kind:nope', 5, 9],
		['a size:big b', 2, 8],
		['a size:2k..1k', 2, 11],
		['x ext:', 2, 4],
		['x -ext:mp3', 2, 8],
	])('%j is refused, pointing at the place', (query, position, length) => {
		let error: unknown;
		try {
			parseQuery(query);
		} catch (thrown) {
			error = thrown;
		}
		expect(error).toBeInstanceOf(P2pError);
		expect(error).toMatchObject({code: 'bad-query', exitCode: 2, details: {query, position}});
		expect((error as P2pError).details?.length).toBe(length);
	});

	test('has limits', () => {
		expect(() => parseQuery('x'.repeat(limits.queryLength + 1))).toThrow(/at most 256 characters/);
		expect(() => parseQuery('a '.repeat(limits.queryTerms + 1))).toThrow(/at most 16 words/);
		expect(parseQuery('a '.repeat(limits.queryTerms)).words).toHaveLength(limits.queryTerms);
		expect(() => parseQuery('富'.repeat(200))).toThrow(/at most 16 words/);
	});

	test('is read or refused, whatever is typed', () => {
		const piece = fc.constantFrom(
			'"',
			'-',
			'ext:',
			'kind:',
			'size:',
			'>',
			' ',
			'a',
			'é',
			'山',
			':',
			'..',
			'1',
			'MB',
			'\ud800',
		);
		const typed = fc.oneof(
			fc.string({unit: 'binary'}),
			fc.array(piece).map(list => list.join('')),
		);
		fc.assert(
			fc.property(typed, text => {
				try {
					parseQuery(text);
				} catch (error) {
					expect(error).toMatchObject({code: 'bad-query'});
				}
			}),
		);
	});
});

describe('matching', () => {
	test('a name finds itself', () => {
		fc.assert(
			fc.property(fc.string({unit: 'grapheme', minLength: 1, maxLength: 30}), text => {
				const name = text.replaceAll(/[/"]|^-+/g, '');
				let query: ReturnType<typeof parseQuery>;
				try {
					query = parseQuery(`"${name}"`);
				} catch {
					return;
				}
				expect(matchesQuery(query, {path: `share/${name}`, size: 1})).toBe(true);
			}),
		);
	});

	test.each([
		['beat abb', 'music/The Beatles/Abbey Road/01.flac', true],
		['eatles', 'music/The Beatles.txt', true],
		['ea', 'music/The Beatles.txt', false],
		['"abbey road"', 'The-Abbey_Road.txt', true],
		['"abbey ro"', 'Abbey Road.txt', false],
		['road -live', 'Abbey Road live.txt', false],
		['road -li', 'Abbey Road live.txt', true],
		['kind:audio', 'x.opus', true],
		['kind:other', 'Makefile', true],
		['ext:gz', 'a.tar.gz', true],
		['ext:bashrc', '.bashrc', false],
		['name:1.txt', 's/1.txt', true],
		['name:1.txt', 's/11.txt', false],
		['ยาไทย', 'ภาษาไทย.txt', false],
		['ษาไทย', 'ภาษาไทย.txt', true],
	])('%j and %j: %s', (query, path, expected) => {
		expect(matches(query, path)).toBe(expected);
	});

	test('is better the more of the name was typed', () => {
		const rank = (path: string) => matchRank(parseQuery('night'), {path, size: 1});
		const ordered = ['s/night.txt', 's/good night.txt', 'night/x.txt', 's/nights.txt', 'nights/x.txt', 's/tonight.txt'];
		expect(ordered.map(rank)).toEqual([0, 2, 3, 4, 5, 6]);
		expect(rank('s/day.txt')).toBeUndefined();
	});
});

test.each([
	['a.FLAC', 'audio'],
	['b.mkv', 'video'],
	['s.c/photo.jpeg', 'image'],
	['letter.pdf', 'document'],
	['x.tar.zst', 'archive'],
	['main.rs', 'code'],
	['no ending', 'other'],
	['.hidden', 'other'],
])('%s is %s', (name, kind) => {
	expect(kindOf(name)).toBe(kind);
});
