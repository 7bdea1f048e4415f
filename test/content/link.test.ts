import fc from 'fast-check';
import {expect, test} from 'vitest';
import {formatLink, looksLikeLink, parseLink} from '../../source/content/link.ts';

const content = fc.uint8Array({minLength: 32, maxLength: 32}).map(bytes => Buffer.from(bytes).toString('hex'));
const text = fc.oneof(fc.string({unit: 'binary'}), fc.string({unit: 'grapheme'}), fc.constant('a + b & c=d?#%41'));

test('a link says what was put into it', () => {
	fc.assert(
		fc.property(
			fc.record({content, servers: fc.array(text, {maxLength: 3})}),
			fc.record({name: text, size: fc.maxSafeInteger().filter(n => n >= 0)}, {requiredKeys: []}),
			(required, optional) => {
				const link = formatLink({...required, ...optional});
				expect(link).toMatch(/^magnet:\?xt=urn:btmr:[0-9a-f]{64}[\x21-\x7e]*$/);
				expect(looksLikeLink(link)).toBe(true);
				expect(parseLink(link)).toEqual({name: undefined, size: undefined, ...required, ...optional});
			},
		),
	);
});

test('a name that is no valid Unicode still makes a link', () => {
	expect(parseLink(formatLink({content: 'ab'.repeat(32), name: 'a\ud800b', servers: []})).name).toBe('a\ufffdb');
});

test('links as others write them', () => {
	const root = 'AB'.repeat(32);
	expect(
		parseLink(`MAGNET:?dn=a+b&xt=urn:btih:${'0'.repeat(40)}&xt=URN:BTMR:${root}&tr=one:1&tr=two:2&unknown=x`),
	).toEqual({
		content: root.toLowerCase(),
		name: 'a b',
		size: undefined,
		servers: ['one:1', 'two:2'],
	});
});

test.each([
	['', 'does not start with magnet:'],
	['http://x', 'does not start with magnet:'],
	['magnet:', 'it has no xt'],
	[`magnet:?xt=urn:btmr:${'a'.repeat(63)}`, 'it has no xt'],
	[`magnet:?xt=urn:btmr:${'g'.repeat(64)}`, 'it has no xt'],
	[`magnet:?xt=urn:btmh:1220${'a'.repeat(64)}`, 'it names a whole torrent'],
	...['-1', '1.5', '1e3', '0x10', '', ' 7', '9007199254740993', 'NaN'].map(xl => [
		`magnet:?xt=urn:btmr:${'a'.repeat(64)}&xl=${xl}`,
		'is no size',
	]),
])('%j is refused', (link, why) => {
	expect(() => parseLink(link)).toThrow(
		expect.objectContaining({code: 'usage', message: expect.stringContaining(why)}),
	);
});

test('any text gives a link or a usage error', () => {
	fc.assert(
		fc.property(fc.string({unit: 'binary'}), tail => {
			try {
				expect(parseLink(`magnet:?${tail}`).content).toMatch(/^[0-9a-f]{64}$/);
			} catch (error) {
				expect(error).toMatchObject({code: 'usage'});
			}
		}),
	);
});
