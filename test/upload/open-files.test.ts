import {fstatSync, statSync} from 'node:fs';
import {appendFile} from 'node:fs/promises';
import {expect, onTestFinished, test} from 'vitest';
import {OpenFiles, type OpenLease} from '../../source/upload/open-files.ts';
import type {ServedFile} from '../../source/upload/served-catalog.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {TestCatalog} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

async function openFilesOf(count: number, options?: ConstructorParameters<typeof OpenFiles>[0]) {
	const catalog = new TestCatalog(await tempFolder());
	const files = [];
	for (let n = 0; n < count; n++) files.push(await catalog.write(String(n), `file ${n}`));
	const open = new OpenFiles(options);
	onTestFinished(() => open.close());
	return {files, open};
}

/** Whether a descriptor still is that file: its number may be another one's by now. */
function isOpen({fd}: OpenLease, {file}: ServedFile): boolean {
	try {
		return fstatSync(fd).ino === statSync(file).ino;
	} catch {
		return false;
	}
}

test('a file is opened once for many, and closed when nobody has used it for a while', async () => {
	const {files, open} = await openFilesOf(1, {idleMs: 60});
	const [first, second] = await Promise.all([open.acquire(files[0]!), open.acquire(files[0]!)]);
	expect(first.fd).toBe(second.fd);
	first.release();
	second.release();
	const third = await open.acquire(files[0]!);
	expect(third.fd).toBe(first.fd);
	third.release();
	await waitFor('the file to be closed', () => open.size === 0 && !isOpen(first, files[0]!));
});

test('only so many stay open unused: the oldest go first, those in use never', async () => {
	const {files, open} = await openFilesOf(6, {maxIdle: 2});
	const used = await open.acquire(files[0]!);
	for (const file of files.slice(1)) (await open.acquire(file)).release();
	expect(open.size).toBe(2);
	expect(isOpen(used, files[0]!)).toBe(true);
	used.release();
});

test('a discarded descriptor is given to nobody else, and closed with its last user', async () => {
	const {files, open} = await openFilesOf(1);
	const [first, second] = [await open.acquire(files[0]!), await open.acquire(files[0]!)];
	first.release(true);
	expect(isOpen(second, files[0]!)).toBe(true);
	const third = await open.acquire(files[0]!);
	expect(third.fd).not.toBe(second.fd);
	second.release();
	await waitFor('the first to be closed', () => !isOpen(second, files[0]!));
	expect(isOpen(third, files[0]!)).toBe(true);
	third.release();
	open.close();
	await waitFor('the second to be closed', () => !isOpen(third, files[0]!));
});

test('a file that cannot be opened leaves nothing behind', async () => {
	const {files, open} = await openFilesOf(1);
	await appendFile(files[0]!.file, 'more');
	const tries = [open.acquire(files[0]!), open.acquire(files[0]!)];
	expect((await Promise.allSettled(tries)).map(({status}) => status)).toEqual(['rejected', 'rejected']);
	expect(open.size).toBe(0);
});
