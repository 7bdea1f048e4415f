import {close, fsync, open} from 'node:fs';
import * as fs from 'node:fs/promises';
import {promisify} from 'node:util';
import {hashWholeFile} from './verify-file.ts';
import type {CheckOrder} from './worker-messages.ts';

const [openFd, fsyncFd, closeFd] = [promisify(open), promisify(fsync), promisify(close)];

/** Which of the files are there with the right bytes: a byte each. Stops early, with what it has. */
export async function checkFiles(files: CheckOrder['files'], stopped: () => boolean): Promise<Uint8Array> {
	const good = new Uint8Array(files.length);
	for (const [i, {path, content, size}] of files.entries()) {
		if (stopped()) break;
		const found = await fs.lstat(path).catch(() => undefined);
		if (!found?.isFile() || found.size !== size) continue;
		if ((await hashWholeFile(path, stopped).catch(() => undefined)) === content) good[i] = 1;
	}
	return good;
}

/** Files that are synced at once: the system writes several together. */
const syncedAtOnce = 4;

/** Brings files, and then the names in folders, to the disk. */
export async function syncPaths({files, folders}: {files: string[]; folders: string[]}): Promise<void> {
	const left = files.toReversed();
	const work = async () => {
		for (let file = left.pop(); file !== undefined; file = left.pop()) {
			const fd = await openFd(file, 'r+');
			await fsyncFd(fd).finally(() => closeFd(fd));
		}
	};
	await Promise.all(Array.from({length: syncedAtOnce}, work));
	for (const folder of folders) {
		// Windows and some network drives cannot: the names follow with the system's own writing.
		const fd = await openFd(folder, 'r').catch(() => undefined);
		if (fd === undefined) continue;
		await fsyncFd(fd).catch(() => undefined);
		await closeFd(fd);
	}
}
