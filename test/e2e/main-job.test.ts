// The README's first minute, with the built program: a server, peers, one-shot commands, real TLS and files.
import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {runProgram, startProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

/** Runs a one-shot command of a user of their own, in a working folder of their own. */
async function asUser(server: string) {
	const cwd = await tempFolder();
	const run = (...args: string[]) =>
		runProgram([...args, '--server', server, '--data-dir', path.join(cwd, 'me')], {cwd});
	const json = (text: string) =>
		text
			.trim()
			.split('\n')
			.map(line => JSON.parse(line) as Record<string, unknown>);
	return {cwd, run, json};
}

const original = (name: string) => readFile(path.join(testingFiles, name));

describe('register, search, choose a peer, download, verify', () => {
	test('one peer: get by name leaves an identical file under downloads/', async () => {
		const server = await startServer();
		const alice = await startPeer({server: server.address, name: 'alice'});
		const me = await asUser(server.address);

		const got = await me.run('get', '1.txt', '--json');
		expect(got.stderr).toBe('');
		expect(got.code).toBe(0);
		expect(await readFile(path.join(me.cwd, 'downloads', 'downloaded_1.txt'))).toEqual(await original('1.txt'));
		expect(got.events[0]).toMatchObject({event: 'download-started', name: '1.txt', size: 67, sources: [alice.id]});
		expect(got.events.at(-1)).toMatchObject({
			event: 'download-finished',
			done: 67,
			path: path.join(me.cwd, 'downloads', 'downloaded_1.txt'),
		});
		expect(await readdir(path.join(me.cwd, 'downloads'))).toEqual(['downloaded_1.txt']);
		await alice.event('upload-finished', event => event.name === '1.txt' && event.bytes === 67);

		const again = await me.run('get', '1.txt', '--json');
		expect(again.code).toBe(0);
		expect(again.events.at(-1)).toMatchObject({event: 'download-finished', alreadyThere: true});
		expect(await readdir(path.join(me.cwd, 'downloads'))).toEqual(['downloaded_1.txt']);
	});

	test('two peers: a search names one for one file and both for another, and --from chooses', async () => {
		const server = await startServer();
		const alice = await startPeer({server: server.address, name: 'alice'});
		const bob = await startPeer({
			server: server.address,
			name: 'bob',
			shares: [path.join(testingFiles, 'second-peer')],
		});
		const me = await asUser(server.address);

		const [one] = me.json((await me.run('search', '1.txt', '--json')).stdout);
		expect(one).toMatchObject({
			name: '1.txt',
			size: 67,
			sources: [
				{
					peer: alice.id,
					number: 1,
					name: 'alice',
					host: '127.0.0.1',
					port: alice.port,
					path: 'testing_files/1.txt',
					online: true,
				},
			],
		});
		const [six] = me.json((await me.run('search', '6.txt', '--json')).stdout) as Array<{
			content: string;
			sources: Array<{peer: string; path: string; sharedAt: string}>;
		}>;
		expect(new Set(six?.sources.map(source => source.peer))).toEqual(new Set([alice.id, bob.id]));
		expect(
			six?.sources.every(source => !source.path.startsWith('/') && Date.parse(source.sharedAt) <= Date.now()),
		).toBe(true);

		for (const [from, peer] of [
			['2', bob],
			['alice', alice],
			[bob.id.slice(0, 8), bob],
		] as const) {
			const got = await me.run('get', '6.txt', '--from', from, '--downloads', `from-${from}`, '--json');
			expect(got.events.at(-1), got.stdout + got.stderr).toMatchObject({
				event: 'download-finished',
				sources: [peer.id],
			});
			expect(await readFile(path.join(me.cwd, `from-${from}`, 'downloaded_6.txt'))).toEqual(await original('6.txt'));
		}
		const neither = await me.run('get', '1.txt', '--from', 'bob');
		expect([neither.code, neither.stderr]).toEqual([4, expect.stringContaining('Held by: 1 (alice)')]);
	});

	test('every file that comes with the project arrives whole, by name, content ID and link', async () => {
		const server = await startServer();
		await startPeer({server: server.address, name: 'alice'});
		const me = await asUser(server.address);
		const names = (await readdir(testingFiles, {recursive: true, withFileTypes: true})).filter(
			entry => entry.isFile() && !entry.parentPath.endsWith('second-peer'),
		);
		expect(names.length).toBeGreaterThanOrEqual(12);
		for (const entry of names) {
			const got = await me.run('get', entry.name, '--prefix', '');
			expect(got.code, `${entry.name}: ${got.stderr}`).toBe(0);
			expect(await readFile(path.join(me.cwd, 'downloads', entry.name))).toEqual(
				await readFile(path.join(entry.parentPath, entry.name)),
			);
		}
		const [noise] = me.json((await me.run('hash', path.join(testingFiles, 'noise.bin'), '--json')).stdout) as Array<{
			content: string;
			size: number;
		}>;
		for (const [folder, target] of [
			['id', noise!.content],
			['link', `magnet:?xt=urn:btmr:${noise!.content}&dn=static.bin&xl=${noise!.size}`],
		] as const) {
			const got = await me.run('get', target, '--downloads', folder);
			expect(got.code, got.stderr).toBe(0);
			const [name] = await readdir(path.join(me.cwd, folder));
			expect(name).toBe(folder === 'id' ? 'downloaded_noise.bin' : 'downloaded_static.bin');
			expect(await readFile(path.join(me.cwd, folder, name!))).toEqual(await original('noise.bin'));
		}
	});

	test('peers and ls show who is there and what they share, for people and for programs', async () => {
		const server = await startServer();
		const alice = await startPeer({server: server.address, name: 'alice'});
		const me = await asUser(server.address);
		const [peer] = me.json((await me.run('peers', '--json')).stdout);
		expect(peer).toMatchObject({
			id: alice.id,
			number: 1,
			name: 'alice',
			host: '127.0.0.1',
			port: alice.port,
			online: true,
		});
		const top = me.json((await me.run('ls', '1', '--json')).stdout);
		expect(top).toEqual([
			expect.objectContaining({path: 'testing_files', type: 'folder', files: peer?.files, size: peer?.bytes}),
		]);
		const inside = me.json((await me.run('ls', 'alice', 'testing_files', '--json')).stdout);
		expect(inside).toContainEqual(expect.objectContaining({path: 'testing_files/1.txt', type: 'file', size: 67}));
		expect(inside.slice(0, 2).map(entry => entry.type)).toEqual(['folder', 'folder']);
		expect((await me.run('ls', '1', 'testing_files/notes')).stdout).toContain('testing_files/notes/timetable.csv');
		expect((await me.run('ls', '1', 'nowhere')).code).toBe(3);
		expect((await me.run('ls', '9')).code).toBe(3);
	});

	test('a name that means several files is not guessed: the candidates are listed', async () => {
		const server = await startServer();
		await startPeer({server: server.address, name: 'alice'});
		const me = await asUser(server.address);
		const got = await me.run('get', 'txt', '--json');
		expect(got.code).toBe(2);
		expect(got.stderr).toContain('different files');
		const error = got.events.at(-1) as unknown as {
			code: string;
			details: {candidates: Array<{name: string; content: string}>};
		};
		expect(error.code).toBe('ambiguous');
		expect(error.details.candidates.map(candidate => candidate.name)).toContain('2.txt');
		const people = await me.run('get', 'txt');
		expect(people.stderr).toContain(error.details.candidates[0]!.content);
	});

	test('what is found nowhere, and a query that is none, have exit codes of their own', async () => {
		const server = await startServer();
		const me = await asUser(server.address);
		expect((await me.run('search', 'nothing-of-that-name')).code).toBe(3);
		expect((await me.run('get', 'nothing-of-that-name')).code).toBe(3);
		expect((await me.run('get', 'ab'.repeat(32))).code).toBe(4);
		expect((await me.run('search', 'size:>huge')).code).toBe(2);
		expect((await me.run('search')).code).toBe(2);
	});

	test('a one-shot command uses the server used last', async () => {
		const server = await startServer();
		await startPeer({server: server.address, name: 'alice'});
		const me = await asUser(server.address);
		expect((await me.run('peers')).code).toBe(0);
		const again = await runProgram(['search', '3.txt', '--data-dir', path.join(me.cwd, 'me')], {cwd: me.cwd});
		expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('3.txt')]);
	});

	test('a command of the same user as a running peer gets what that peer shares, and a second peer just starts', async () => {
		const home = await tempFolder();
		const env = {HOME: home, XDG_DATA_HOME: path.join(home, 'data'), APPDATA: home, LOCALAPPDATA: home};
		const server = await startServer();
		const peer = (...args: string[]) =>
			startProgram(['--mode', 'peer', '--host', '0', '--port', '0', '--server', server.address, '--json', ...args], {
				cwd: home,
				env,
			});
		const first = peer('--share', testingFiles);
		await first.event('registered', event => Number(event.files) > 10);
		const got = await runProgram(['get', '1.txt', '--server', server.address], {cwd: home, env});
		expect(got.code, got.stderr).toBe(0);
		expect(await readFile(path.join(home, 'downloads', 'downloaded_1.txt'))).toEqual(await original('1.txt'));

		const second = peer('--share', path.join(testingFiles, 'second-peer'), '--name', 'second');
		await second.event('log', event => String(event.message).includes('another peer runs here already'));
		expect((await second.event('registered', event => event.files === 5)).number).toBe(2);
		const chosen = await runProgram(['get', '6.txt', '--server', server.address, '--from', 'second', '--json'], {
			cwd: home,
			env,
		});
		expect(chosen.events.at(-1), chosen.stderr).toMatchObject({
			event: 'download-finished',
			sources: [(await second.event('listening')).id],
		});
	});
});
