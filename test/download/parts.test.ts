// The small parts alone: answer heads, sources, the journal, the rate limit.
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {describe, expect, onTestFinished, test} from 'vitest';
import {parseHead} from '../../source/download/http-response.ts';
import {Journal} from '../../source/download/journal.ts';
import {RateLimit} from '../../source/download/rate-limit.ts';
import {matchesPeer, SourceBook} from '../../source/download/source-book.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

describe('an answer head', () => {
	const parse = (...lines: string[]) => parseHead(lines.join('\r\n'));

	test('of a range', () => {
		expect(
			parse(
				'HTTP/1.1 206 Partial Content',
				'CONTENT-length:  10',
				'Content-Range: bytes 5-14/100',
				'Connection: close',
			),
		).toEqual({
			status: 206,
			length: 10,
			range: {first: 5, last: 14, size: 100},
			retryAfter: undefined,
			timing: {disk: 0, limit: 0},
			keepAlive: false,
		});
	});

	test('with what the sender says held it up', () => {
		const {timing} = parse('HTTP/1.1 200 OK', 'Server-Timing: cache, disk;dur=12.5, limit;desc="x";dur=300');
		expect(timing).toEqual({disk: 12.5, limit: 300});
		expect(parse('HTTP/1.1 200 OK', 'Server-Timing: disk;dur=-1, limit').timing).toEqual({disk: 0, limit: 0});
	});

	test('of a busy peer', () => {
		expect(parse('HTTP/1.1 503 x', 'Retry-After: 7')).toMatchObject({status: 503, retryAfter: 7, keepAlive: true});
		expect(parse('HTTP/1.1 503', 'Retry-After: Fri, 1 Jan 2027 00:00:00 GMT').retryAfter).toBeUndefined();
	});

	test.each([
		['another protocol', ['SSH-2.0-OpenSSH_9']],
		['an older HTTP', ['HTTP/1.0 200 OK']],
		['two lengths', ['HTTP/1.1 200 OK', 'Content-Length: 1', 'Content-Length: 2']],
		['a negative length', ['HTTP/1.1 200 OK', 'Content-Length: -1']],
		['a length past all counting', ['HTTP/1.1 200 OK', 'Content-Length: 9999999999999999']],
		['a header without a name', ['HTTP/1.1 200 OK', ': x']],
	])('with %s is refused', (_, lines) => {
		expect(() => parse(...lines)).toThrow();
	});

	test('chunked has no length, whatever else it says', () => {
		expect(parse('HTTP/1.1 200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked').length).toBeUndefined();
	});
});

describe('sources', () => {
	const source = (name: string, number = 1) => ({peer: name.padEnd(64, '0'), number, name, host: '127.0.0.1', port: 1});

	test('are named by number, nickname, or start of the ID', () => {
		const alice = {peer: `beef${'0'.repeat(60)}`, number: 12, name: 'Alice'};
		for (const wanted of ['12', 'alice', ' ALICE ', 'beef', 'BEEF00', alice.peer])
			expect(matchesPeer(alice, wanted)).toBe(true);
		for (const wanted of ['1', '120', 'al', 'bee', 'beef1', '']) expect(matchesPeer(alice, wanted)).toBe(false);
	});

	test('we are none of our own', () => {
		const book = new SourceBook(source('a').peer, undefined);
		book.merge([source('a'), source('b')], true);
		expect(book.all.map(known => known.source.name)).toEqual(['b']);
	});

	test('back off more and more, are given up, and revived when they are found anew', () => {
		let now = 0;
		const book = new SourceBook('me', undefined, () => now);
		book.merge([source('a')], true);
		const [known] = book.usable();
		const waits = [];
		while (!known!.gone) {
			book.failed(known!, {kind: 'network', message: 'cut'});
			// Its other connections break at the same time: one failure.
			book.failed(known!, {kind: 'network', message: 'cut'});
			if (known!.gone) break;
			expect(book.usable()).toEqual([]);
			waits.push(book.nextRetry()! - now);
			now = book.nextRetry()!;
		}
		expect(waits).toHaveLength(5);
		for (const [i, wait] of waits.entries()) expect(wait / (250 * 2 ** i)).toBeCloseTo(1, 0);
		expect(book.nextRetry()).toBeUndefined();
		book.merge([source('a')], false);
		expect(book.hopeful).toBe(false);
		book.merge([source('a')], true);
		expect(book.usable()).toHaveLength(1);
	});

	test('what else breaks after a source was given up does not hide why', () => {
		const book = new SourceBook('me', undefined);
		book.merge([source('a')], true);
		const [known] = book.usable();
		book.succeeded(known!, 1);
		book.failed(known!, {kind: 'refused', code: 'changed', message: 'it has changed'});
		book.failed(known!, {kind: 'network', message: 'cut'});
		expect(book.verdict('x')).toMatchObject({code: 'source-lost', message: expect.stringContaining('it has changed')});
		// But for wrong bytes.
		expect(book.failed(known!, {kind: 'corrupt', piece: 0})).toBe(true);
		expect(book.verdict('x')).toMatchObject({code: 'corrupt'});
	});

	test('a liar is not revived', () => {
		const book = new SourceBook('me', undefined);
		book.merge([source('a')], true);
		expect(book.failed(book.usable()[0]!, {kind: 'corrupt', piece: 3})).toBe(true);
		book.merge([source('a')], true);
		expect(book.hopeful).toBe(false);
		expect(book.verdict('x')).toMatchObject({code: 'corrupt'});
	});
});

describe('the journal', () => {
	test('keeps what it was told, over a restart', async () => {
		const file = path.join(await tempFolder(), 'd.db');
		const first = new Journal(file);
		const content = 'a'.repeat(64);
		const stored = first.add({content, name: 'x', size: 5, sources: [], from: ['7'], once: false});
		first.setPieces(stored.id, {layer: Buffer.from('layer')});
		first.setPieces(stored.id, {have: Buffer.from('have')});
		first.update(stored.id, {state: 'failed', code: 'disk-full', message: 'full', done: 3});
		first.close();
		const second = new Journal(file);
		expect(second.find(content)).toEqual({...stored, state: 'failed', code: 'disk-full', message: 'full', done: 3});
		const {layer, have, touched} = second.pieces(stored.id);
		expect([Buffer.from(layer!).toString(), Buffer.from(have!).toString(), touched]).toEqual([
			'layer',
			'have',
			undefined,
		]);
		second.finish(stored.id, '/there', 5);
		expect(second.find(content)).toMatchObject({state: 'done', path: '/there', done: 5});
		expect(second.find(content)).not.toHaveProperty('code');
		expect(second.pieces(stored.id)).toEqual({});
		second.remove(stored.id);
		expect(second.page(undefined, 10)).toEqual([]);
		second.close();
	});

	test.each([1, 2])('of version %i moves over as it is, and takes folders from then on', async version => {
		const file = path.join(await tempFolder(), 'd.db');
		const old = new DatabaseSync(file);
		old.exec(await readFile(new URL(`../fixtures/download/journal-${version}.sql`, import.meta.url), 'utf8'));
		old.close();
		const content = 'ab'.repeat(32);
		const journal = new Journal(file);
		onTestFinished(() => journal.close());
		expect(journal.page(undefined, 10)).toMatchObject([
			{id: 3, content, name: 'one.bin', size: 700_000, state: 'paused', place: 1.5, once: false, done: 262_144},
			{id: 4, name: 'two.bin', state: 'failed', code: 'disk-full', message: 'full', once: true},
		]);
		expect(journal.sources(3)).toEqual({
			sources: [{peer: 'cd'.repeat(32), number: 2, name: 'bob', host: '10.0.0.2', port: 25000}],
			from: ['bob'],
		});
		const {layer, have, touched} = journal.pieces(3);
		expect([layer, have, touched].map(bytes => Buffer.from(bytes!).toString('hex'))).toEqual(['0102', '80', 'c0']);
		// New ones get new IDs, also after an old one with the highest was removed.
		const tree = journal.add({content: 'ef'.repeat(32), name: 'tree', size: 1, files: 1, sources: [], once: false});
		expect(tree.id).toBe(5);
		journal.addTree(tree.content, 0, [{path: 'a/b', content, size: 1}]);
		journal.addEmptyFolders(tree.content, ['z', 'ä']);
		expect(journal.emptyFolders(tree.content)).toEqual(['z', 'ä']);
		journal.remove(3);
		expect(journal.pieces(3)).toEqual({});
		journal.remove(tree.id);
		expect([journal.tree(tree.content, 0, 9), journal.emptyFolders(tree.content)]).toEqual([[], []]);
	});

	test('of a newer version is refused', async () => {
		const file = path.join(await tempFolder(), 'd.db');
		new Journal(file).close();
		const {DatabaseSync} = await import('node:sqlite');
		const database = new DatabaseSync(file);
		database.exec('PRAGMA user_version=99');
		database.close();
		expect(() => new Journal(file)).toThrow(expect.objectContaining({code: 'bad-database'}));
	});
});

test('the rate limit: none, then one, seen from another view of the same memory', async () => {
	const limit = new RateLimit();
	const view = new RateLimit(limit.shared);
	expect(view.take(1e9)).toBe(false);
	limit.set(100_000);
	expect(view.take(50_000)).toBe(true);
	expect(view.open).toBe(false);
	const started = performance.now();
	await waitFor('half a second of filling', () => view.open);
	expect(performance.now() - started).toBeGreaterThan(350);
	limit.set(undefined);
	expect(view.take(1e9)).toBe(false);
	limit.stop();
});
