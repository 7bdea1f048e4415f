import {stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {FolderReader} from '../../source/share/folder-reader.ts';
import {holdLoop} from '../helpers/hold-loop.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

test('a folder that is to be read just as the idle thread is being ended is read', async () => {
	const root = await tempFolder();
	await writeFile(path.join(root, 'one.txt'), 'one');
	const reader = new FolderReader();
	onTestFinished(() => reader.close());
	const read = () => reader.read({name: 'share', root, excluded: []}, '', () => undefined);
	const first = await read();
	expect(first.files).toHaveLength(1);
	// The thread's idle time ends while the loop is held: its end comes in the turn before the one that reads.
	holdLoop(10_100);
	await stat(root);
	expect(await read()).toEqual(first);
	expect(await read()).toEqual(first);
});
