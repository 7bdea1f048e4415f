import {mkdtemp, realpath, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {onTestFinished} from 'vitest';

/** An empty folder of the running test, removed when the test ends. */
export async function tempFolder(): Promise<string> {
	const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'p2p-tui-test-')));
	onTestFinished(() => rm(folder, {recursive: true, force: true, maxRetries: 5}));
	return folder;
}
