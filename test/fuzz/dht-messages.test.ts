// Whatever comes in a packet: a message is read or refused, and nothing else happens.
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {BadBytes} from '../../source/dht/bytes.ts';
import {isSendersFault, Keeper} from '../../source/dht/keeper.ts';
import {
	type GetRequest,
	messageBytes,
	readAnswer,
	readGet,
	readPut,
	readPutAnswer,
	writeGet,
} from '../../source/dht/messages.ts';
import {NetworkKey} from '../../source/dht/network-key.ts';
import {PostingStore} from '../../source/dht/posting-store.ts';

const bytes = fc.uint8Array({maxLength: 1400}).map(array => Buffer.from(array));
const runs = {numRuns: 2000};

describe('messages of the table', () => {
	test.each([
		['put', readPut],
		['answer to put', readPutAnswer],
		['get', readGet],
		['answer to get', readAnswer],
	] as const)('%s', (_, read) => {
		fc.assert(
			fc.property(bytes, message => {
				try {
					read(message);
				} catch (error) {
					expect(error).toBeInstanceOf(BadBytes);
				}
			}),
			runs,
		);
	});

	test('a sealed envelope that is none is not opened', () => {
		const key = new NetworkKey('n', Buffer.alloc(32, 7));
		fc.assert(
			fc.property(bytes, message => {
				expect(key.open(message)).toBeUndefined();
			}),
			runs,
		);
	});

	test('questions come back as they were asked, and any question is answered in one packet', () => {
		const store = new PostingStore(':memory:');
		const keeper = new Keeper(store, new NetworkKey('n').tag);
		const hex = fc.uint8Array({minLength: 32, maxLength: 32}).map(array => Buffer.from(array).toString('hex'));
		const text = fc.string({unit: 'grapheme', maxLength: 100});
		const cursor = fc.record({first: fc.nat(2 ** 31 - 1), second: fc.maxSafeNat()});
		const request = fc.oneof(
			fc.record({
				kind: fc.constant('word' as const),
				word: text,
				part: fc.constantFrom('', 'a'),
				prefix: fc.boolean(),
				query: text,
				cursor,
			}),
			fc.record({kind: fc.constant('scan' as const), query: text, cursor}),
			fc.record({kind: fc.constant('content' as const), content: hex, cursor}),
			fc.record({kind: fc.constant('peer' as const), peer: hex}),
			fc.record({kind: fc.constant('peers' as const), cursor}),
		);
		fc.assert(
			fc.property(request, (asked: GetRequest) => {
				expect(readGet(writeGet(asked))).toEqual(asked);
				try {
					expect(keeper.answer(asked).length).toBeLessThanOrEqual(messageBytes);
				} catch (error) {
					expect(isSendersFault(error)).toBe(true);
				}
			}),
			runs,
		);
		store.close();
	});
});
