// A source that was removed from a private network while a download from it runs.
import {expect, test} from 'vitest';
import {downloader, piece, wireSource} from '../helpers/download.ts';
import {someBytes} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

test('what a removed source is sending is ended, it is asked no more, and another goes on', async () => {
	const file = someBytes(8 * piece);
	const sockets = new Set<unknown>();
	const removed = await wireSource(file, ({socket, head, bytes}) => {
		sockets.add(socket);
		socket.write(head());
		// A byte now and then: alive, and never done.
		let at = 0;
		const trickle = setInterval(() => socket.write(bytes.subarray(at, ++at)), 50);
		socket.once('close', () => {
			clearInterval(trickle);
			sockets.delete(socket);
		});
	});
	const other = await wireSource(file, undefined, {name: 'bob'});
	const barred = new Set<string>();
	const found = [removed.source];
	const {manager} = await downloader({once: false, barred: peer => barred.has(peer), findSources: async () => found});
	const {content, size} = removed;
	const {key} = await manager.add({content, size, name: 'a.bin', sources: [removed.source]});
	await waitFor('bytes from it', () => sockets.size > 0 && manager.received() > 0);
	barred.add(removed.source.peer);
	await waitFor('its connections to end', () => sockets.size === 0);
	await waitFor('the wait for another', () => manager.list()[0]?.state === 'waiting');
	// What was asked just before may have come to it meanwhile.
	const before = removed.calls.length;
	expect(manager.list()[0]?.message).toMatch(/mallory: was removed from the private network/);
	found.push(other.source);
	manager.sourcesChanged();
	const {sources} = await manager.finished(key);
	expect(sources).toEqual([other.source.peer]);
	expect(removed.calls.length).toBe(before);
});
