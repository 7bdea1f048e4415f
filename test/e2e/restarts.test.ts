// Servers that restart, peers that are killed, shares that change: with the built program and real signals.
import {mkdir, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {runProgram} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

async function asUser(server: string) {
	const cwd = await tempFolder();
	return (...args: string[]) =>
		runProgram([...args, '--server', server, '--data-dir', path.join(cwd, 'me'), '--json'], {cwd});
}

describe('presence', () => {
	test('a peer that is killed is offline within seconds, its files are no longer offered, and its number is kept for it', async () => {
		const server = await startServer();
		const folder = await tempFolder();
		const data = path.join(folder, 'bob');
		await startPeer({server: server.address, name: 'alice', shares: []});
		const bob = await startPeer({server: server.address, name: 'bob', dataDir: data});
		const run = await asUser(server.address);
		expect((await run('search', '2.txt')).code).toBe(0);

		bob.child.kill('SIGKILL');
		const killed = Date.now();
		await waitFor('nobody to offer 2.txt', async () => (await run('search', '2.txt')).code === 3);
		expect(Date.now() - killed).toBeLessThan(15_000);
		expect((await run('peers')).stdout).toContain(`"number":2,"name":"bob"`);
		expect((await run('peers')).stdout).toContain('"online":false');
		await server.event('peer-left', event => event.id === bob.id);

		const back = await startPeer({server: server.address, name: 'bob', dataDir: data});
		expect(back.id).toBe(bob.id);
		expect((await back.event('registered')).number).toBe(2);
		expect((await run('search', '2.txt')).code).toBe(0);
	});

	test('the server restarts: its peers come back by themselves under their numbers, nothing is sent again', async () => {
		const folder = await tempFolder();
		const dataDir = path.join(folder, 'server');
		const first = await startServer({dataDir});
		const alice = await startPeer({server: first.address, name: 'alice'});
		const bob = await startPeer({server: first.address, name: 'bob'});
		const run = await asUser(first.address);
		const before = (await run('search', '6.txt')).stdout;
		expect(await first.stop()).toBe(0);
		await alice.event('server-lost');
		const second = await startServer({dataDir, port: first.port});
		expect(second.id).toBe(first.id);
		await Promise.all([alice.event('server-back'), bob.event('server-back')]);
		const after = await waitFor('both to be offered again', async () => {
			const {stdout} = await run('search', '6.txt');
			return stdout.length >= before.length && stdout;
		});
		expect(JSON.parse(after)).toEqual(JSON.parse(before));
	});

	test('the server is killed: what it had acknowledged is still there', async () => {
		const dataDir = path.join(await tempFolder(), 'server');
		const first = await startServer({dataDir});
		const alice = await startPeer({server: first.address, name: 'alice'});
		await first.stop('SIGKILL');
		await alice.event('server-lost');
		await startServer({dataDir, port: first.port});
		await alice.event('server-back');
		const run = await asUser(first.address);
		await waitFor('the files to be offered again', async () => (await run('search', '6.txt')).code === 0);
	});
});

describe('a share that changes', () => {
	test('adds, changes, renames and removals are searchable soon, and a second start hashes nothing', async () => {
		const server = await startServer();
		const folder = await tempFolder();
		const share = path.join(folder, 'music');
		const data = path.join(folder, 'alice');
		await mkdir(path.join(share, 'live'), {recursive: true});
		await writeFile(path.join(share, 'first.flac'), 'one');
		const alice = await startPeer({server: server.address, name: 'alice', shares: [share], dataDir: data});
		const run = await asUser(server.address);
		const found = async (name: string) => {
			const {stdout} = await run('search', `name:"${name}"`);
			return stdout.startsWith('{"content"')
				? (JSON.parse(stdout) as {size: number; sources: Array<{path: string}>})
				: undefined;
		};

		await writeFile(path.join(share, 'live', 'second.flac'), 'two');
		await waitFor('the added file', () => found('second.flac'));
		await writeFile(path.join(share, 'first.flac'), 'one and more');
		await waitFor('the changed file', async () => (await found('first.flac'))?.size === 12);
		await rename(path.join(share, 'live'), path.join(share, 'concert'));
		await waitFor(
			'the renamed folder',
			async () => (await found('second.flac'))?.sources[0]?.path === 'music/concert/second.flac',
		);
		await rm(path.join(share, 'first.flac'));
		await waitFor(
			'the removal',
			async () => (await found('first.flac')) === undefined && (await run('search', 'first')).code === 3,
		);

		expect(await alice.stop()).toBe(0);
		await writeFile(path.join(share, 'while-away.flac'), 'three');
		const back = await startPeer({server: server.address, name: 'alice', shares: [share], dataDir: data});
		expect(await found('while-away.flac')).toMatchObject({size: 5});
		expect((await back.event('registered', event => event.files === 2)).number).toBe(1);
	});
});
