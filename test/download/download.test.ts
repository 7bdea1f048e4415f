// The ordinary ways of a download, from real file servers over real TLS.
import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, readdir, readFile, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import type {DownloadSource} from '../../source/download/types.ts';
import {contentOf, downloader, piece, wireSource} from '../helpers/download.ts';
import {uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** A real peer that shares one file. */
async function realSource(bytes: Buffer, name = 'alice', number = 1) {
	const {identity, catalog, port, server, events} = await uploadServer({name});
	const {content, size} = await catalog.write('file.bin', bytes);
	const source: DownloadSource = {peer: identity.id, number, name, host: '127.0.0.1', port};
	return {source, content, size, server, events};
}

describe('from one peer', () => {
	test.each([
		['nothing', 0],
		['one byte', 1],
		['a byte less than a block', 16 * 1024 - 1],
		['a piece less one', piece - 1],
		['exactly a piece', piece],
		['a piece and one', piece + 1],
		['exactly five pieces', 5 * piece],
		['some megabytes and a bit', 7 * 1024 * 1024 + 12_345],
	])('%s', async (_, size) => {
		const bytes = randomBytes(size);
		const {source, content} = await realSource(bytes);
		const {manager, folder, partFolder, seen} = await downloader();
		const {key, existed} = await manager.add({content, name: '1.txt', size, sources: [source]});
		expect(existed).toBe(false);
		const result = await manager.finished(key);
		const file = path.join(folder, 'downloaded_1.txt');
		expect(result).toEqual({path: file, alreadyThere: false, sources: size ? [source.peer] : [], dropped: []});
		expect((await readFile(file)).equals(bytes)).toBe(true);
		expect(existsSync(partFolder)).toBe(false);
		expect(seen('download-started')).toHaveLength(1);
		expect(seen('download-progress').at(-1)).toMatchObject({content, done: size, size});
		expect(seen('download-finished')).toMatchObject([{content, path: file, done: size, alreadyThere: false}]);
		expect(manager.list()).toMatchObject([{key, state: 'done', done: size, path: file}]);
	});

	test('a second download of the same content fetches nothing', async () => {
		const bytes = randomBytes(2 * piece);
		const source = await wireSource(bytes);
		const {manager, seen} = await downloader();
		const request = {content: source.content, name: '1.txt', size: source.size, sources: [source.source]};
		const first = await manager.add(request);
		await manager.finished(first.key);
		const asked = source.calls.length;
		const again = await manager.add(request);
		expect(again).toEqual({key: first.key, existed: true});
		expect(await manager.finished(again.key)).toMatchObject({alreadyThere: true, sources: []});
		expect(source.calls).toHaveLength(asked);
		expect(seen('download-finished').at(-1)).toMatchObject({alreadyThere: true, done: bytes.length});
	});

	test('a file that lies there already is known by its content, whoever put it there', async () => {
		const bytes = randomBytes(3 * piece + 5);
		const {manager, folder, partFolder} = await downloader();
		await mkdir(folder, {recursive: true});
		await writeFile(path.join(folder, 'downloaded_a.txt'), 'something else');
		await writeFile(path.join(folder, 'downloaded_a (2).txt'), bytes);
		const {content, size} = contentOf(bytes);
		const {key} = await manager.add({content, name: 'a.txt', size});
		const result = await manager.finished(key);
		expect(result).toMatchObject({path: path.join(folder, 'downloaded_a (2).txt'), alreadyThere: true});
		expect(existsSync(partFolder)).toBe(false);
	});

	test('a name that is taken by other content gets a number, and nothing is overwritten', async () => {
		const bytes = randomBytes(100);
		const {source, content, size} = await realSource(bytes);
		const {manager, folder} = await downloader();
		await mkdir(path.join(folder, 'downloaded_a (2).txt'), {recursive: true});
		const other = randomBytes(100);
		await writeFile(path.join(folder, 'downloaded_a.txt'), other);
		const {key} = await manager.add({content, name: 'a.txt', size, sources: [source]});
		expect((await manager.finished(key)).path).toBe(path.join(folder, 'downloaded_a (3).txt'));
		expect((await readFile(path.join(folder, 'downloaded_a.txt'))).equals(other)).toBe(true);
		expect((await readFile(path.join(folder, 'downloaded_a (3).txt'))).equals(bytes)).toBe(true);
	});

	test('names from the network stay inside the folder', async () => {
		const {manager, folder} = await downloader({prefix: ''});
		for (const name of [
			'../../up.txt',
			'/etc/passwd',
			'C:\\windows\\x.txt',
			'..',
			'a\u202Etxt.exe',
			'bell\u0007.txt',
		]) {
			const bytes = randomBytes(50);
			const source = await wireSource(bytes);
			const {key} = await manager.add({content: source.content, name, size: 50, sources: [source.source]});
			expect(path.dirname((await manager.finished(key)).path)).toBe(folder);
		}
		expect((await readdir(folder)).sort()).toEqual(['_', 'a_txt.exe', 'bell_.txt', 'passwd', 'up.txt', 'x.txt']);
	});
});

describe('from several peers', () => {
	test('two sources share the work', async () => {
		const bytes = randomBytes(64 * piece);
		// Slow enough that one of them cannot have it all before the other has connected.
		const behave = (call: {answer(): void}) => void setTimeout(() => call.answer(), 30);
		const [one, two] = [await wireSource(bytes, behave), await wireSource(bytes, behave)];
		const {manager} = await downloader();
		const sources = [one.source, two.source];
		const {key} = await manager.add({content: one.content, name: 'x', size: bytes.length, sources});
		const result = await manager.finished(key);
		expect(result.sources.toSorted()).toEqual([one.source.peer, two.source.peer].toSorted());
		expect((await readFile(result.path)).equals(bytes)).toBe(true);
		expect(one.calls.length).toBeGreaterThan(0);
		expect(two.calls.length).toBeGreaterThan(0);
	});

	test('the map of a finished download says which piece came from whom', async () => {
		const bytes = randomBytes(24 * piece);
		const steady = (call: {answer(): void}) => void setTimeout(() => call.answer(), 30);
		const [one, two] = await Promise.all([wireSource(bytes, steady), wireSource(bytes, steady)]);
		const {manager} = await downloader();
		const sources = [one.source, {...two.source, name: 'bob'}];
		const {key} = await manager.add({content: one.content, name: 'x', size: bytes.length, sources});
		await manager.finished(key);
		const {map, sources: shares} = manager.details(key);
		expect([...new Set(map)].sort()).toEqual([1, 2]);
		for (const [i, {bytes: given}] of shares.entries())
			expect(map.filter(from => from === i + 1).length * piece).toBe(given);
	});

	test('"from" keeps to the peers that it names: by number, nickname, or start of the ID', async () => {
		for (const how of ['number', 'name', 'id'] as const) {
			const bytes = randomBytes(2 * piece);
			const alice = await realSource(bytes, 'alice', 3);
			const bob = await wireSource(bytes, undefined, {name: 'bob'});
			const wanted = {number: '3', name: 'Alice', id: alice.source.peer.slice(0, 12)}[how];
			const {manager} = await downloader();
			const sources = [bob.source, alice.source];
			const request = {content: alice.content, name: 'x', size: bytes.length, sources, from: [wanted]};
			const {key} = await manager.add(request);
			expect((await manager.finished(key)).sources).toEqual([alice.source.peer]);
			expect(bob.connections()).toBe(0);
		}
	});

	test('"from" somebody who has it not', async () => {
		const bob = await wireSource(randomBytes(10), undefined, {name: 'bob'});
		const {manager} = await downloader({findSources: async () => [bob.source]});
		const {key} = await manager.add({content: bob.content, name: 'x', size: 10, from: ['carol']});
		await expect(manager.finished(key)).rejects.toMatchObject({code: 'no-source', exitCode: 4});
	});
});

describe('the queue', () => {
	test('waits for a source and goes on by itself when one comes', async () => {
		const bytes = randomBytes(3 * piece);
		const alice = await realSource(bytes);
		let online: DownloadSource[] = [];
		const {manager} = await downloader({once: false, findSources: async () => online});
		const {key} = await manager.add({content: alice.content, name: 'x', size: bytes.length});
		await waitFor('waiting', () => manager.list()[0]?.state === 'waiting');
		expect(manager.list()[0]?.message).toMatch(/waiting for a source/);
		online = [alice.source];
		manager.sourcesChanged();
		expect((await manager.finished(key)).sources).toEqual([alice.source.peer]);
	});

	test('a waiting download leaves its turn to others', async () => {
		const alice = await realSource(randomBytes(10));
		const {manager} = await downloader({once: false, running: 1});
		const {content} = contentOf(randomBytes(20));
		await manager.add({content, name: 'nobody has it', size: 20});
		const {key} = await manager.add({content: alice.content, name: 'x', size: 10, sources: [alice.source]});
		await manager.finished(key);
		expect(manager.list().map(row => row.state)).toEqual(['waiting', 'done']);
	});

	test('runs only so many at once, in an order that can be changed, which a restart keeps', async () => {
		const {manager, settings} = await downloader({once: false, running: 1});
		const held = await wireSource(randomBytes(10), () => undefined);
		const keys = [];
		for (const size of [10, 11, 12, 13]) {
			const {content} = size === 10 ? held : contentOf(Buffer.alloc(size, 1));
			const sources = size === 10 ? [held.source] : [];
			keys.push((await manager.add({content, name: `${size}`, size, sources})).key);
		}
		await waitFor('the first to run', () => held.calls.length === 1);
		const names = () => manager.list().map(row => row.name);
		expect(manager.list().map(row => row.state)).toEqual(['running', 'queued', 'queued', 'queued']);
		manager.reorder(keys[3]!, -1);
		expect(names()).toEqual(['10', '11', '13', '12']);
		manager.reorder(keys[1]!, 5);
		expect(names()).toEqual(['10', '13', '12', '11']);
		await manager.stop();
		const again = await downloader({...settings, running: 1});
		expect(again.manager.list().map(row => row.name)).toEqual(['10', '13', '12', '11']);
		expect(again.manager.list().map(row => row.key)).toEqual([keys[0], keys[3], keys[2], keys[1]]);
	});

	test('pause, resume: nothing that was verified is asked for again', async () => {
		const bytes = randomBytes(40 * piece);
		const gate = Promise.withResolvers<void>();
		const source = await wireSource(bytes, call => {
			if (call.first < 8 * piece) return call.answer();
			return void gate.promise.then(() => call.answer());
		});
		const {manager, partFolder} = await downloader({once: false});
		const request = {content: source.content, name: 'x', size: bytes.length, sources: [source.source]};
		const {key} = await manager.add(request);
		await waitFor('some pieces', () => (manager.list()[0]?.done ?? 0) >= 8 * piece);
		await manager.pause(key);
		const {done} = manager.list()[0]!;
		expect(manager.list()).toMatchObject([{state: 'paused', speed: 0, peers: []}]);
		expect(await readdir(partFolder)).toEqual([`${source.content}.part`]);
		const before = await source.hungUp();
		gate.resolve();
		await manager.resume(key);
		const {path: file} = await manager.finished(key);
		expect((await readFile(file)).equals(bytes)).toBe(true);
		expect(source.asked(before)).toBe(bytes.length - done);
		expect(source.layers()).toBe(1);
	});

	test('cancel leaves nothing behind and ends the wait for it', async () => {
		const bytes = randomBytes(8 * piece);
		const source = await wireSource(bytes, call => {
			if (call.first === 0) call.answer();
		});
		const {manager, folder} = await downloader({once: false});
		const request = {content: source.content, name: 'x', size: bytes.length, sources: [source.source]};
		const {key} = await manager.add(request);
		const finished = expect(manager.finished(key)).rejects.toMatchObject({code: 'cancelled'});
		await waitFor('a piece', () => (manager.list()[0]?.done ?? 0) > 0);
		await manager.cancel(key);
		await finished;
		expect(manager.list()).toEqual([]);
		expect(await readdir(folder)).toEqual([]);
		await expect(manager.pause(key)).rejects.toMatchObject({code: 'not-found'});
	});

	test('two at once into one folder: the second is told that the content is in use', async () => {
		const bytes = randomBytes(4 * piece);
		const source = await wireSource(bytes, () => undefined);
		const first = await downloader();
		const request = {content: source.content, name: 'x', size: bytes.length, sources: [source.source]};
		await first.manager.add(request);
		await waitFor('the first to fetch', () => source.calls.length > 0);
		const second = await downloader({folder: first.folder});
		const {key} = await second.manager.add(request);
		await expect(second.manager.finished(key)).rejects.toMatchObject({code: 'in-use'});
		expect(await readdir(first.partFolder)).toContain(`${source.content}.part`);
	});

	test('a limit holds, and can be changed while it runs', async () => {
		const bytes = randomBytes(8 * piece);
		const {source, content} = await realSource(bytes);
		const {manager} = await downloader({limit: 1024 * 1024});
		const started = performance.now();
		const {key} = await manager.add({content, name: 'x', size: bytes.length, sources: [source]});
		await waitFor('a megabyte', () => (manager.list()[0]?.done ?? 0) >= 4 * piece);
		// What may come in one burst, and what lies in the sockets' buffers, is not slowed down.
		expect(performance.now() - started).toBeGreaterThan(400);
		manager.setLimit(undefined);
		expect((await readFile((await manager.finished(key)).path)).equals(bytes)).toBe(true);
	});

	test('files are sparse until they are full', async () => {
		const bytes = randomBytes(64 * piece);
		const source = await wireSource(bytes, call => {
			if (call.first === 0) call.answer();
		});
		const {manager, partFolder} = await downloader();
		const request = {content: source.content, name: 'x', size: bytes.length, sources: [source.source]};
		await manager.add(request);
		await waitFor('a piece', () => (manager.list()[0]?.done ?? 0) > 0);
		const part = await stat(path.join(partFolder, `${source.content}.part`));
		expect(part.size).toBe(bytes.length);
		expect(part.blocks * 512).toBeLessThan(bytes.length);
	});
});

test('what cannot be downloaded is said at once', async () => {
	const {manager} = await downloader();
	await expect(manager.add({content: 'xyz', name: 'x', size: 1})).rejects.toMatchObject({code: 'usage'});
	await expect(manager.add({content: 'a'.repeat(64), name: 'x', size: -1})).rejects.toMatchObject({code: 'usage'});
	await expect(manager.finished('d99')).rejects.toMatchObject({code: 'not-found'});
});
