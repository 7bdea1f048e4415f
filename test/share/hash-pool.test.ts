import {execFileSync} from 'node:child_process';
import {
	appendFileSync,
	mkdirSync,
	mkdtempSync,
	realpathSync,
	rmSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {contentOfPieceLayer, PieceLayerHasher} from '../../source/content/content-hasher.ts';
import {blockSize, emptyContentId} from '../../source/content/content-id.ts';
import {createHashPool} from '../../source/share/hash-pool.ts';
import {holdLoop} from '../helpers/hold-loop.ts';
import {waitFor} from '../helpers/wait-for.ts';

const place = {folder: realpathSync(mkdtempSync(path.join(tmpdir(), 'p2p-tui-test-')))};
const pool = createHashPool({threads: 2});
afterAll(async () => {
	await pool.close();
	rmSync(place.folder, {recursive: true, force: true});
});

function make(name: string, bytes: Buffer): string {
	const file = path.join(place.folder, name);
	writeFileSync(file, bytes);
	return file;
}

function patterned(size: number, seed = 1): Buffer {
	const bytes = Buffer.allocUnsafe(size);
	for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 255;
	return bytes;
}

function expected(bytes: Buffer) {
	const hasher = new PieceLayerHasher(bytes.length);
	for (let at = 0; at < bytes.length; at += blockSize) hasher.update(bytes.subarray(at, at + blockSize));
	return contentOfPieceLayer(hasher.finish(), bytes.length);
}

test.each([0, 1, 16_385, 262_144, 262_145, 1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024 + 5])(
	'a file of %i bytes',
	async size => {
		const bytes = patterned(size);
		const hashed = await pool.hash(make(`f${size}`, bytes));
		expect(hashed).toMatchObject(expected(bytes));
		if (size === 0) expect(hashed.content).toBe(emptyContentId);
	},
);

test('a file of several parts is shared by the threads and tells its progress', async () => {
	const bytes = Buffer.concat(Array.from({length: 10}, (_, i) => patterned(15 * 1024 * 1024 + 3, i)));
	const file = make('parts', bytes);
	const told: number[] = [];
	expect(await pool.hash(file, {onProgress: done => told.push(done)})).toMatchObject(expected(bytes));
	expect(told.every((done, i) => done <= bytes.length && done >= (told[i - 1] ?? 0))).toBe(true);
});

test('many small files at once each get their own hash', async () => {
	const files = Array.from({length: 1000}, (_, i) => make(`small${i}`, patterned(i * 3, i)));
	const hashed = await Promise.all(files.map((file, i) => pool.hash(file, {size: i * 3})));
	for (const [i, each] of hashed.entries()) expect(each.content).toBe(expected(patterned(i * 3, i)).content);
});

test('work that comes just as an idle thread is being ended is done', async () => {
	const bytes = patterned(1000);
	const file = make('late', bytes);
	for (let times = 0; times < 2; times++) {
		await pool.hash(file);
		// The loop is held until the thread has been idle for too long: its end comes while the next file is looked at.
		holdLoop(2100);
		expect(await pool.hash(file)).toMatchObject(expected(bytes));
	}
});

test('what cannot be hashed is told in words', async () => {
	const missing = path.join(place.folder, 'missing');
	await expect(pool.hash(missing)).rejects.toMatchObject({
		code: 'not-found',
		message: expect.stringContaining(missing),
	});
	await expect(pool.hash(missing, {size: 3})).rejects.toMatchObject({code: 'not-found'});
	await expect(pool.hash(place.folder)).rejects.toMatchObject({code: 'usage'});
	await expect(pool.hash(place.folder, {size: 4096})).rejects.toMatchObject({code: 'changed'});
	const pipe = path.join(place.folder, 'pipe');
	execFileSync('mkfifo', [pipe]);
	await expect(pool.hash(pipe)).rejects.toMatchObject({code: 'usage'});
	// Told that it was a file a moment ago: must not wait for somebody to write into it.
	await expect(pool.hash(pipe, {size: 0})).rejects.toMatchObject({code: 'changed'});
});

test('a link is followed only when that is wanted', async () => {
	const file = make('target', patterned(100));
	const link = path.join(place.folder, 'link');
	symlinkSync(file, link);
	expect((await pool.hash(link)).size).toBe(100);
	await expect(pool.hash(link, {size: 100, followLinks: false})).rejects.toMatchObject({code: 'not-readable'});
});

test('a file of another size than told, or that changes while it is read, is "changed"', async () => {
	const small = make('grown', patterned(1000));
	await expect(pool.hash(small, {size: 999})).rejects.toMatchObject({code: 'changed'});
	const large = path.join(place.folder, 'writing');
	writeFileSync(large, '');
	truncateSync(large, 2 * 1024 ** 3); // sparse: takes a second to hash and no space
	let appended = false;
	const hashing = pool.hash(large, {
		onProgress: () => {
			if (!appended) appendFileSync(large, 'more');
			appended = true;
		},
	});
	await expect(hashing).rejects.toMatchObject({code: 'changed'});
	expect(appended).toBe(true);
	truncateSync(large, 0);
});

test('a signal ends the hashing of a large file at once, and the pool goes on', async () => {
	const large = path.join(place.folder, 'huge');
	writeFileSync(large, '');
	truncateSync(large, 1024 ** 4); // a tebibyte of zeros: nobody waits for that
	const controller = new AbortController();
	let bytes = 0;
	const hashing = pool.hash(large, {
		signal: controller.signal,
		onProgress: done => {
			bytes = done;
		},
	});
	await Promise.race([hashing, waitFor('something to be hashed', () => bytes > 0)]);
	controller.abort();
	await expect(hashing).rejects.toMatchObject({code: 'cancelled'});
	const file = make('after', patterned(5));
	expect((await pool.hash(file)).content).toBe(expected(patterned(5)).content);
	await expect(pool.hash(file, {signal: controller.signal})).rejects.toMatchObject({code: 'cancelled'});
});

test('close rejects what is under way', async () => {
	const extra = createHashPool({threads: 1});
	const large = path.join(place.folder, 'unfinished');
	writeFileSync(large, '');
	truncateSync(large, 1024 ** 4);
	const hashing = extra.hash(large);
	const rejected = expect(hashing).rejects.toMatchObject({code: 'cancelled'});
	await extra.close();
	await rejected;
	await expect(extra.hash(large)).rejects.toMatchObject({code: 'cancelled'});
});

test('an idle pool does not keep the process alive', () => {
	mkdirSync(path.join(place.folder, 'idle'));
	const script = path.join(place.folder, 'idle', 'script.ts');
	const module = new URL('../../source/share/hash-pool.ts', import.meta.url).href;
	writeFileSync(
		script,
		`import {createHashPool} from ${JSON.stringify(module)};
		const {content} = await createHashPool().hash(${JSON.stringify(make('one', patterned(1)))});
		const done = performance.now();
		process.on('exit', () => console.log(content, performance.now() - done));`,
	);
	const out = execFileSync(process.execPath, [script], {encoding: 'utf8', timeout: 120_000});
	const [content, after] = out.trim().split(' ');
	expect(content).toBe(expected(patterned(1)).content);
	expect(Number(after)).toBeLessThan(9000); // the threads themselves would stay for ten seconds
});
