// A folder as one download: from a real file server, over real TLS.
import {createHash, randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {contentOfTree, sortTree} from '../../source/download/tree-content.ts';
import type {TreeFile} from '../../source/download/types.ts';
import {downloader} from '../helpers/download.ts';
import {someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** A file server with these files in its share, and them as a tree to download. */
async function sharedTree(files: Record<string, Buffer>, options: Parameters<typeof uploadServer>[0] = {}) {
	const served = await uploadServer(options);
	const tree: TreeFile[] = [];
	for (const [name, bytes] of Object.entries(files)) {
		const {content, size} = await served.catalog.write(name, bytes);
		tree.push({path: name, content, size});
	}
	const {port, identity} = served;
	const source = {peer: identity.id, number: 7, name: 'alice', host: '127.0.0.1', port};
	const uploads = () => served.server.totals().sent;
	return {...served, tree, source, uploads};
}

/** Every file below a folder, by its path inside. */
async function readTree(top: string): Promise<Record<string, Buffer>> {
	const entries = await readdir(top, {recursive: true, withFileTypes: true});
	const files = entries.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name));
	const read = files.map(async file => [path.relative(top, file), await readFile(file)] as const);
	return Object.fromEntries(await Promise.all(read));
}

const mixed = {
	'1.txt': Buffer.from('one'),
	empty: Buffer.alloc(0),
	'deep/er/2.bin': randomBytes(300_000),
	'deep/3.bin': randomBytes(256 * 1024),
	'deep/big.bin': randomBytes(3_000_000),
	'deep/same as 1.txt': Buffer.from('one'),
	'ünïcödé/文.txt': Buffer.from('two'),
};

describe('a folder', () => {
	test('arrives with its tree: small, large, empty and equal files, as one download', async () => {
		const {tree, source, uploads} = await sharedTree(mixed);
		const {manager, seen, folder} = await downloader();
		const {key} = await manager.addFolder({name: 'notes', files: tree, sources: [source]});
		const result = await manager.finished(key);
		expect(result).toMatchObject({path: path.join(folder, 'downloaded_notes'), alreadyThere: false});
		expect(result.sources).toEqual([source.peer]);
		expect(await readTree(result.path)).toEqual(mixed);
		expect(await readdir(folder)).toEqual(['downloaded_notes']);
		const size = tree.reduce((sum, file) => sum + file.size, 0);
		expect(manager.list()).toMatchObject([
			{state: 'done', name: 'notes', size, done: size, files: {done: 7, total: 7}},
		]);
		expect(seen('download-started')).toHaveLength(1);
		expect(seen('download-finished')).toMatchObject([{name: 'notes', size, done: size, path: result.path}]);
		// The file that is there twice is fetched once.
		expect(uploads()).toBe(size - 3);
		expect(manager.received()).toBeGreaterThanOrEqual(size - 3);
		const {pieces, map, sources, log} = manager.details(key);
		expect([pieces, map.length]).toEqual([7, 7]);
		// What large files brought counts as well; the empty one and the copy came from nobody.
		expect(sources).toMatchObject([{peer: source.peer, name: 'alice', bytes: size - 3}]);
		expect([...map].sort()).toEqual([1, 1, 1, 1, 1, 255, 255]);
		expect(log.at(-1)?.text).toBe('finished and verified');
	});

	test('brings its empty folders along, also when there is nothing else in it', async () => {
		const {tree, source} = await sharedTree({'a/1.txt': Buffer.from('one'), 'zero.txt': Buffer.alloc(0)});
		const {manager, folder, settings} = await downloader();
		const folders = ['hollow', 'a/b/c', 'zero.txt', '../CON'];
		const {key} = await manager.addFolder({name: 'notes', files: tree, folders, sources: [source]});
		const {path: there} = await manager.finished(key);
		const names = (await readdir(there, {recursive: true})).sort();
		// A folder that is called as a file is numbered; what points outside or has no name here gets another.
		const odd = names.filter(name => /con/i.test(name));
		expect(odd).toHaveLength(1);
		expect(names.filter(name => !name.includes(path.dirname(odd[0]!)))).toEqual(
			['a', 'a/1.txt', 'a/b', 'a/b/c', 'hollow', 'zero (2).txt', 'zero.txt'].map(path.normalize),
		);
		expect((await stat(path.join(there, 'zero.txt'))).size).toBe(0);
		expect(await readdir(folder)).toEqual(['downloaded_notes']);

		// One that lacks an empty folder is another one.
		await rm(path.join(there, 'hollow'), {recursive: true});
		await manager.addFolder({name: 'notes', files: tree, folders: folders.toReversed(), sources: [source]});
		expect((await manager.finished(key)).path).toBe(path.join(folder, 'downloaded_notes (2)'));

		const bare = await manager.addFolder({name: 'bare', files: [], folders: ['x/y']});
		const nothing = await manager.addFolder({name: 'nothing', files: [], folders: ['']});
		expect(await readdir((await manager.finished(bare.key)).path, {recursive: true})).toEqual([
			'x',
			path.join('x', 'y'),
		]);
		expect(await readdir((await manager.finished(nothing.key)).path)).toEqual([]);
		await manager.stop();
		const again = await downloader({...settings, once: false});
		expect(again.manager.counts()).toMatchObject({done: 3});
	});

	test('remembers its empty folders over a restart', async () => {
		const {tree, source} = await sharedTree({'big.bin': randomBytes(3_000_000)});
		const first = await downloader({once: false, limit: 300_000});
		await first.manager.addFolder({name: 'notes', files: tree, folders: ['hollow'], sources: [source]});
		await waitFor('a piece', () => (first.manager.list()[0]?.done ?? 0) > 0);
		await first.manager.stop();
		const second = await downloader({...first.settings, limit: undefined});
		const {path: there} = await second.manager.finished(second.manager.list()[0]!.key);
		expect((await readdir(there)).sort()).toEqual(['big.bin', 'hollow']);
	});

	test('that is there already is not fetched; one that differs gets a number', async () => {
		const {tree, source, uploads} = await sharedTree(mixed);
		const {manager, folder} = await downloader();
		const request = {name: 'notes', files: tree, sources: [source]};
		const first = await manager.addFolder(request);
		await manager.finished(first.key);
		const before = uploads();
		const again = await manager.addFolder(request);
		expect(again).toEqual({key: first.key, existed: true});
		expect(await manager.finished(again.key)).toMatchObject({alreadyThere: true});
		expect(uploads()).toBe(before);

		await writeFile(path.join(folder, 'downloaded_notes', '1.txt'), 'edited');
		const third = await manager.addFolder(request);
		const {path: there} = await manager.finished(third.key);
		expect(there).toBe(path.join(folder, 'downloaded_notes (2)'));
		expect(await readTree(there)).toEqual(mixed);
		expect(await readFile(path.join(folder, 'downloaded_notes', '1.txt'), 'utf8')).toBe('edited');
	});

	test('of many small files goes on after a stop and fetches only what is missing', async () => {
		const files = Object.fromEntries(Array.from({length: 200}, (_, i) => [`d${i % 7}/${i}`, someBytes(20_000, i + 1)]));
		const {tree, source, uploads} = await sharedTree(files);
		const first = await downloader({once: false, limit: 1_500_000});
		const {key} = await first.manager.addFolder({name: 'many', files: tree, sources: [source]});
		await waitFor('half of them', () => (first.manager.list()[0]?.files?.done ?? 0) > 60);
		await first.manager.stop();
		expect(existsSync(path.join(first.folder, 'downloaded_many'))).toBe(false);
		const sent = uploads();
		const second = await downloader({...first.settings, limit: undefined});
		expect(second.manager.list()).toMatchObject([{key, name: 'many', files: {total: 200}}]);
		const {path: there} = await second.manager.finished(key);
		expect(await readTree(there)).toEqual(files);
		expect(uploads() - sent).toBeLessThanOrEqual(140 * 20_000);
	});

	test.each([{once: true}, {once: false}])(
		'goes on from whoever has its files elsewhere when its peer goes away (once: $once)',
		async ({once}) => {
			const files = Object.fromEntries(Array.from({length: 150}, (_, i) => [`${i}`, someBytes(20_000, i + 1)]));
			const first = await sharedTree(files);
			const second = await sharedTree(Object.fromEntries(Object.entries(files).map(([k, v]) => [`other/${k}`, v])));
			const asked: string[] = [];
			const findSources = async (content: string) => {
				asked.push(content);
				return [first.source, second.source];
			};
			const {manager, seen} = await downloader({once, limit: 1_000_000, findSources});
			const {key} = await manager.addFolder({name: 'many', files: first.tree, sources: [first.source]});
			await waitFor('some of them', () => (manager.list()[0]?.files?.done ?? 0) > 20);
			expect(asked).toEqual([]);
			await first.server.stop();
			await waitFor('bytes from the other', () => manager.list()[0]?.peers.includes(second.source.peer));
			const result = await manager.finished(key);
			expect(await readTree(result.path)).toEqual(files);
			expect(result.sources.sort()).toEqual([first.source.peer, second.source.peer].sort());
			// A batch, not each file.
			expect(asked.length).toBeLessThanOrEqual(4 * 8);
			expect(seen('download-failed')).toEqual([]);
		},
	);

	test('offers after a restart what it has: complete large files and verified pieces, with its source gone', async () => {
		const files = {'1.bin': randomBytes(700_000), '2.bin': randomBytes(6_000_000), 'a.txt': Buffer.from('one')};
		const {tree, source, server} = await sharedTree(files);
		const first = await downloader({once: false, limit: 900_000});
		await first.manager.addFolder({name: 'notes', files: tree, sources: [source]});
		const [short, long] = tree.map(({content}) => content) as [string, string];
		const bits = (found: {have: Uint8Array} | undefined) =>
			[...(found?.have ?? [])].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
		await waitFor('one complete, one begun', () => {
			const [row] = first.manager.list();
			return row?.files?.done === 2 && bits(first.manager.partial(long)) >= 2;
		});
		await first.manager.stop();
		await server.stop();

		const second = await downloader({...first.settings, limit: undefined});
		// It looks at what is there piece by piece, and offers each as soon as it has.
		await waitFor(
			'both offered',
			() => bits(second.manager.partial(short)) === 3 && bits(second.manager.partial(long)) >= 2,
		);
		const [whole, begun] = [second.manager.partial(short)!, second.manager.partial(long)!];
		expect((await readFile(whole.file)).equals(files['1.bin'])).toBe(true);
		expect(begun.layer).toHaveLength(23 * 32);
		await waitFor('a wait', () => second.manager.list()[0]?.state === 'waiting');
		expect(second.manager.partials().map(({content}) => content)).toEqual(expect.arrayContaining([short, long]));
	});

	test('with strange files put into the unfinished one: they are left out, kept beside and named', async () => {
		const files = {'a/1.txt': Buffer.from('one'), 'big.bin': randomBytes(3_000_000), 'last.bin': randomBytes(900_000)};
		const {tree, source} = await sharedTree(files);
		const first = await downloader({once: false, limit: 400_000});
		const {key} = await first.manager.addFolder({name: 'notes', files: tree, folders: ['hollow'], sources: [source]});
		await waitFor('the small one', () => (first.manager.list()[0]?.files?.done ?? 0) > 0);
		const [gathered] = (await readdir(first.partFolder)).filter(name => name.endsWith('.tree'));
		const top = path.join(first.partFolder, gathered!);
		await first.manager.stop();
		// One where a large file belongs, which must get its name all the same.
		await writeFile(path.join(top, 'big.bin'), 'not this');

		const second = await downloader({...first.settings, limit: 800_000});
		await waitFor('more of it', () => second.manager.received() > 100_000);
		await writeFile(path.join(top, 'run me.sh'), 'evil');
		await writeFile(path.join(top, 'hollow', 'x'), 'evil');
		await mkdir(path.join(top, 'a', 'strange', 'deep'), {recursive: true});
		await symlink('nowhere', path.join(top, 'a', 'link'));
		const {path: there} = await second.manager.finished(key);
		expect(await readTree(there)).toEqual(files);
		expect((await readdir(there, {recursive: true})).sort()).toEqual(
			['a', 'a/1.txt', 'big.bin', 'hollow', 'last.bin'].map(path.normalize),
		);
		const told = second.seen('log').map((line: {message: string}) => line.message);
		expect(told).toMatchObject([
			expect.stringMatching(/^notes: 1 entry is not of this folder \(big\.bin\): left out/),
			expect.stringMatching(/^notes: 4 entries are not of this folder \(.*and more\): left out, now in /),
		]);
		const beside = (await readdir(first.partFolder, {recursive: true})).map(name => path.basename(name));
		expect(beside).toEqual(expect.arrayContaining(['big.bin', 'run me.sh', 'x', 'deep', 'link']));
	});

	test('names from the network stay inside, and apart', async () => {
		const files = {
			'a.txt': Buffer.from('1'),
			'b.txt': Buffer.from('2'),
			'c.txt': Buffer.from('3'),
			'd.txt': Buffer.from('4'),
		};
		const {tree, source} = await sharedTree(files);
		const hostile = ['../../x', 'con', '..\\..\\y/z', 'CON'];
		const {manager, folder} = await downloader();
		const {key} = await manager.addFolder({
			name: '../up',
			files: tree.map((file, i) => ({...file, path: hostile[i]!})),
			sources: [source],
		});
		const {path: there} = await manager.finished(key);
		expect(path.dirname(there)).toBe(folder);
		const arrived = await readTree(there);
		expect(Object.values(arrived).map(String).sort()).toEqual(['1', '2', '3', '4']);
		expect(await readdir(folder)).toEqual([path.basename(there)]);
		const names = Object.keys(arrived).map(name => name.toLowerCase());
		expect(new Set(names).size).toBe(4);
	});

	test('with a file that its peer has no more: the others are kept, and the one is named', async () => {
		const {tree, source, catalog, uploads} = await sharedTree(mixed);
		const gone = catalog.files.find(file => file.path.endsWith('/1.txt'))!;
		const all = [...catalog.files];
		for (const file of all.filter(file => file.content === gone.content))
			catalog.files.splice(catalog.files.indexOf(file), 1);
		const {manager} = await downloader();
		const request = {name: 'notes', files: tree, sources: [source], from: [source.peer]};
		const {key} = await manager.addFolder(request);
		await expect(manager.finished(key)).rejects.toMatchObject({message: expect.stringMatching(/1\.txt/)});
		const sent = uploads();
		catalog.files.splice(0, catalog.files.length, ...all);
		await manager.retry(key);
		const {path: there} = await manager.finished(key);
		expect(await readTree(there)).toEqual(mixed);
		expect(uploads() - sent).toBe(3);
	});

	test('from a liar and an honest peer: right, and the liar is named', async () => {
		const files = Object.fromEntries(Array.from({length: 120}, (_, i) => [`${i}`, someBytes(30_000, i + 1)]));
		const honest = await sharedTree(files);
		const liar = await sharedTree(files);
		for (const file of liar.catalog.files) {
			await rm(file.file);
			await writeFile(file.file, randomBytes(30_000));
			const {utimes} = await import('node:fs/promises');
			await utimes(file.file, new Date(1e12), new Date(1e12));
		}
		const {manager, seen} = await downloader();
		const {key} = await manager.addFolder({name: 'x', files: honest.tree, sources: [liar.source, honest.source]});
		const result = await manager.finished(key);
		expect(await readTree(result.path)).toEqual(files);
		expect(result.dropped).toMatchObject([{peer: liar.source.peer}]);
		expect(seen('log').some(line => JSON.stringify(line).includes('Wrong bytes'))).toBe(true);
	});

	test('is copied from our own files where they have the bytes, and said so', async () => {
		const {tree, source, uploads, catalog} = await sharedTree(mixed);
		const own = (content: string) =>
			catalog.files
				.filter(file => file.content === content && file.path.includes('deep'))
				.map(({file, size}) => ({file, size, where: 'your share music'}));
		const {manager, seen} = await downloader({localCopies: own});
		const {key} = await manager.addFolder({name: 'notes', files: tree, sources: [source]});
		const {path: there} = await manager.finished(key);
		expect(await readTree(there)).toEqual(mixed);
		expect(uploads()).toBe(3);
		expect(seen('log')).toMatchObject([{message: expect.stringMatching(/copied from here/)}]);
	});

	test('nothing, or nonsense, is refused at once', async () => {
		const {manager} = await downloader();
		await expect(manager.addFolder({name: 'x', files: []})).rejects.toMatchObject({code: 'not-found'});
		const file = {path: 'a', content: 'a'.repeat(64), size: 0};
		await expect(manager.addFolder({name: 'x', files: [file]})).rejects.toMatchObject({code: 'usage'});
	});

	test('is one and the same however it is listed', () => {
		const files = ['b', 'a/b', 'a', 'ä'].map(name => ({path: name, content: 'c'.repeat(64), size: 1}));
		expect(sortTree(files)).toEqual(sortTree(files.toReversed()));
		const sorted = sortTree(files);
		expect(contentOfTree(sorted, ['x', 'ä/y'])).toBe(contentOfTree(sorted, ['ä/y', 'x']));
		expect(contentOfTree(sorted, ['x'])).not.toBe(contentOfTree(sorted));
	});

	test('has the ID that sha256sum gives its list', () => {
		const lines = ['a', 'b/c'].map(name => ({
			path: name,
			content: createHash('sha256').update(name).digest('hex'),
			size: 1,
		}));
		const list = lines.map(({content, path}) => `${content}  ${path}\n`).join('');
		expect(contentOfTree(lines)).toBe(createHash('sha256').update(list).digest('hex'));
	});
});

describe('a file that we have elsewhere', () => {
	test('is copied, checked and said; a copy that has changed since is not trusted', async () => {
		const {tree, source, uploads, catalog} = await sharedTree({'a.bin': randomBytes(2_000_000)});
		const [{content, size}] = tree as [TreeFile];
		const {file} = catalog.files[0]!;
		const localCopies = () => [{file, size, where: 'your share music'}];
		const first = await downloader({localCopies});
		const request = {content, size, name: 'a.bin', sources: [source]};
		const {key} = await first.manager.add(request);
		const {path: there, sources} = await first.manager.finished(key);
		expect(sources).toEqual([]);
		expect((await readFile(there)).equals(await readFile(file))).toBe(true);
		expect(uploads()).toBe(0);
		expect(first.seen('log')).toMatchObject([{message: 'a.bin: copied from your share music, nothing was fetched'}]);
		expect(await readdir(first.folder)).toEqual(['downloaded_a.bin']);

		const wrong = path.join(first.folder, 'wrong');
		await mkdir(first.folder, {recursive: true});
		await writeFile(wrong, randomBytes(size));
		const second = await downloader({localCopies: () => [{file: wrong, size, where: 'your share music'}]});
		const other = await second.manager.add(request);
		expect((await second.manager.finished(other.key)).sources).toEqual([source.peer]);
		// A machine that stands still for seconds has its source take some of it once more.
		expect(uploads()).toBeGreaterThanOrEqual(size);
	});

	test('downloaded before, moved away meanwhile: copied from where it was put', async () => {
		const {tree, source, uploads} = await sharedTree({'a.bin': randomBytes(700_000)});
		const [{content, size}] = tree as [TreeFile];
		const {manager, folder} = await downloader();
		const {key} = await manager.add({content, size, name: 'a.bin', sources: [source]});
		await manager.finished(key);
		const again = await manager.add({content, size, name: 'b.bin', sources: [source]});
		const {path: there} = await manager.finished(again.key);
		expect(there).toBe(path.join(folder, 'downloaded_b.bin'));
		expect((await readdir(folder)).sort()).toEqual(['downloaded_a.bin', 'downloaded_b.bin']);
		expect(uploads()).toBe(size);
	});
});
