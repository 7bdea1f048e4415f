// Index server and table together: one set of answers, and a server that dies is no loss.
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {parseAddress} from '../../source/core/address.ts';
import {createPeer} from '../../source/engine/create-peer.ts';
import {startServer} from '../helpers/network.ts';
import {runProgram, startProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';
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
		const after = await runProgram(['search', ...me, ...bootstrap, '--json', '6.txt'], {cwd});
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
	});

	test('a peer that runs searches, queues and downloads within two seconds of the loss of its server', async () => {
		const server = await startServer({args: ['--dht']});
		const alice = await startDhtPeer({name: 'alice', args: ['--server', server.address]});
		const root = await tempFolder();
		// In this process, for its clock to begin with the kill: a command would spend a second on starting Node.
		const {handle, bus} = await createPeer({
			...{dataDir: path.join(root, 'data'), downloads: path.join(root, 'downloads'), host: '127.0.0.1', port: 0},
			...{name: 'bob', servers: [server.address], shares: [], prefix: '', announce: false, limitDown: 100_000},
			dht: {bootstrap: [parseAddress(alice.node, 0)]},
		});
		onTestFinished(() => handle.stop());
		const {commands} = handle;
		const log: Array<{at: number; event: string; content?: string}> = [];
		for (const event of ['download-started', 'download-progress', 'download-finished'] as const)
			bus.on(event, ({content}) => log.push({at: performance.now(), event, content}));
		bus.on('server-lost', () => log.push({at: performance.now(), event: 'server-lost'}));
		/** Milliseconds from a moment to the first such event after it. */
		const until = (event: string, from: number, content?: string) =>
			waitFor(event, () => {
				const found = log.find(
					each => each.at > from && each.event === event && (!content || each.content === content),
				);
				return found && found.at - from;
			});
		const hit = async (query: string) => {
			const [first] = (await commands.search({query, limit: 5})).hits;
			return first;
		};
		const noise = await waitFor('noise.bin', () => hit('noise.bin'));
		await commands.get(noise);
		await until('download-started', 0, noise.content);

		const killed = performance.now();
		await server.stop('SIGKILL');
		const small = await hit('6.txt');
		expect(performance.now() - killed).toBeLessThan(10_000);
		expect(small?.sources.map(({peer}) => peer)).toEqual([alice.id]);
		await commands.get(small!);
		expect(await until('server-lost', killed)).toBeLessThan(10_000);
		expect(await until('download-progress', killed, noise.content)).toBeLessThan(10_000);
		await until('download-finished', killed, noise.content);
		await until('download-finished', killed, small!.content);
	});
});
