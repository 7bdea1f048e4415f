// What the queue promises over restarts, and how many run at once.
import {randomBytes} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import {expect, test} from 'vitest';
import type {DownloadSource} from '../../source/download/types.ts';
import {contentOf, downloader, piece, wireSource} from '../helpers/download.ts';
import {waitFor} from '../helpers/wait-for.ts';

const size = 12 * piece;
const bytes = randomBytes(size);
const {content} = contentOf(bytes);

test('paused stays paused over a restart, and goes on from where it was when it is resumed', async () => {
	const gate = Promise.withResolvers<void>();
	const source = await wireSource(bytes, call => {
		if (call.first < 4 * piece) return call.answer();
		return void gate.promise.then(() => call.answer());
	});
	const first = await downloader({once: false});
	const {key} = await first.manager.add({content, name: 'x', size, sources: [source.source]});
	await waitFor('some pieces', () => (first.manager.list()[0]?.done ?? 0) >= 4 * piece);
	await first.manager.pause(key);
	const {done} = first.manager.list()[0]!;
	await first.manager.stop();
	const before = await source.hungUp();
	gate.resolve();
	const second = await downloader(first.settings);
	expect(second.manager.list()).toMatchObject([{key, state: 'paused', done}]);
	second.manager.sourcesChanged();
	await second.manager.retry(key);
	expect(second.manager.counts()).toMatchObject({paused: 1, running: 0});
	await second.manager.resume(key);
	expect((await readFile((await second.manager.finished(key)).path)).equals(bytes)).toBe(true);
	expect(source.asked(before)).toBe(size - done);
});

test('whoever resumes before the pause is over goes on all the same, and so does whoever asks anew for what is being cancelled', async () => {
	const source = await wireSource(bytes, call => {
		if (call.first < 4 * piece) call.answer();
	});
	const {manager} = await downloader({once: false});
	let {key} = await manager.add({content, name: 'x', size, sources: [source.source]});
	for (let round = 0; round < 10; round++) {
		await waitFor('some pieces', () => (manager.list()[0]?.done ?? 0) >= 4 * piece);
		// Neither waits for the other: its file is being closed, or its attempt still ends, while the next one begins.
		const ending = round % 2 === 0 ? manager.pause(key) : manager.cancel(key);
		if (round % 4 === 2) await Promise.resolve();
		if (round % 2 === 0) await manager.resume(key);
		else ({key} = await manager.add({content, name: 'x', size, sources: [source.source]}));
		await ending;
		expect(manager.list()).toMatchObject([{key, state: 'running'}]);
	}
	const honest = await wireSource(bytes);
	await manager.add({content, name: 'x', size, sources: [honest.source]});
	expect((await readFile((await manager.finished(key)).path)).equals(bytes)).toBe(true);
	expect(manager.list()).toMatchObject([{key, state: 'done'}]);
});

test('failed stays failed over a restart, with its reason, until it is retried', async () => {
	const liar = await wireSource(bytes, ({socket, head, bytes: right}) => {
		socket.write(head());
		socket.write(Buffer.from(right).fill(1, 0, 100));
	});
	const first = await downloader({once: false});
	const {key} = await first.manager.add({content, name: 'x', size, sources: [liar.source]});
	await expect(first.manager.finished(key)).rejects.toMatchObject({code: 'corrupt'});
	await first.manager.stop();
	const honest = await wireSource(bytes);
	const second = await downloader({...first.settings, findSources: async () => [honest.source]});
	expect(second.manager.list()).toMatchObject([
		{key, state: 'failed', code: 'corrupt', message: expect.stringContaining('wrong bytes')},
	]);
	await expect(second.manager.finished(key)).rejects.toMatchObject({code: 'corrupt'});
	await second.manager.retry(key);
	expect((await readFile((await second.manager.finished(key)).path)).equals(bytes)).toBe(true);
});

test('cancelled is gone over a restart, with its bytes, also when it never ran', async () => {
	const source = await wireSource(bytes, call => {
		if (call.first === 0) call.answer();
	});
	const first = await downloader({once: false, running: 1});
	const {key} = await first.manager.add({content, name: 'x', size, sources: [source.source]});
	const other = await first.manager.add({...contentOf(Buffer.alloc(9)), name: 'y'});
	await waitFor('a piece', () => (first.manager.list()[0]?.done ?? 0) > 0);
	await first.manager.cancel(key);
	await first.manager.cancel(other.key);
	await first.manager.stop();
	const second = await downloader(first.settings);
	expect(second.manager.list()).toEqual([]);
	expect(await readdir(second.folder)).toEqual([]);
});

test('waiting for a source is gone back to after a restart, asks more and more seldom, and ends when one comes', async () => {
	const asked: number[] = [];
	let online: DownloadSource[] = [];
	const findSources = async () => {
		asked.push(performance.now());
		return online;
	};
	const first = await downloader({once: false, findSources});
	const {key} = await first.manager.add({content, name: 'x', size});
	await waitFor('waiting', () => first.manager.counts().waiting === 1);
	await first.manager.stop();
	const before = asked.length;
	const second = await downloader(first.settings);
	await waitFor('it to ask again by itself, a while later', () => asked.length >= before + 2);
	expect(asked[before + 1]! - asked[before]!).toBeGreaterThan(4000);
	expect(second.manager.list()).toMatchObject([{key, state: 'waiting', message: 'waiting for a source'}]);
	const source = await wireSource(bytes);
	online = [source.source];
	// Whoever does not want to wait for the next time asks at once.
	await second.manager.retry(key);
	expect((await readFile((await second.manager.finished(key)).path)).equals(bytes)).toBe(true);
});

test('as many run at once as is set, also when that changes meanwhile', async () => {
	// By the number of the download, since two that start together may ask in either order.
	const holding = new Map<number, () => void>();
	const contents = Array.from({length: 5}, () => randomBytes(1000));
	const sources = await Promise.all(
		contents.map((each, i) => wireSource(each, call => void holding.set(i, () => call.answer()))),
	);
	const {manager} = await downloader({once: false, running: 2});
	const keys: string[] = [];
	for (const [i, source] of sources.entries())
		keys.push((await manager.add({content: source.content, name: `${i}`, size: 1000, sources: [source.source]})).key);
	await waitFor('two to ask', () => holding.size === 2);
	expect(manager.list().map(row => row.state)).toEqual(['running', 'running', 'queued', 'queued', 'queued']);
	// A place further up is a turn earlier.
	manager.reorder(keys[4]!, -2);
	manager.setRunning(3);
	await waitFor('a third to ask', () => holding.size === 3);
	expect(manager.list().map(row => [row.name, row.state])).toEqual([
		...[
			['0', 'running'],
			['1', 'running'],
			['4', 'running'],
		],
		...[
			['2', 'queued'],
			['3', 'queued'],
		],
	]);
	manager.setRunning(1);
	holding.get(0)!();
	await manager.finished(keys[0]!);
	expect(manager.counts()).toMatchObject({running: 2, queued: 2, done: 1});
	manager.setRunning(100);
	await waitFor('all others to ask', () => holding.size === 5);
	for (const [i, answer] of holding) if (i !== 0) answer();
	await Promise.all(keys.map(key => manager.finished(key)));
});
