// Index server and table together: one set of answers, and a server that dies is no loss.
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {startServer} from '../helpers/network.ts';
import {runProgram, startProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {startDhtPeer} from './network.ts';

describe('a server that is a node as well', () => {
	test('answers merge; when the server is killed, search and download go on; when it is back the peer registers', async () => {
		const server = await startServer({args: ['--dht']});
		const joined = await server.event('dht-joined');
		expect(joined.port).toBe(server.port);
		const alice = await startDhtPeer({name: 'alice', args: ['--server', server.address]});
		await alice.event('registered', event => event.server === server.address && Number(event.files) >= 18);
		const bob = await startDhtPeer({
			name: 'bob',
			bootstrap: [server.address],
			shares: [path.join(testingFiles, 'second-peer')],
		});
		const cwd = await tempFolder();
		const me = ['--dht', '--host', '0', '--server', server.address, '--data-dir', path.join(cwd, 'me')];
		const bootstrap = ['--bootstrap', bob.node, '--bootstrap', alice.node];
		const hits = (stdout: string) =>
			stdout
				.split('\n')
				.filter(line => line.startsWith('{"content"'))
				.map(line => JSON.parse(line) as {name: string; sources: Array<{peer: string}>});

		// bob is in the table only, alice in both: each once.
		const before = await runProgram(['search', ...me, ...bootstrap, '--json', '6.txt'], {cwd});
		expect(before.stderr).toBe('');
		expect(
			hits(before.stdout)[0]
				?.sources.map(({peer}) => peer)
				.sort(),
		).toEqual([alice.id, bob.id].sort());

		const slow = startProgram(['get', ...me, ...bootstrap, '--limit-down', '400K', '--json', 'noise.bin'], {cwd});
		await slow.event('download-started');
		await server.stop('SIGKILL');
		await alice.event('server-lost');
		const started = performance.now();
		const after = await runProgram(['search', ...me, ...bootstrap, '--json', '6.txt'], {cwd});
		expect(performance.now() - started).toBeLessThan(8000);
		expect([after.code, after.stderr]).toEqual([0, '']);
		expect(
			hits(after.stdout)[0]
				?.sources.map(({peer}) => peer)
				.sort(),
		).toEqual([alice.id, bob.id].sort());
		expect(await slow.ended, slow.stdout() + slow.stderr()).toBe(0);
		expect(await readFile(path.join(cwd, 'downloads', 'downloaded_noise.bin'))).toEqual(
			await readFile(path.join(testingFiles, 'noise.bin')),
		);
		const got = await runProgram(['get', ...me, ...bootstrap, '--json', '1.txt'], {cwd});
		expect([got.code, got.events.at(-1)?.event]).toEqual([0, 'download-finished']);

		const seen = alice.events().length;
		await startServer({port: server.port, dataDir: server.dataDir, args: ['--dht']});
		await alice.event('server-back', () => true, seen);
		await alice.event('registered', event => event.server === server.address, seen);
	}, 120_000);
});
