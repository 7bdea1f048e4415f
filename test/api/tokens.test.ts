import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {fold, tokenize, tokenSet} from '../../source/api/tokens.ts';

const words = (text: string) => tokenize(text).sequence;

describe('words', () => {
	test.each([
		['testing_files/1.txt', ['testing', 'files', '1', 'txt']],
		['HTTPServer2Go', ['http', 'server', '2', 'go']],
		['Café Ñandú', ['cafe', 'nandu']],
		['Cafe\u0301', ['cafe']],
		['Straße Øre Łódź Ærø İzmir', ['strasse', 'ore', 'lodz', 'aero', 'izmir']],
		['Ёлка ЎЗБЕК', ['елка', 'узбек']],
		['ΟΔΟΣ οδός', ['οδοσ', 'οδοσ']],
		['שָׁלוֹם مُحَمَّد', ['שלום', 'محمد']],
		['हिन्दी', ['हिन्दी']],
		['ﬁle Ⅷ ①', ['file', 'viii', '1']],
		['🎉party', ['🎉', 'party']],
		['...---...', []],
		['', []],
	])('of %j', (text, expected) => {
		expect(words(text)).toEqual(expected);
	});

	test('of scripts without spaces are pairs of letters', () => {
		expect(tokenize('富士山')).toEqual({sequence: ['富士', '士山'], extra: ['山']});
		expect(tokenize('山')).toEqual({sequence: ['山'], extra: []});
		expect(words('ガギグ')).toEqual(['ガギ', 'ギグ']);
		expect(words('한국어')).toEqual(['한국', '국어']);
		expect(words('𠀀𠀁𠀂')).toEqual(['𠀀𠀁', '𠀁𠀂']);
		expect(words('東京Tower2')).toEqual(['東京', 'tower', '2']);
	});

	test('that were split are found whole as well', () => {
		expect([...tokenSet('myFile2')]).toEqual(['my', 'file', '2', 'myfile2']);
		expect([...tokenSet('plain')]).toEqual(['plain']);
	});

	test('do not depend on case, composition or width', () => {
		fc.assert(
			fc.property(fc.string({unit: 'grapheme'}), text => {
				expect(fold(fold(text))).toBe(fold(text));
				expect(words(text.normalize('NFD'))).toEqual(words(text.normalize('NFC')));
			}),
		);
		expect(words('ＦＵＬＬ')).toEqual(words('FULL'));
	});

	test('are the same whether letters are rewritten one by one or together', () => {
		// The ligature at the end makes a text one that is rewritten as a whole.
		const unit = fc.oneof(
			fc.integer({min: 0x80, max: 0x6ff}),
			fc.integer({min: 0x300, max: 0x36f}),
			fc.integer({min: 0x1100, max: 0x11ff}),
			fc.integer({min: 0x2000, max: 0x33ff}),
			fc.integer({min: 0x4e00, max: 0x4eff}),
			fc.integer({min: 0xac00, max: 0xd7ff}),
			fc.constantFrom(0x20, 0x41, 0x61, 0x03a3),
		);
		fc.assert(
			fc.property(fc.array(unit, {minLength: 1, maxLength: 8}), units => {
				const text = String.fromCharCode(...units);
				expect(fold(`${text} ﬁ`)).toBe(`${fold(text)} fi`);
				expect(tokenize(`${text} ﬁ`).sequence).toEqual([...tokenize(text).sequence, 'fi']);
			}),
			{numRuns: 2000},
		);
	});

	test('hold nothing that a query could mean, and are not endless', () => {
		fc.assert(
			fc.property(fc.string({unit: 'binary'}), text => {
				for (const token of tokenSet(text)) {
					expect(token).not.toMatch(/[\s"*()^:+-]/);
					expect(token.length).toBeGreaterThan(0);
				}
			}),
		);
		expect(words('x'.repeat(1000))[0]).toHaveLength(64);
	});
});
