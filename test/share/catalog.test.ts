import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {expect, onTestFinished, test} from 'vitest';
import type {CatalogChange} from '../../source/api/schemas.ts';
import {emptyContentId} from '../../source/content/content-id.ts';
import type {CatalogWriter} from '../../source/share/catalog.ts';
import {type CatalogLimits, openCatalog} from '../../source/share/sqlite-catalog.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

const id = (n: number) => n.toString(16).padStart(64, '0');
const stamp = (n: number) => `170000000${String(n).padStart(10, '0')}.${n}.0`;

async function open(limits?: CatalogLimits, dataDir?: string): Promise<{catalog: CatalogWriter; dataDir: string}> {
	const folder = dataDir ?? (await tempFolder());
	const catalog = openCatalog(folder, limits);
	onTestFinished(() => catalog.close());
	return {catalog, dataDir: folder};
}

function put(catalog: CatalogWriter, folder: number, name: string, n: number, size = n): void {
	catalog.put({folder, name, size, stamp: stamp(n), content: id(n)});
}

/** What a server holds that took in these changes. */
function applied(changes: CatalogChange[], held = new Map<string, string>()): Map<string, string> {
	for (const change of changes) {
		if (change.op === 'add') held.set(change.path, change.content);
		else held.delete(change.path);
	}
	return held;
}

function allChanges(catalog: CatalogWriter, from: number, limit: number): CatalogChange[] {
	const all: CatalogChange[] = [];
	for (let at = from; ; ) {
		const {changes, to, last} = catalog.changesSince(at, limit);
		all.push(...changes);
		at = to;
		if (last) return all;
	}
}

test('a share that lies elsewhere now is found there', async () => {
	const {catalog} = await open();
	const before = catalog.addShare('music', '/srv/music');
	put(catalog, before, 'a', 1);
	expect(catalog.find(id(1)).map(({folder, file}) => [folder, file])).toEqual([['/srv/music', '/srv/music/a']]);
	catalog.removeFile(catalog.file(before, 'a')!.id);
	catalog.dropShare(before);
	put(catalog, catalog.addShare('music', '/mnt/music'), 'a', 1);
	expect(catalog.find(id(1)).map(({folder, file}) => [folder, file])).toEqual([['/mnt/music', '/mnt/music/a']]);
});

test('adds, replaces and removes are in the log, newest of each path only', async () => {
	const {catalog} = await open();
	const root = catalog.addShare('music', '/srv/music');
	const live = catalog.childFolder(root, 'live');
	put(catalog, root, 'a', 1);
	put(catalog, live, 'b', 2);
	const first = catalog.changesSince(0, 100);
	expect(first).toEqual({
		epoch: catalog.epoch,
		changes: [
			{op: 'add', path: 'music/a', size: 1, content: id(1), mtime: 1_700_000_000},
			{op: 'add', path: 'music/live/b', size: 2, content: id(2), mtime: 1_700_000_000},
		],
		to: catalog.version,
		last: true,
	});
	put(catalog, root, 'a', 3);
	catalog.removeFile(catalog.file(live, 'b')!.id);
	put(catalog, root, 'c', 4);
	catalog.removeFile(catalog.file(root, 'c')!.id);
	put(catalog, root, 'c', 5);
	const {changes, to, last} = catalog.changesSince(first.to, 100);
	expect(changes.map(({op, path: at}) => `${op} ${at}`)).toEqual(['add music/a', 'remove music/live/b', 'add music/c']);
	expect([to, last]).toEqual([catalog.version, true]);
	expect(catalog.changesSince(to, 100)).toMatchObject({changes: [], to, last: true});
	expect([catalog.files, catalog.bytes]).toEqual([2, 8]);
});

test('pages of any size bring a server to the same list as one page', async () => {
	const {catalog} = await open();
	const root = catalog.addShare('s', '/s');
	for (let i = 1; i <= 60; i++) put(catalog, root, `f${i}`, i);
	const held = applied(allChanges(catalog, 0, 7));
	const seen = catalog.version;
	for (let i = 1; i <= 60; i += 2) catalog.removeFile(catalog.file(root, `f${i}`)!.id);
	for (let i = 30; i <= 50; i++) put(catalog, root, `f${i}`, i + 1000);
	for (const limit of [1, 3, 1000]) {
		const want = applied(allChanges(catalog, 0, 1000));
		expect(applied(allChanges(catalog, seen, limit), new Map(held))).toEqual(want);
		expect(want.size).toBe(catalog.files);
	}
});

test('the same content under a new stamp is no change', async () => {
	const {catalog} = await open();
	const root = catalog.addShare('s', '/s');
	put(catalog, root, 'a', 1);
	const {version} = catalog;
	catalog.put({folder: root, name: 'a', size: 1, stamp: stamp(2), content: id(1)});
	expect(catalog.version).toBe(version);
	expect(catalog.file(root, 'a')?.stamp).toBe(stamp(2));
});

test('epoch and version survive a clean restart, and who is ahead of us starts again', async () => {
	const {catalog, dataDir} = await open();
	const root = catalog.addShare('s', '/s');
	put(catalog, root, 'a', 1);
	const point = {epoch: catalog.epoch, version: catalog.version};
	catalog.close();
	const {catalog: again} = await open({}, dataDir);
	expect({epoch: again.epoch, version: again.version}).toEqual(point);
	expect(again.canContinueFrom(point)).toBe(true);
	expect(again.canContinueFrom({...point, version: point.version + 1})).toBe(false);
	expect(again.canContinueFrom({...point, epoch: '0'.repeat(32)})).toBe(false);
	expect(again.canContinueFrom(null)).toBe(false);
	expect([again.files, again.bytes]).toEqual([1, 1]);
});

test('a log left open by an earlier boot ends its epoch; one left open in this boot does not', async () => {
	const {catalog, dataDir} = await open();
	const {epoch} = catalog;
	catalog.close();
	const change = (sql: string) => {
		const database = new DatabaseSync(path.join(dataDir, 'catalog.db'));
		database.exec(sql);
		database.close();
	};
	change('UPDATE meta SET clean = 0');
	const second = openCatalog(dataDir);
	expect(second.epoch).toBe(epoch);
	second.close();
	change('UPDATE meta SET clean = 0, boot = boot - 100000');
	const third = openCatalog(dataDir);
	expect(third.epoch).not.toBe(epoch);
	third.close();
});

test('more removals than files end the epoch, and the tombstones with it', async () => {
	const {catalog} = await open({tombstonesKept: 10});
	const root = catalog.addShare('s', '/s');
	for (let i = 1; i <= 30; i++) put(catalog, root, `f${i}`, i);
	const {epoch} = catalog;
	for (let i = 1; i <= 14; i++) catalog.removeFile(catalog.file(root, `f${i}`)!.id);
	catalog.commit();
	expect(catalog.epoch).toBe(epoch);
	for (let i = 15; i <= 20; i++) catalog.removeFile(catalog.file(root, `f${i}`)!.id);
	catalog.commit();
	expect(catalog.epoch).not.toBe(epoch);
	const changes = allChanges(catalog, 0, 4);
	expect(changes.every(({op}) => op === 'add')).toBe(true);
	expect(applied(changes).size).toBe(10);
});

test('find, piece layers and contents by stamp', async () => {
	const {catalog} = await open();
	const root = catalog.addShare('s', '/srv/s');
	const sub = catalog.childFolder(root, 'sub');
	const layer = Buffer.alloc(96, 7);
	catalog.put({folder: sub, name: 'big', size: 600_000, stamp: stamp(1), content: id(9), layer});
	catalog.put({folder: root, name: 'copy', size: 600_000, stamp: stamp(2), content: id(9), layer});
	put(catalog, root, 'small', 5);
	catalog.put({folder: root, name: 'empty', size: 0, stamp: stamp(3), content: emptyContentId});
	expect(catalog.find(id(9)).map(found => [found.path, found.folder, found.file])).toEqual([
		['s/sub/big', '/srv/s', '/srv/s/sub/big'],
		['s/copy', '/srv/s', '/srv/s/copy'],
	]);
	expect(catalog.find(id(5))[0]).toMatchObject({size: 5, mtimeNs: 1_700_000_000_000_000_005n, content: id(5)});
	expect(catalog.find(id(77))).toEqual([]);
	expect(catalog.pieceLayer(id(9))).toEqual({pieceSize: 262_144, size: 600_000, layer});
	expect(catalog.pieceLayer(id(5))?.layer.toString('hex')).toBe(id(5));
	expect(catalog.pieceLayer(emptyContentId)?.layer.length).toBe(0);
	expect(catalog.pieceLayer(id(77))).toBeUndefined();

	// Known while shared, and after; not for another size, nor when the layer is lost.
	expect(catalog.contentOf(stamp(1), 600_000)).toBe(id(9));
	expect(catalog.contentOf(stamp(1), 600_001)).toBeUndefined();
	catalog.removeFile(catalog.file(sub, 'big')!.id);
	expect(catalog.contentOf(stamp(1), 600_000)).toBe(id(9));
	put(catalog, root, 'copy', 6);
	expect(catalog.contentOf(stamp(1), 600_000)).toBeUndefined();
});

test('only so many files that went away are remembered', async () => {
	const {catalog} = await open({knownKept: 5});
	const root = catalog.addShare('s', '/s');
	for (let i = 1; i <= 1200; i++) put(catalog, root, `f${i}`, i);
	while (!catalog.removeTree(root, 50));
	catalog.commit();
	expect(catalog.files).toBe(0);
	const remembered = Array.from({length: 1200}, (_, i) => i + 1).filter(n => catalog.contentOf(stamp(n), n) === id(n));
	expect(remembered.length).toBeGreaterThanOrEqual(5);
	expect(remembered.length).toBeLessThan(1200);
	expect(remembered).toContain(999); // the last one removed, by name
});

test('browsing: shares, folders first with sums, empty ones as well, pages, a single file', async () => {
	const {catalog} = await open({browsePage: 2});
	const root = catalog.addShare('music', '/m');
	catalog.addShare('none', '/n');
	const deep = catalog.childFolder(catalog.childFolder(root, 'b'), 'deep');
	catalog.childFolder(root, 'hollow');
	put(catalog, deep, 'x', 10);
	put(catalog, catalog.childFolder(root, 'a'), 'y', 5);
	for (const [i, name] of ['3', '1', '2'].entries()) put(catalog, root, name, i + 1);
	expect(catalog.browse('').entries).toEqual([
		{type: 'folder', path: 'music', size: 21, files: 5},
		{type: 'folder', path: 'none', size: 0, files: 0},
	]);
	const pages: string[][] = [];
	for (let cursor: string | undefined; ; ) {
		const page = catalog.browse('music', cursor);
		pages.push(page.entries.map(entry => `${entry.type} ${entry.path} ${entry.size}`));
		cursor = page.cursor;
		if (cursor === undefined) break;
	}
	expect(pages).toEqual([
		['folder music/a 5', 'folder music/b 10'],
		['folder music/hollow 0', 'file music/1 2'],
		['file music/2 3', 'file music/3 1'],
	]);
	expect(catalog.browse('music/hollow')).toEqual({entries: []});
	expect(catalog.browse('music/b/deep/x').entries).toEqual([
		{type: 'file', path: 'music/b/deep/x', size: 10, content: id(10)},
	]);
	for (const wrong of ['nothing', 'music/none', 'music/1/2', '/', 'music/', '..', 'x'.repeat(5000)]) {
		expect(() => catalog.browse(wrong), wrong).toThrow(expect.objectContaining({code: 'not-found'}));
	}
	expect(() => catalog.browse('music', 'z1')).toThrow(expect.objectContaining({code: 'bad-request'}));
});

test('removing a tree goes in steps and leaves the sums right', async () => {
	const {catalog} = await open();
	const root = catalog.addShare('s', '/s');
	let folder = catalog.childFolder(root, 'top');
	const top = folder;
	for (let depth = 0; depth < 6; depth++) {
		for (let i = 0; i < 5; i++) put(catalog, folder, `f${i}`, depth * 10 + i + 1);
		folder = catalog.childFolder(folder, `d${depth}`);
	}
	put(catalog, root, 'kept', 100);
	let steps = 0;
	while (!catalog.removeTree(top, 4)) steps++;
	expect(steps).toBeGreaterThan(5);
	expect([catalog.files, catalog.bytes, catalog.sums(root)]).toEqual([1, 100, {files: 1, bytes: 100}]);
	expect(catalog.findFolder(root, 'top')).toBeUndefined();
	expect([...catalog.entries()].map(entry => entry.path)).toEqual(['s/kept']);
	// A number that stood for a removed folder never stands for another.
	expect(catalog.childFolder(root, 'top')).toBeGreaterThan(folder);
});

test('entries may be read slowly while folders go away', async () => {
	const {catalog} = await open();
	const root = catalog.addShare('s', '/s');
	const folder = catalog.childFolder(root, 'd');
	for (let i = 1; i <= 1200; i++) put(catalog, folder, `f${i}`, i);
	const entries = catalog.entries();
	expect(entries.next().value?.path).toBe('s/d/f1');
	while (!catalog.removeTree(folder, 100));
	expect([...entries].length).toBe(499); // what was read already; the rest is gone
});

test.each([
	['text', (file: string) => writeFileSync(file, 'this is no database at all, whatever its name says')],
	['a cut file', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 5000))],
	['noise in its first page', (file: string) => writeFileSync(file, readFileSync(file).fill(0xa5, 100, 8000))],
	[
		"another program's database",
		(file: string) => {
			writeFileSync(file, '');
			new DatabaseSync(file).exec('CREATE TABLE theirs(a)');
		},
	],
	['a newer layout', (file: string) => new DatabaseSync(file).exec('PRAGMA user_version=99')],
])('%s in place of the catalog is refused, named, with the way out', async (_, spoil) => {
	const {catalog, dataDir} = await open();
	const root = catalog.addShare('s', '/s');
	for (let i = 1; i <= 500; i++) put(catalog, root, `f${i}`, i);
	catalog.close();
	const file = path.join(dataDir, 'catalog.db');
	spoil(file);
	expect(() => openCatalog(dataDir)).toThrow(
		expect.objectContaining({
			code: 'bad-database',
			message: expect.stringContaining(file),
			hint: expect.stringContaining('Delete that file'),
		}),
	);
});

test('damage further in is told when it is met', async () => {
	const {catalog, dataDir} = await open();
	const root = catalog.addShare('s', '/s');
	for (let i = 1; i <= 3000; i++) put(catalog, root, `f${i}`, i);
	catalog.close();
	const file = path.join(dataDir, 'catalog.db');
	writeFileSync(file, readFileSync(file).fill(0xa5, 200_000));
	expect(() => {
		const spoiled = openCatalog(dataDir);
		try {
			for (const {path: at} of spoiled.entries()) at.length;
			for (let i = 1; i <= 3000; i++) spoiled.find(id(i));
		} finally {
			try {
				spoiled.close();
			} catch {}
		}
	}).toThrow(expect.objectContaining({code: 'bad-database'}));
});

test('a catalog that another process writes to is "in-use"', async () => {
	const {dataDir} = await open();
	const file = path.join(dataDir, 'catalog.db');
	const other = new DatabaseSync(file);
	other.exec('BEGIN IMMEDIATE');
	expect(() => openCatalog(dataDir)).toThrow(expect.objectContaining({code: 'in-use'}));
	other.close();
});

test('a folder in place of the file', async () => {
	const dataDir = await tempFolder();
	mkdirSync(path.join(dataDir, 'catalog.db'));
	expect(() => openCatalog(dataDir)).toThrow(expect.objectContaining({code: 'not-writable'}));
});

test('kill -9 in the middle of writing: what changesSince told is there, and versions only grow', async () => {
	const dataDir = await tempFolder();
	const module = new URL('../../source/share/sqlite-catalog.ts', import.meta.url).href;
	const script = path.join(dataDir, 'writer.ts');
	writeFileSync(
		script,
		`import {openCatalog} from ${JSON.stringify(module)};
		const catalog = openCatalog(${JSON.stringify(dataDir)});
		const root = catalog.addShare('s', '/s');
		for (let i = 1; ; i++) {
			catalog.put({folder: root, name: 'f' + i, size: i, stamp: i + '.1.0', content: i.toString(16).padStart(64, '0')});
			if (i % 97 === 0) {
				const {epoch, to} = catalog.changesSince(catalog.version - 1, 10);
				process.stdout.write(JSON.stringify({epoch, to, files: i}) + '\\n');
				await new Promise(resolve => setImmediate(resolve));
			}
		}`,
	);
	const child = spawn(process.execPath, [script], {stdio: ['ignore', 'pipe', 'inherit']});
	let out = '';
	child.stdout.setEncoding('utf8').on('data', text => {
		out += text;
		if (out.split('\n').length > 20) child.kill('SIGKILL');
	});
	await once(child, 'close');
	const told = JSON.parse(out.trim().split('\n').at(-1)!) as {epoch: string; to: number; files: number};
	const {catalog} = await open({}, dataDir);
	expect(catalog.epoch).toBe(told.epoch);
	expect(catalog.version).toBeGreaterThanOrEqual(told.to);
	expect(catalog.files).toBeGreaterThanOrEqual(told.files);
	expect(applied(allChanges(catalog, 0, 1000)).size).toBe(catalog.files);
	expect(catalog.canContinueFrom({epoch: told.epoch, version: told.to})).toBe(true);
});

test('tells which of the changed files were there at a version that a server has', async () => {
	const {catalog} = await open();
	const root = catalog.addShare('s', '/srv/s');
	for (let n = 1; n <= 50; n++) put(catalog, root, `old ${n}`, n);
	catalog.commit();
	const since = catalog.version;
	put(catalog, root, 'new', 100);
	put(catalog, root, 'old 7', 101);
	put(catalog, root, 'new and changed', 102);
	catalog.commit();
	const later = catalog.version;
	put(catalog, root, 'new and changed', 103);
	catalog.removeFile(catalog.file(root, 'old 9')!.id);
	put(catalog, root, 'old 9', 104);
	catalog.removeFile(catalog.file(root, 'old 10')!.id);
	const known = (version: number, from: number) => catalog.changesSince(version, 100, from).known;
	expect(known(since, since)).toEqual(['s/old 7']);
	expect(known(later, since)).toEqual([]);
	// What has gone and come back counts as new.
	expect(known(later, later)).toEqual([]);
	put(catalog, root, 'old 50', 106);
	expect(known(later, later)).toEqual(['s/old 50']);
	// The newest files count as new as well: of what came before one that has not changed it is certain.
	put(catalog, root, 'new', 105);
	expect(known(later, later)).toEqual(['s/old 50']);
	expect(known(0, 0)).toBeUndefined();
});
