// Index servers over one Redis Cluster, as processes: what is registered at one is found at the others.
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {runProgram} from '../helpers/program.ts';
import {hasRedisServer, type RedisCluster, startRedisCluster} from '../helpers/redis-cluster.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

const there = await hasRedisServer();
let cluster: RedisCluster;

beforeAll(async () => {
	if (!there) return;
	cluster = await startRedisCluster();
});

afterAll(() => cluster?.stop());

async function search(server: string, query: string): Promise<Record<string, unknown>[]> {
	const {stdout} = await runProgram(['search', query, '--server', server, '--json', '--data-dir', await tempFolder()]);
	return stdout
		.split('\n')
		.filter(line => line.startsWith('{') && !line.includes('"event"'))
		.map(line => JSON.parse(line) as Record<string, unknown>);
}

test.skipIf(!there)(
	'a file registered at one server is found at the other, with the same numbers, and downloaded',
	async () => {
		const [one, two] = await Promise.all([
			startServer({args: ['--store', cluster.url]}),
			startServer({args: ['--store', cluster.url]}),
		]);
		const share = path.join(await tempFolder(), 'music');
		await mkdir(share);
		await writeFile(path.join(share, 'quiet song.flac'), 'not really a song');
		const alice = await startPeer({server: one.address, name: 'alice', shares: [share]});
		const bob = await startPeer({server: two.address, name: 'bob', shares: []});
		expect(await bob.event('registered')).toMatchObject({number: 2});
		// Who is at the other server is seen as well, and its coming is told.
		await alice.event('peer-joined', event => event.name === 'bob');
		const hits = await search(two.address, 'quiet');
		expect(hits).toMatchObject([{name: 'quiet song.flac', sources: [{name: 'alice', number: 1, online: true}]}]);

		const added = Date.now();
		await writeFile(path.join(share, 'late arrival.flac'), 'registered while both run');
		await alice.event('registered', event => Number(event.files) === 2);
		const registered = Date.now();
		await waitFor('the other server to find it', async () => (await search(two.address, 'arrival')).length === 1);
		expect(Date.now() - registered, `added ${registered - added} ms before`).toBeLessThan(15_000);

		const folder = await tempFolder();
		const get = ['get', 'quiet', '--server', two.address, '--downloads', folder, '--data-dir', await tempFolder()];
		expect(await runProgram([...get, '--json'])).toMatchObject({code: 0});

		await alice.stop();
		await bob.event('peer-left', event => event.name === 'alice');
		await waitFor('it to be gone', async () => (await search(two.address, 'quiet')).length === 0);
	},
);

test.skipIf(!there)('a peer with two servers goes on when one of them is killed', async () => {
	const [one, two] = await Promise.all([
		startServer({args: ['--store', cluster.url]}),
		startServer({args: ['--store', cluster.url]}),
	]);
	// On a busy machine they listen before they have read all logs, and then tell peers to come again.
	for (const {address} of [one, two]) {
		const ask = ['search', 'nothing of that kind', '--server', address, '--data-dir', await tempFolder()];
		await waitFor(`${address} to have the whole index`, async () => (await runProgram(ask)).code === 3);
	}
	const share = path.join(await tempFolder(), 'docs');
	await mkdir(share);
	await writeFile(path.join(share, 'survivor.txt'), 'still here');
	const alice = await startPeer({
		server: one.address,
		name: 'alice2',
		shares: [share],
		args: ['--server', two.address],
	});
	await alice.event('registered', event => event.server === two.address);
	// Both servers take the same catalog at the same time, and neither is lost over it.
	expect(alice.events().filter(({event}) => event === 'server-lost')).toEqual([]);
	const lone = path.join(await tempFolder(), 'lone');
	await mkdir(lone);
	await writeFile(path.join(lone, 'marooned.txt'), 'at the first server only');
	await startPeer({server: one.address, name: 'carol', shares: [lone]});
	await waitFor('the other server to see carol', async () => (await search(two.address, 'marooned')).length === 1);
	await one.stop('SIGKILL');
	const killed = Date.now();
	await alice.event('server-lost', event => event.server === one.address);
	expect(await search(two.address, 'survivor')).toMatchObject([{sources: [{name: 'alice2', online: true}]}]);
	const before = alice.events().length;
	await writeFile(path.join(share, 'newcomer.txt'), 'came after the server died');
	await alice.event('registered', event => event.server === two.address && event.files === 2, before);
	expect(await search(two.address, 'newcomer')).toHaveLength(1);
	expect(await search(two.address, 'survivor')).toMatchObject([{name: 'survivor.txt'}]);
	// Who was at the dead server only is offline when its lease has ended, seven seconds later.
	await waitFor('carol to be offline', async () => (await search(two.address, 'marooned')).length === 0);
	expect(Date.now() - killed).toBeLessThan(14_000);
});
