// With the real program: aria2c must be on the machine, these tests fail without it.
import {execFile} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {beforeAll, expect, test} from 'vitest';
import {tempFolder} from '../helpers/temp-folder.ts';
import {someBytes, uploadServer} from '../helpers/upload.ts';

const run = promisify(execFile);

beforeAll(async () => {
	await run('aria2c', ['--version']).catch(cause => {
		throw new Error('These tests need aria2c (Debian: aria2) on the PATH', {cause});
	});
});

test('aria2 fetches one file from two peers at once', async () => {
	const bytes = someBytes(12_000_001);
	// Limited, so that neither of them has sent all before the other is asked.
	const peers = [await uploadServer({limit: 12_000_000}), await uploadServer({limit: 12_000_000})];
	const urls: string[] = [];
	for (const {catalog, port} of peers) {
		const {content} = await catalog.write('1.bin', bytes);
		urls.push(`https://127.0.0.1:${port}/v1/files/${content}`);
	}
	const folder = await tempFolder();
	const split = ['--split=4', '--max-connection-per-server=2', '--min-split-size=1M', '--uri-selector=inorder'];
	const plain = ['--no-conf', '--quiet', '--check-certificate=false', '--file-allocation=none'];
	await run('aria2c', [...plain, ...split, '--dir', folder, '--out', 'got', ...urls]);
	expect((await readFile(path.join(folder, 'got'))).equals(bytes)).toBe(true);
	for (const {server} of peers) expect(server.totals().sent).toBeGreaterThan(bytes.length / 8);
});
