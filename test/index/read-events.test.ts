import {describe, expect, test} from 'vitest';
import {readEvents, type SentEvent} from '../../source/index/client/read-events.ts';

async function read(text: string, chunk: number): Promise<SentEvent[]> {
	const bytes = Buffer.from(text);
	const events: SentEvent[] = [];
	const body = (async function* () {
		for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
	})();
	for await (const event of readEvents(body)) events.push(event);
	return events;
}

describe('readEvents', () => {
	test.each([1, 3, 512, 100_000])('reads the same events from pieces of %d bytes', async chunk => {
		const long = 'ü'.repeat(20_000);
		const text = `: hello\n\nevent: counts\ndata: {"a":1}\r\n\r\ndata: one\ndata:two\n\nevent:x\n\nevent: big\ndata: ${long}\n\n`;
		expect(await read(text, chunk)).toEqual([
			{event: 'counts', data: '{"a":1}'},
			{event: 'message', data: 'one\ntwo'},
			{event: 'big', data: long},
		]);
	});

	test('an event without end is refused, in one line or in many', async () => {
		await expect(read(`data: ${'x'.repeat(70_000)}`, 512)).rejects.toMatchObject({code: 'too-large'});
		await expect(read('data: x\n'.repeat(10_000), 512)).rejects.toMatchObject({code: 'too-large'});
	});
});
