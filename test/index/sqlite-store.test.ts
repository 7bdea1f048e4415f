import {fork} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {parseQuery} from '../../source/api/query.ts';
import type {CatalogChange} from '../../source/api/schemas.ts';
import {backUpIndex} from '../../source/index/sqlite/open-database.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {indexStoreConformance} from '../conformance/index-store.ts';
import {add, temporaryFolder, until} from '../helpers/index.ts';

indexStoreConformance('sqlite', async options => {
	const {folder, remove} = temporaryFolder();
	const file = path.join(folder, 'index.db');
	let store = new SqliteStore(file, options);
	await store.open();
	return {
		store,
		async reopen() {
			await store.close();
			store = new SqliteStore(file, options);
			await store.open();
			return store;
		},
		async remove() {
			await store.close();
			remove();
		},
	};
});

async function inFolder(run: (file: string) => Promise<void>): Promise<void> {
	const {folder, remove} = temporaryFolder();
	try {
		await run(path.join(folder, 'index.db'));
	} finally {
		remove();
	}
}

test('a damaged, foreign or newer database is refused with the way out, and left as it is', async () => {
	await inFolder(async file => {
		writeFileSync(file, 'this is no database at all, but it is longer than a header of one hundred bytes is'.repeat(4));
		const before = readFileSync(file);
		const refused = {code: 'bad-database', hint: expect.stringContaining('move')};
		await expect(new SqliteStore(file).open()).rejects.toMatchObject(refused);
		expect(readFileSync(file).equals(before)).toBe(true);
	});
	await inFolder(async file => {
		const other = new DatabaseSync(file);
		other.exec('CREATE TABLE t(x)');
		other.close();
		await expect(new SqliteStore(file).open()).rejects.toMatchObject({code: 'bad-database'});
	});
	await inFolder(async file => {
		const store = new SqliteStore(file);
		await store.open();
		await store.close();
		const database = new DatabaseSync(file);
		database.exec('PRAGMA user_version=99');
		database.close();
		const newer = {
			code: 'bad-database',
			message: expect.stringContaining('newer'),
			hint: expect.stringContaining('Update'),
		};
		await expect(new SqliteStore(file).open()).rejects.toMatchObject(newer);
	});
});

/** The tables of version 2, as that version made them. */
const versionTwo = `
	CREATE TABLE meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
	INSERT INTO meta VALUES('content-key', randomblob(16));
	CREATE TABLE peer(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, host TEXT NOT NULL,
		port INT NOT NULL, addresses TEXT NOT NULL, epoch TEXT, version INT NOT NULL DEFAULT 0,
		files INT NOT NULL DEFAULT 0, bytes INT NOT NULL DEFAULT 0, gen INT NOT NULL DEFAULT 0, seen INT NOT NULL,
		gone INT NOT NULL DEFAULT 0);
	CREATE TABLE folder(id INTEGER PRIMARY KEY, peer INT NOT NULL, parent INT NOT NULL, name TEXT NOT NULL,
		path TEXT NOT NULL, files INT NOT NULL DEFAULT 0, bytes INT NOT NULL DEFAULT 0);
	CREATE UNIQUE INDEX folder_parent ON folder(parent, name);
	CREATE INDEX folder_peer ON folder(peer);
	CREATE TABLE share(folder INT NOT NULL, name TEXT NOT NULL, file INT NOT NULL, at INT NOT NULL, gen INT NOT NULL,
		PRIMARY KEY(folder, name)) WITHOUT ROWID;
	CREATE INDEX share_file ON share(file);
	CREATE TABLE file(id INTEGER PRIMARY KEY, hk INT NOT NULL, nsrc INT NOT NULL, size INT NOT NULL, hash BLOB NOT NULL);
	CREATE INDEX file_hk ON file(hk);
	CREATE VIRTUAL TABLE fts USING fts5(t, content='', contentless_delete=1, tokenize='ascii', prefix='1 2 3 4',
		detail=none);
	CREATE TABLE tok(id INTEGER PRIMARY KEY, t TEXT NOT NULL UNIQUE);
	CREATE VIRTUAL TABLE voc USING fts5(t, content='', contentless_delete=1, tokenize='trigram', detail=none);
	PRAGMA application_id=${0x70327069}; PRAGMA user_version=2;`;

test('a database of an older version keeps its peers and their numbers, and says that they send their lists again', async () => {
	await inFolder(async file => {
		const id = 'ab'.repeat(32);
		const epoch = '11'.repeat(16);
		const older = new DatabaseSync(file);
		older.exec(`${versionTwo}
			INSERT INTO peer(number, id, name, host, port, addresses, epoch, version, files, bytes, seen)
				VALUES(7, '${id}', 'alice', 'h', 1, '[]', '${epoch}', 1, 1, 3, 1000);
			INSERT INTO folder VALUES(1, 7, 0, '7', '', 1, 3), (2, 7, 1, 's', 's', 1, 3);
			INSERT INTO share VALUES(2, 'old.txt', 1, 1000, 0);
			INSERT INTO file VALUES(1, 5, 1, 3, randomblob(32));
			INSERT INTO fts(rowid, t) VALUES(1, 'old')`);
		older.close();

		const store = new SqliteStore(file);
		await store.open();
		expect(store.notice).toContain('1 peers keep their numbers');
		expect(await store.register({id, name: 'alice', host: 'h', port: 1})).toEqual({number: 7, have: null});
		async function* files() {
			yield [add('s/kept.txt', 'kept', 3)];
		}
		await store.applyChanges(id, {epoch, from: 0, to: 1}, files());
		await store.setOnline(id, true);
		expect((await store.search(parseQuery('kept'))).hits).toMatchObject([{name: 'kept.txt', sourceCount: 1}]);
		expect((await store.getPeer('7')).files).toBe(1);
		await store.close();
		const again = new SqliteStore(file);
		await again.open();
		expect(again.notice).toBeUndefined();
		expect(await again.register({id, name: 'alice', host: 'h', port: 1})).toMatchObject({have: {epoch, version: 1}});
		await again.close();
	});
});

test('pages that merging leaves free go back to the disk in quiet moments', async () => {
	await inFolder(async file => {
		const id = 'ab'.repeat(32);
		const store = new SqliteStore(file);
		await store.open();
		await store.register({id, name: 'x', host: 'h', port: 1});
		async function* files() {
			for (let round = 0; round < 14; round++)
				yield Array.from({length: 1000}, (_, i) =>
					add(`s/folder ${i}/file ${round}-${i} ${(round * 7919 + i * 31) % 977}.txt`),
				);
		}
		await store.applyChanges(id, {epoch: '11'.repeat(16), from: 0, to: 1}, files());
		const pages = () => {
			const database = new DatabaseSync(file, {readOnly: true});
			try {
				const {freelist_count: free} = database.prepare('PRAGMA freelist_count').get() as {freelist_count: number};
				const {page_count: all} = database.prepare('PRAGMA page_count').get() as {page_count: number};
				return {free, all};
			} finally {
				database.close();
			}
		};
		const full = pages().all;
		expect(full).toBeGreaterThan(200);
		await store.leave(id);
		// What the peer shared is taken out, and with it most of the file.
		await until('the file is small', () => pages().all < full / 2 && pages().free <= 64, 160_000);
		await store.close();
	});
});

test('a backup is taken while files register, and opens with what was there', async () => {
	await inFolder(async file => {
		const id = 'ab'.repeat(32);
		const store = new SqliteStore(file);
		await store.open();
		await store.register({id, name: 'x', host: 'h', port: 1});
		const target = `${file}.backup`;
		let backup: Promise<void> | undefined;
		async function* files() {
			for (let round = 0; round < 50; round++) {
				yield Array.from({length: 1000}, (_, i) => add(`s/file ${round}-${i}.txt`));
				if (round === 48) backup = backUpIndex(file, target);
			}
		}
		await store.applyChanges(id, {epoch: '11'.repeat(16), from: 0, to: 1}, files());
		await backup;
		await expect(backUpIndex(file, target)).rejects.toMatchObject({code: 'in-use'});
		await expect(backUpIndex(`${file}.none`, target)).rejects.toMatchObject({code: 'not-found'});
		await store.close();
		expect(existsSync(`${target}.unfinished`)).toBe(false);

		const restored = new SqliteStore(target);
		await restored.open();
		expect((await restored.getPeer('1')).files).toBeGreaterThanOrEqual(limits.catalogBatch);
		await restored.setOnline(id, true);
		expect((await restored.search(parseQuery('name:"file 3-7.txt"'))).hits).toHaveLength(1);
		await restored.close();
	});
});

test('a folder that is not there is an error in words', async () => {
	await expect(new SqliteStore('/nonexistent/index.db').open()).rejects.toMatchObject({code: 'not-readable'});
});

test('survives kill -9 in the middle of an upload', async () => {
	await inFolder(async file => {
		const child = fork(fileURLToPath(new URL('../helpers/index-writer-process.ts', import.meta.url)), [file], {
			stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
		});
		await once(child, 'message');
		await until('something was written', () => existsSync(`${file}-wal`));
		child.kill('SIGKILL');
		await once(child, 'exit');

		const store = new SqliteStore(file);
		await store.open();
		const id = 'ab'.repeat(32);
		const {number, have} = await store.register({id, name: 'x', host: 'h', port: 1});
		expect(number).toBe(1);
		expect(have).toBeNull();
		const files: CatalogChange[] = [add('s/after.txt', 'after', 3)];
		async function* all() {
			yield files;
		}
		const applied = await store.applyChanges(id, {epoch: '11'.repeat(16), from: 0, to: 1}, all());
		expect(applied).toMatchObject({files: 1, bytes: 3});
		await store.setOnline(id, true);
		expect((await store.search(parseQuery('txt'))).hits.map(hit => hit.name)).toEqual(['after.txt']);
		await store.close();
		const database = new DatabaseSync(file, {readOnly: true});
		expect(database.prepare('PRAGMA integrity_check').get()).toEqual({integrity_check: 'ok'});
		expect(database.prepare('SELECT count(*) AS n FROM share').get()).toEqual({n: 1});
		expect(database.prepare('SELECT count(*) AS n FROM file').get()).toEqual({n: 1});
		database.close();
	});
});

test('searches are put off while others have waited too long, and answered again after that', async () => {
	await inFolder(async file => {
		const store = new SqliteStore(file, {readers: 1, queue: 0});
		await store.open();
		try {
			const first = store.searchText(parseQuery('first'));
			// Still in the same turn of the loop: the first one cannot be answered yet.
			for (const asked = performance.now(); performance.now() === asked; );
			await expect(store.searchText(parseQuery('second'))).rejects.toMatchObject({
				code: 'busy',
				details: {retryAfter: 1},
			});
			expect(await first).toMatchObject({total: 0, more: false});
			expect(await store.searchText(parseQuery('second'))).toMatchObject({total: 0, more: false});
		} finally {
			await store.close();
		}
	});
});
