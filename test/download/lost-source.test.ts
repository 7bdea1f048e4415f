// The last source goes away midway: why is said truly, and one that only restarts, or moves, does not end the download.
import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {expect, test} from 'vitest';
import {type Call, contentOf, downloader, piece, wireSource} from '../helpers/download.ts';
import {waitFor} from '../helpers/wait-for.ts';

const size = 40 * piece;
const file = randomBytes(size);
const {content} = contentOf(file);

function refuse({socket}: Call, status: number, code: string, message: string): void {
	const body = JSON.stringify({code, message});
	socket.write(`HTTP/1.1 ${status} No\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

test.each([
	[409, 'changed', 'x.bin has changed since it was shared'],
	[404, 'not-found', 'No such content is shared here'],
])('a file that is replaced while it is served (%i): said so, though other connections break later', async (...no) => {
	const held: Call[] = [];
	let changed = false;
	const source = await wireSource(file, call => {
		if (changed) {
			refuse(call, ...no);
			// Those under way are broken off when the next bytes are due.
			return void setTimeout(() => held.splice(0).map(({socket}) => socket.destroy()), 200);
		}
		if (call.index < 2) return call.answer();
		held.push(call);
		call.socket.write(call.head());
		call.socket.write(call.bytes.subarray(0, 1000));
	});
	const {manager, seen} = await downloader();
	const {key} = await manager.add({content, name: 'x.bin', size, sources: [source.source]});
	await waitFor('all connections to be at work', () => held.length >= 4);
	changed = true;
	held.shift()!.socket.destroy();
	await expect(manager.finished(key)).rejects.toMatchObject({code: 'source-lost', exitCode: 4});
	expect(seen('download-failed')).toMatchObject([{message: expect.stringContaining(no[2])}]);
});

test('the same before the first byte: nobody has it', async () => {
	const source = await wireSource(file, call => refuse(call, 409, 'changed', 'x.bin has changed'));
	const {manager} = await downloader();
	const {key} = await manager.add({content, name: 'x.bin', size, sources: [source.source]});
	await expect(manager.finished(key)).rejects.toMatchObject({
		code: 'no-source',
		message: expect.stringContaining('x.bin has changed'),
	});
});

test('a peer that restarts at another port is found there, also by a one-shot download', async () => {
	const later = await wireSource(file);
	let gone = false;
	const first = await wireSource(file, call => {
		if (call.first < 6 * piece) return call.answer();
		gone = true;
		return void first.close();
	});
	const {manager} = await downloader({
		findSources: async () => (gone ? [{...later.source, name: 'restarted'}] : []),
	});
	const {key} = await manager.add({content, name: 'x.bin', size, sources: [first.source]});
	const result = await manager.finished(key);
	expect((await readFile(result.path)).equals(file)).toBe(true);
	expect(later.asked()).toBeLessThanOrEqual(size - piece);
});
