// Small files of a folder: many in one answer, from sources that do not always answer as they should.
import {randomBytes} from 'node:crypto';
import {readFile, rm} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import type {TreeFile} from '../../source/download/types.ts';
import {contentOf, downloader} from '../helpers/download.ts';
import {answerNotFound, type FilesCall, fileFrame, framesSource, refusalFrame} from '../helpers/frames-source.ts';
import {uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** Files for a folder: their bytes by content, and the list to download. */
function someFiles(count: number, bytes = 1000) {
	const files = new Map<string, Buffer>();
	const tree: TreeFile[] = [];
	for (let n = 0; n < count; n++) {
		const data = randomBytes(bytes);
		const {content} = contentOf(data);
		files.set(content, data);
		tree.push({path: `${n}.bin`, content, size: bytes});
	}
	return {files, tree};
}

/** Compares what arrived with what there was. */
async function expectArrived(top: string, tree: TreeFile[], files: ReadonlyMap<string, Buffer>) {
	for (const {path: name, content} of tree)
		expect(files.get(content)!.equals(await readFile(path.join(top, name))), name).toBe(true);
}

describe('small files', () => {
	test('come in lists, each content asked for once, however many there are', async () => {
		const {files, tree} = someFiles(300);
		const {source, asked} = await framesSource(files);
		const {manager} = await downloader();
		const {key} = await manager.addFolder({name: 'many', files: tree, sources: [source]});
		const result = await manager.finished(key);
		await expectArrived(result.path, tree, files);
		expect(asked.singly).toEqual([]);
		expect(asked.lists.flat().sort()).toEqual(tree.map(({content}) => content).sort());
		expect(Math.max(...asked.lists.map(list => list.length))).toBeLessThanOrEqual(limits.filesCall);
		expect(asked.lists.length).toBeLessThan(100);
	});

	test('come one by one from a peer that knows no lists, and so do those that are too large for one', async () => {
		const {files, tree} = someFiles(40);
		const large = someFiles(2, limits.slotFree + 1);
		const older = await framesSource(files, call => (call.isList ? answerNotFound(call.response) : call.answer()));
		const {manager} = await downloader();
		const {key} = await manager.addFolder({name: 'old', files: tree, sources: [older.source]});
		await expectArrived((await manager.finished(key)).path, tree, files);
		expect(older.asked.singly.sort()).toEqual(tree.map(({content}) => content).sort());

		const mixed = new Map([...files, ...large.files]);
		const now = await framesSource(mixed);
		const both = [...tree, ...large.tree.map(file => ({...file, path: `large ${file.path}`}))];
		const second = await manager.addFolder({name: 'new', files: both, sources: [now.source]});
		await expectArrived((await manager.finished(second.key)).path, both, mixed);
		expect(now.asked.lists.flat().sort()).toEqual([...files.keys()].sort());
		expect(now.asked.singly.sort()).toEqual([...large.files.keys()].sort());
	});

	test('with a wrong byte cost their source the rest of the folder, and are named', async () => {
		const {files, tree} = someFiles(60);
		const bad = tree[17]!;
		const liar = await framesSource(
			files,
			call =>
				call.answer(
					call.contents.map(content => {
						const bytes = Buffer.from(call.bytes(content));
						if (content === bad.content) bytes[500]! ^= 1;
						return fileFrame(bytes);
					}),
				),
			'mallory',
		);
		const honest = await framesSource(files, undefined, 'alice');
		const {manager, seen} = await downloader();
		const {key} = await manager.addFolder({name: 'notes', files: tree, sources: [liar.source]});
		const failed = await manager.finished(key).catch(error => error);
		expect(failed).toMatchObject({code: 'corrupt'});
		expect(failed.message).toContain('wrong bytes in 17.bin');
		expect(seen('log').some(({message}) => /Wrong bytes from mallory.*17\.bin/.test(message))).toBe(true);

		const there = manager.list()[0]!.done;
		await manager.cancel(key);
		const again = await manager.addFolder({name: 'notes', files: tree, sources: [liar.source, honest.source]});
		const result = await manager.finished(again.key);
		await expectArrived(result.path, tree, files);
		expect(there).toBeLessThan(60_000);
		for (const {peer} of result.dropped) expect(peer).toBe(liar.source.peer);
	});

	const lies: Record<string, (call: FilesCall) => void> = {
		'of another length': call => call.answer(call.contents.map(content => fileFrame(call.bytes(content), 999))),
		'in an answer that is no list of files': call => call.answer([Buffer.alloc(500, 7)]),
		'fewer than asked for': call => call.answer(call.contents.slice(1).map(content => fileFrame(call.bytes(content)))),
		'more than asked for': call =>
			call.answer([...call.contents.map(() => refusalFrame('not-found')), refusalFrame('not-found')]),
		'in an answer without an end': call => {
			call.response.writeHead(200, {'transfer-encoding': 'chunked'}).write('x');
		},
		'in an answer far too long': call => {
			call.response.writeHead(200, {'content-length': 1e9}).write('x');
		},
	};
	test.each(Object.entries(lies))('%s: the source is dropped, another one brings them', async (_, behave) => {
		const {files, tree} = someFiles(20);
		const liar = await framesSource(files, behave);
		const honest = await framesSource(files, undefined, 'alice');
		const {manager} = await downloader({findSources: async () => [honest.source]});
		const {key} = await manager.addFolder({name: 'notes', files: tree, sources: [liar.source]});
		const result = await manager.finished(key);
		await expectArrived(result.path, tree, files);
		expect(result.dropped.map(({peer}) => peer)).toEqual([liar.source.peer]);
	});

	test('that one source has lost come from another, which is looked up for them', async () => {
		const {files, tree} = someFiles(50);
		const gone = new Set([tree[3]!.content, tree[44]!.content]);
		const first = await framesSource(files, call => {
			if (!call.isList) return gone.has(call.contents[0]!) ? answerNotFound(call.response) : call.answer();
			call.answer(
				call.contents.map(content => (gone.has(content) ? refusalFrame('changed') : fileFrame(call.bytes(content)))),
			);
		});
		const second = await framesSource(files, undefined, 'bob');
		const {manager} = await downloader({findSources: async content => (gone.has(content) ? [second.source] : [])});
		const {key} = await manager.addFolder({name: 'notes', files: tree, sources: [first.source]});
		const result = await manager.finished(key);
		await expectArrived(result.path, tree, files);
		expect(result.dropped).toEqual([]);
		expect(new Set([...second.asked.lists.flat(), ...second.asked.singly])).toEqual(gone);
	});

	test('are asked of whoever is found when their only source is gone', async () => {
		const {files, tree} = someFiles(300, 5000);
		let answered = 0;
		const first = await framesSource(files, call => {
			// Some of them, and then nothing more.
			if (answered++ < 1) call.answer();
			else call.response.destroy();
		});
		const second = await framesSource(files, undefined, 'bob');
		const asked: string[] = [];
		const {manager} = await downloader({
			findSources: async content => {
				asked.push(content);
				return [second.source];
			},
		});
		const {key} = await manager.addFolder({name: 'notes', files: tree, sources: [first.source]});
		const result = await manager.finished(key);
		await expectArrived(result.path, tree, files);
		expect(asked.length).toBeGreaterThan(0);
		expect(result.sources).toContain(second.source.peer);
		// What the first one brought was not fetched again.
		expect(second.asked.lists.flat().length).toBeLessThan(300);
	});

	test('that nobody has fail the folder by name, the others stay, and a retry fetches those alone', async () => {
		const served = await uploadServer();
		const tree: TreeFile[] = [];
		for (let n = 0; n < 30; n++) {
			const {content, size} = await served.catalog.write(`${n}.bin`, randomBytes(2000));
			tree.push({path: `${n}.bin`, content, size});
		}
		const lost = served.catalog.files[12]!;
		const bytes = await readFile(lost.file);
		await rm(lost.file);
		const source = {peer: served.identity.id, number: 7, name: 'alice', host: '127.0.0.1', port: served.port};
		const {manager} = await downloader();
		const {key} = await manager.addFolder({name: 'notes', files: tree, sources: [source]});
		const failed = await manager.finished(key).catch(error => error);
		expect(failed.message).toContain('12.bin');
		expect(manager.list()).toMatchObject([{state: 'failed', files: {done: 29, total: 30}}]);
		expect(served.catalog.changes).toContain('share/12.bin');
		const sent = served.server.totals().sent;
		expect(sent).toBe(29 * 2000);

		served.catalog.files.splice(12, 1);
		await served.catalog.write('12.bin', bytes);
		await manager.retry(key);
		const result = await manager.finished(key);
		for (const {path: name} of tree)
			expect(
				(await readFile(path.join(result.path, name))).equals(await readFile(path.join(served.catalog.folder, name))),
			).toBe(true);
		expect(served.server.totals().sent).toBe(sent + 2000);
	});

	test('are not lost when the download ends in the middle of an answer', async () => {
		const {files, tree} = someFiles(100, 5000);
		let calls = 0;
		const source = await framesSource(files, call => {
			if (calls++ > 0 && calls < 4) {
				const frames = call.contents.map(content => fileFrame(call.bytes(content)));
				const all = Buffer.concat(frames);
				// Half of the answer, and then silence.
				call.response.writeHead(200, {'content-length': all.length}).write(all.subarray(0, all.length / 2));
			} else call.answer();
		});
		const first = await downloader({once: false});
		await first.manager.addFolder({name: 'notes', files: tree, sources: [source.source]});
		await waitFor('some files', () => (first.manager.list()[0]?.files?.done ?? 0) > 0);
		await first.manager.stop();
		const done = source.asked.lists.length;
		calls = 10;
		const second = await downloader(first.settings);
		const there = second.manager.list()[0]!;
		const {path: top} = await second.manager.finished(there.key);
		await expectArrived(top, tree, files);
		const fetched = source.asked.lists.slice(done).flat().length;
		expect(fetched).toBeLessThan(100);
	});
});
