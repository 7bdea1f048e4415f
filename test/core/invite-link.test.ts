import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {plainBase32, toBase32} from '../../source/core/base32.ts';
import {P2pError} from '../../source/core/errors.ts';
import {fingerprintOf, formatInvite, looksLikeInvite, parseInvite} from '../../source/core/invite-link.ts';

const base32 = (length: number) => fc.uint8Array({minLength: 20, maxLength: 20}).map(bytes => toBase32(bytes, length));
const invites = fc.record({
	host: fc.constantFrom('192.168.100.200', 'attic.example.org', 'fe80::1', '127.0.0.1'),
	port: fc.integer({min: 1, max: 65_535}),
	fingerprint: base32(26),
	code: base32(25),
});

describe('invite links', () => {
	test('come back as they were, also in capitals, with blanks and dashes', () => {
		fc.assert(
			fc.property(invites, invite => {
				const link = formatInvite(invite);
				expect(looksLikeInvite(link)).toBe(true);
				expect(parseInvite(link)).toEqual(invite);
				const [head, fingerprint, code] = [link.slice(0, -55), link.slice(-54, -28), link.slice(-27)];
				const spoken = `  ${head}/${fingerprint.slice(0, 9)} ${fingerprint.slice(9)}/${code.slice(0, 5)}-${code.slice(5)} `;
				expect(parseInvite(spoken.toUpperCase())).toEqual(invite);
			}),
		);
	});

	test('with one wrong character are told as damaged, nearly always', () => {
		let taken = 0;
		let tried = 0;
		fc.assert(
			fc.property(invites, fc.integer({min: 1, max: 53}), base32(1), (invite, at, other) => {
				const link = formatInvite(invite);
				const index = link.length - at;
				if (link[index] === '/' || link[index] === other) return;
				tried++;
				try {
					parseInvite(`${link.slice(0, index)}${other}${link.slice(index + 1)}`);
					taken++;
				} catch (error) {
					expect((error as P2pError).code).toBe('usage');
				}
			}),
			{numRuns: 2000},
		);
		// Ten bits of check: one in 1,024.
		expect(tried).toBeGreaterThan(1500);
		expect(taken).toBeLessThan(20);
	});

	test('anything else is refused as usage, never otherwise', () => {
		fc.assert(
			fc.property(
				fc.oneof(
					fc.string(),
					fc.string().map(text => `p2p://${text}`),
				),
				text => {
					try {
						parseInvite(text);
					} catch (error) {
						expect(error).toBeInstanceOf(P2pError);
						expect((error as P2pError).code).toBe('usage');
					}
				},
			),
		);
	});

	test('the fingerprint depends on every byte of the key', () => {
		expect(fingerprintOf('00'.repeat(32))).toHaveLength(26);
		expect(fingerprintOf('00'.repeat(32))).not.toBe(fingerprintOf(`${'00'.repeat(31)}01`));
	});
});

test('base32 reads letters that look like digits as these', () => {
	expect(toBase32(Uint8Array.of(0xff, 0x00, 0x80), 4)).toBe('zw08');
	expect(plainBase32('O-I l\nZ')).toBe('011z');
	expect(plainBase32('u')).toBeUndefined();
});
