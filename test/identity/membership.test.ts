import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {isSigned, readMembership, signMembership} from '../../source/identity/membership.ts';

describe('a membership', () => {
	test('says what was signed, and any changed bit shows', async () => {
		const [server, peer, other] = await Promise.all([temporaryIdentity(), temporaryIdentity(), temporaryIdentity()]);
		const membership = {server: server.id, peer: peer.id, issued: 1_780_000_000_000, expires: 1_780_003_600_000};
		const text = signMembership(membership, server.privateKey);
		expect(readMembership(text)).toEqual(membership);
		expect(isSigned(text)).toBe(true);
		// Somebody else's signature, under the server's name.
		expect(isSigned(signMembership(membership, other.privateKey))).toBe(false);
		const bytes = Buffer.from(text, 'base64url');
		fc.assert(
			fc.property(fc.integer({min: 0, max: bytes.length * 8 - 1}), bit => {
				const changed = Buffer.from(bytes);
				changed[bit >> 3]! ^= 1 << (bit & 7);
				const again = changed.toString('base64url');
				expect(readMembership(again) !== undefined && isSigned(again)).toBe(false);
			}),
			{numRuns: 300},
		);
	});

	test('is not read out of anything else', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.string({minLength: 190, maxLength: 200})), text => {
				expect(readMembership(text)).toBeUndefined();
			}),
		);
	});
});
