// A folder's download that is killed, whose bytes are tampered with, or whose disk is full or goes away.
import {mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import type {TreeFile} from '../../source/download/types.ts';
import {downloader} from '../helpers/download.ts';
import {downloadProcess, noDisks, onDisk} from '../helpers/download-process.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

const smallBytes = 30_000;
const largeBytes = 4_000_000;
const original: Record<string, Buffer> = {
	...Object.fromEntries(Array.from({length: 160}, (_, i) => [`d${i % 7}/${i}.txt`, someBytes(smallBytes, i + 1)])),
	'large/1.bin': someBytes(largeBytes, 1001),
	'large/2.bin': someBytes(largeBytes, 1002),
};
const total = 160 * smallBytes + 2 * largeBytes;

async function shared() {
	const {catalog, port, identity, server} = await uploadServer();
	const files: TreeFile[] = [];
	for (const [name, bytes] of Object.entries(original)) {
		const {content, size} = await catalog.write(name, bytes);
		files.push({path: name, content, size});
	}
	const source = {peer: identity.id, number: 7, name: 'alice', host: '127.0.0.1', port};
	const request = {name: 'tree', files, folders: ['hollow'], sources: [source]};
	const root = await tempFolder();
	const settings = {database: path.join(root, 'd.db'), folder: path.join(root, 'downloads'), request};
	return {settings, sent: () => server.totals().sent, slow: {...settings, limit: 3_000_000}};
}

async function expectWhole(top: string): Promise<void> {
	for (const [name, bytes] of Object.entries(original))
		expect((await readFile(path.join(top, name))).equals(bytes), name).toBe(true);
	expect(await readdir(path.join(top, 'hollow'))).toEqual([]);
	const entries = await readdir(top, {recursive: true, withFileTypes: true});
	expect(entries.filter(entry => entry.isFile())).toHaveLength(Object.keys(original).length);
}

test('kill -9 at random instants, again and again: whole in the end, and little is fetched twice', async () => {
	const {settings, slow, sent} = await shared();
	const kills = 6;
	for (let round = 0; round < kills; round++) {
		const {child, exited, lines} = downloadProcess(slow);
		const before = sent();
		await waitFor('it to fetch', () => sent() > before + 200_000 || child.exitCode !== null);
		await new Promise(resolve => setTimeout(resolve, Math.random() * 300));
		child.kill('SIGKILL');
		await exited;
		expect(lines.filter(line => line.event === 'failed')).toEqual([]);
	}
	const last = downloadProcess(settings);
	await last.exited;
	expect(last.lines.at(-1)).toMatchObject({event: 'finished', path: path.join(settings.folder, 'downloaded_tree')});
	await expectWhole(path.join(settings.folder, 'downloaded_tree'));
	expect(await readdir(settings.folder)).toEqual(['downloaded_tree']);
	// At a kill, what was on its way: two orders of small files a connection, and a run of each large file.
	expect(sent() - total).toBeLessThan(kills * 6_000_000);
});

test('files that were tampered with while it stood still are found out and fetched again', async () => {
	const {settings, slow} = await shared();
	const first = downloadProcess(slow);
	await waitFor('half of it', () => first.lines.some(line => (line.done ?? 0) > total / 3));
	first.child.kill('SIGKILL');
	await first.exited;
	const parts = path.join(settings.folder, '.p2p-tui');
	const gathered = path.join(parts, (await readdir(parts)).find(name => name.endsWith('.tree'))!);
	const entries = await readdir(gathered, {recursive: true, withFileTypes: true});
	const there = entries.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name));
	expect(there.length).toBeGreaterThan(2);
	// Same length, so that only the bytes tell.
	for (const file of there.slice(0, 3)) await writeFile(file, Buffer.alloc((await readFile(file)).length, 'evil'));
	const second = downloadProcess(settings);
	await second.exited;
	expect(second.lines.at(-1)).toMatchObject({event: 'finished'});
	await expectWhole(path.join(settings.folder, 'downloaded_tree'));
});

test('a full disk is said, takes no name, and is gone on from when there is room', async context => {
	if (noDisks) context.skip(noDisks);
	const {settings} = await shared();
	await mkdir(settings.folder);
	const {exited, lines} = downloadProcess(settings, onDisk('size=3m', settings.folder));
	await exited;
	expect(lines.at(-1)).toMatchObject({event: 'failed', code: 'disk-full'});
	expect(lines.at(-1)?.message).toContain('the disk is full');
	const again = downloadProcess(settings);
	await again.exited;
	expect(again.lines.at(-1)).toMatchObject({event: 'finished'});
	await expectWhole(path.join(settings.folder, 'downloaded_tree'));
});

test('a disk that is taken away midway: an error that says so, and a retry when it is back', async () => {
	const {settings} = await shared();
	const {manager, folder} = await downloader({once: false, limit: 2_000_000});
	const {key} = await manager.addFolder(settings.request);
	await waitFor('some files', () => (manager.list()[0]?.files?.done ?? 0) > 20);
	await rm(folder, {recursive: true, force: true, maxRetries: 20});
	await writeFile(folder, 'an empty mount point that nobody may write to');
	await expect(manager.finished(key)).rejects.toMatchObject({code: 'not-writable'});
	expect(manager.list()).toMatchObject([{state: 'failed'}]);
	await rm(folder);
	manager.setLimit(undefined);
	await manager.retry(key);
	await expectWhole((await manager.finished(key)).path);
});
