// Killed, stopped, tampered with, out of disk: real processes, real disks.
import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {link, mkdir, open, readdir, readFile, rm, symlink, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {Journal} from '../../source/download/journal.ts';
import {contentOf, downloader, piece, wireSource} from '../helpers/download.ts';
import {downloadProcess, noDisks, onDisk} from '../helpers/download-process.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

const size = 32 * piece;
const file = randomBytes(size);
const {content} = contentOf(file);
/** A source that answers for the first pieces and then holds its breath until told. */
async function breathlessSource(pieces: number) {
	const gate = Promise.withResolvers<void>();
	const source = await wireSource(file, ({first, end, socket, head, bytes, answer}) => {
		if (end <= pieces * piece) return answer();
		const now = Math.max(0, pieces * piece - first);
		socket.write(head());
		socket.write(bytes.subarray(0, now));
		return void gate.promise.then(() => socket.destroyed || socket.write(bytes.subarray(now)));
	});
	return {...source, release: () => gate.resolve()};
}

describe('kill -9', () => {
	test('costs nothing that was written', async () => {
		const root = await tempFolder();
		const source = await breathlessSource(20);
		const request = {content, name: 'x.bin', size, sources: [source.source]};
		const settings = {database: path.join(root, 'd.db'), folder: path.join(root, 'downloads'), request};
		const first = downloadProcess(settings);
		await waitFor('20 pieces', () => first.lines.some(line => line.done === 20 * piece));
		first.child.kill('SIGKILL');
		await first.exited;
		const before = await source.hungUp();
		source.release();
		const second = downloadProcess(settings);
		await second.exited;
		const last = second.lines.at(-1);
		expect(last).toMatchObject({event: 'finished', path: path.join(root, 'downloads', 'downloaded_x.bin')});
		expect((await readFile(last!.path!)).equals(file)).toBe(true);
		expect(source.asked(before)).toBe(size - 20 * piece);
		expect(await readdir(settings.folder)).toEqual(['downloaded_x.bin']);
	});

	test('at random instants, again and again, until it is through', async () => {
		const root = await tempFolder();
		const slow = await wireSource(file, call => void setTimeout(() => call.answer(), 40));
		const request = {content, name: 'x.bin', size, sources: [slow.source]};
		const settings = {database: path.join(root, 'd.db'), folder: path.join(root, 'downloads'), request};
		for (let round = 0; round < 8; round++) {
			const {child, exited, lines} = downloadProcess(settings);
			const asked = slow.calls.length;
			await waitFor('it to fetch', () => slow.calls.length > asked + (round % 3) || child.exitCode !== null);
			await new Promise(resolve => setTimeout(resolve, Math.random() * 60));
			child.kill('SIGKILL');
			await exited;
			expect(lines.filter(line => line.event === 'failed')).toEqual([]);
		}
		const last = downloadProcess(settings);
		await last.exited;
		expect(last.lines.at(-1)).toMatchObject({event: 'finished'});
		expect((await readFile(path.join(settings.folder, 'downloaded_x.bin'))).equals(file)).toBe(true);
	});

	test('a lost list of downloads loses no verified piece', async () => {
		const root = await tempFolder();
		const source = await breathlessSource(10);
		const request = {content, name: 'x.bin', size, sources: [source.source]};
		const settings = {database: path.join(root, 'd.db'), folder: path.join(root, 'downloads'), request};
		const first = downloadProcess(settings);
		await waitFor('10 pieces', () => first.lines.some(line => line.done === 10 * piece));
		first.child.kill('SIGKILL');
		await first.exited;
		const before = await source.hungUp();
		source.release();
		const {manager} = await downloader({folder: settings.folder});
		const {key} = await manager.add(request);
		await manager.finished(key);
		expect(source.asked(before)).toBe(size - 10 * piece);
	});
});

/** A manager whose download has 10 pieces and was stopped. */
async function stoppedAfterTenPieces() {
	const source = await breathlessSource(10);
	const first = await downloader({once: false});
	await first.manager.add({content, name: 'x.bin', size, sources: [source.source]});
	await waitFor('10 pieces', () => first.manager.list()[0]?.done === 10 * piece);
	await first.manager.stop();
	const before = await source.hungUp();
	source.release();
	const part = path.join(first.partFolder, `${content}.part`);
	return {source, before, part, settings: first.settings};
}

describe('after stop()', () => {
	test('it goes on by itself at the next start', async () => {
		const {source, before, settings} = await stoppedAfterTenPieces();
		const {manager} = await downloader(settings);
		const [row] = manager.list();
		expect(row).toMatchObject({name: 'x.bin', done: 10 * piece});
		const {path: there} = await manager.finished(row!.key);
		expect((await readFile(there)).equals(file)).toBe(true);
		expect(source.asked(before)).toBe(size - 10 * piece);
		expect(source.layers()).toBe(1);
	});

	test('a piece that was tampered with is found out, fetched again, and said', async () => {
		const {source, before, part, settings} = await stoppedAfterTenPieces();
		const handle = await open(part, 'r+');
		await handle.write(Buffer.from('evil'), 0, 4, 3 * piece + 100);
		await handle.close();
		const {manager, seen} = await downloader(settings);
		const {path: there} = await manager.finished(manager.list()[0]!.key);
		expect((await readFile(there)).equals(file)).toBe(true);
		expect(source.asked(before)).toBe(size - 9 * piece);
		expect(seen('log')).toMatchObject([{level: 'warn', message: expect.stringContaining(`${piece} bytes`)}]);
	});

	test.each([
		['missing', (part: string) => rm(part), 0],
		['cut short', (part: string) => truncate(part, 4 * piece), 4],
		['too long', (part: string) => truncate(part, 2 * size), 10],
	])('a partial file that is %s', async (_, harm, left) => {
		const {source, before, part, settings} = await stoppedAfterTenPieces();
		await harm(part);
		const {manager} = await downloader(settings);
		const {path: there} = await manager.finished(manager.list()[0]!.key);
		expect((await readFile(there)).equals(file)).toBe(true);
		expect(source.asked(before)).toBe(size - left * piece);
	});

	test('a partial file that is now a link, or has a second name, is not written through', async () => {
		for (const harm of ['symbolic link', 'hard link'] as const) {
			const {part, settings} = await stoppedAfterTenPieces();
			const victim = path.join(await tempFolder(), 'victim');
			await writeFile(victim, 'precious');
			await rm(part);
			if (harm === 'symbolic link') await symlink(victim, part);
			else await link(victim, part);
			const {manager} = await downloader(settings);
			const {key} = manager.list()[0]!;
			await expect(manager.finished(key)).rejects.toMatchObject({code: 'not-writable'});
			expect(await readFile(victim, 'utf8')).toBe('precious');
			// What is wrong can be mended, and the download goes on.
			await rm(part);
			await manager.retry(key);
			await manager.finished(key);
		}
	});
});

describe('the disk', () => {
	test('is full: disk-full, with the next step, and no name taken', async context => {
		if (noDisks) context.skip(noDisks);
		const root = await tempFolder();
		const folder = path.join(root, 'small');
		await mkdir(folder);
		const source = await wireSource(file);
		const request = {content, name: 'x.bin', size, sources: [source.source]};
		const {exited, lines} = downloadProcess(
			{database: path.join(root, 'd.db'), folder, request},
			onDisk('size=3m', folder),
		);
		await exited;
		expect(lines.at(-1)).toMatchObject({event: 'failed', code: 'disk-full'});
		expect(lines.at(-1)?.message).toMatch(/the disk is full/);
		// Whoever frees space goes on from there.
		const journal = new Journal(path.join(root, 'd.db'));
		expect(journal.find(content)).toMatchObject({state: 'failed', code: 'disk-full'});
		expect(journal.find(content)!.done).toBeGreaterThan(0);
		journal.close();
	});

	test('is read-only: not-writable, and what the system says', async context => {
		if (noDisks) context.skip(noDisks);
		const root = await tempFolder();
		const folder = path.join(root, 'card');
		await mkdir(folder);
		const source = await wireSource(file);
		const request = {content, name: 'x.bin', size, sources: [source.source]};
		const {exited, lines} = downloadProcess({database: path.join(root, 'd.db'), folder, request}, onDisk('ro', folder));
		await exited;
		expect(lines.at(-1)).toMatchObject({event: 'failed', code: 'not-writable'});
		expect(lines.at(-1)?.message).toContain(`${folder}: the disk is read-only`);
	});

	test('is taken away midway: an error that says so, and a retry starts anew when it is back', async () => {
		const source = await breathlessSource(10);
		const {manager, folder} = await downloader({once: false});
		const {key} = await manager.add({content, name: 'x.bin', size, sources: [source.source]});
		await waitFor('10 pieces', () => manager.list()[0]?.done === 10 * piece);
		await rm(folder, {recursive: true});
		await writeFile(folder, 'an empty mount point that nobody may write to');
		source.release();
		const error: unknown = await manager.finished(key).catch(error => error);
		expect((error as {code: string}).code).toMatch(/^(not-writable|changed)$/);
		expect(manager.list()).toMatchObject([{state: 'failed'}]);
		await rm(folder);
		await manager.retry(key);
		expect((await readFile((await manager.finished(key)).path)).equals(file)).toBe(true);
	});

	test.skipIf(process.platform !== 'linux')('a file larger than is allowed: not-writable, not a crash', async () => {
		const root = await tempFolder();
		const source = await wireSource(file);
		const request = {content, name: 'x.bin', size, sources: [source.source]};
		const settings = {database: path.join(root, 'd.db'), folder: path.join(root, 'downloads'), request};
		const {exited, lines} = downloadProcess(settings, ['prlimit', `--fsize=${size / 2}`]);
		expect((await exited)[0]).toBe(0);
		expect(lines.at(-1)).toMatchObject({event: 'failed', code: 'not-writable'});
		expect(lines.at(-1)?.message).toMatch(/larger than this disk or system allows/);
	});

	test('a downloads folder that is a file, and a folder for partial files that is a link', async () => {
		const source = await wireSource(file);
		const request = {content, name: 'x.bin', size, sources: [source.source]};
		const root = await tempFolder();
		await writeFile(path.join(root, 'file'), '');
		const first = await downloader({folder: path.join(root, 'file')});
		const {key} = await first.manager.add(request);
		await expect(first.manager.finished(key)).rejects.toMatchObject({code: 'not-writable'});

		const elsewhere = await tempFolder();
		const second = await downloader();
		await mkdir(second.folder, {recursive: true});
		await symlink(elsewhere, second.partFolder);
		const other = await second.manager.add(request);
		await expect(second.manager.finished(other.key)).rejects.toMatchObject({code: 'not-writable'});
		expect(await readdir(elsewhere)).toEqual([]);
	});

	test('a damaged list of downloads is said, and is not touched', async () => {
		const root = await tempFolder();
		const database = path.join(root, 'd.db');
		const junk = randomBytes(8192);
		await writeFile(database, junk);
		await expect(downloader({database})).rejects.toMatchObject({code: 'bad-database'});
		expect((await readFile(database)).equals(junk)).toBe(true);
		expect(existsSync(`${database}-wal`)).toBe(false);
	});
});
