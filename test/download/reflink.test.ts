// Content that is here already, on a file system whose files can share their blocks: a real btrfs in a file.
import {execFile} from 'node:child_process';
import {mkdir, open, readFile, statfs, truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {expect, onTestFinished, type TestContext, test} from 'vitest';
import {contentOf, downloader} from '../helpers/download.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {someBytes} from '../helpers/upload.ts';

const MiB = 2 ** 20;
const run = promisify(execFile);

/** An empty btrfs, unmounted when the test ends. Skips the test, with the reason told, where none can be mounted. */
async function btrfs(context: TestContext): Promise<string> {
	const root = await tempFolder();
	const [image, top] = [path.join(root, 'image'), path.join(root, 'mounted')];
	await mkdir(top);
	await writeFile(image, '');
	await truncate(image, 256 * MiB);
	try {
		await run('mkfs.btrfs', ['--quiet', image], {timeout: 20_000});
		await run('mount', ['-o', 'loop', image, top], {timeout: 20_000});
	} catch (error) {
		const reason = `no btrfs can be made and mounted here: ${(error as Error).message.trim()}`;
		console.warn(`skipped: ${reason}`);
		context.skip(reason);
	}
	onTestFinished(async () => {
		await run('umount', [top], {timeout: 20_000});
	});
	return top;
}

/** Bytes that the file system has left, once everything is written. */
async function free(top: string): Promise<number> {
	await run('sync', ['-f', top], {timeout: 20_000});
	const {bavail, bsize} = await statfs(top);
	return bavail * bsize;
}

test('a copy of what is here takes no room where the file system can share blocks', async context => {
	const top = await btrfs(context);
	const bytes = someBytes(24 * MiB);
	const {content} = contentOf(bytes);
	const file = path.join(top, 'shared.bin');
	await writeFile(file, bytes);
	const before = await free(top);

	const localCopies = (asked: string) =>
		asked === content ? [{file, size: bytes.length, where: 'your share music'}] : [];
	const {manager, folder} = await downloader({folder: path.join(top, 'downloads'), localCopies});
	const {key} = await manager.add({content, size: bytes.length, name: 'a.bin', sources: []});
	const {path: there} = await manager.finished(key);
	expect((await readFile(there)).equals(bytes)).toBe(true);
	const tree = await manager.addFolder({name: 'notes', files: [{path: 'b.bin', content, size: bytes.length}]});
	await manager.finished(tree.key);
	expect((await readFile(path.join(folder, 'downloaded_notes', 'b.bin'))).equals(bytes)).toBe(true);
	const after = await free(top);
	expect(before - after).toBeLessThan(4 * MiB);

	// They share blocks, but are two files.
	const written = await open(there, 'r+');
	await written.write(Buffer.from('changed'), 0, 7, 0);
	await written.close();
	expect((await readFile(file)).equals(bytes)).toBe(true);

	// That this measures something: the same bytes, copied, do take room.
	await writeFile(path.join(top, 'copied'), bytes);
	expect(after - (await free(top))).toBeGreaterThan(20 * MiB);
});
