// Why a download is slow, as the real program says it.
import {randomBytes} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {runProgram} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

test('get --json names what holds it up: the limit of whoever sends, for a file and for many small ones', async () => {
	const root = await tempFolder();
	const share = path.join(root, 'share');
	await mkdir(path.join(share, 'many'), {recursive: true});
	await writeFile(path.join(share, 'large.bin'), randomBytes(3_000_000));
	for (let n = 0; n < 60; n++) await writeFile(path.join(share, 'many', `${n}.bin`), randomBytes(50_000));
	const server = await startServer();
	await startPeer({server: server.address, name: 'alice', shares: [share], args: ['--limit-up', '500K']});
	const get = async (wanted: string) => {
		const places = ['--data-dir', path.join(root, 'data'), '--downloads', path.join(root, 'into')];
		const {code, stdout} = await runProgram([
			...['get', wanted, '--from', 'alice', '--server', server.address, '--json'],
			...places,
		]);
		expect(code).toBe(0);
		const lines = stdout
			.trim()
			.split('\n')
			.map(line => JSON.parse(line));
		return lines.flatMap(({event, bottleneck}) => (event === 'download-progress' && bottleneck ? [bottleneck] : []));
	};
	for (const wanted of ['share/large.bin', 'share/many']) {
		const named = await get(wanted);
		expect(
			named.map(({stage}) => stage),
			wanted,
		).toContain('their-limit');
		expect(named.find(({stage}) => stage === 'their-limit').text).toMatch(/limit/);
	}
});
