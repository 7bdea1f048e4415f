// What the dashboard can do to a running index server, with a real peer at it.
import {readFile, stat} from 'node:fs/promises';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {EngineBus} from '../../source/core/events.ts';
import {createIndexServer} from '../../source/engine/create-index-server.ts';
import {createPeer} from '../../source/engine/create-peer.ts';
import {testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

async function network() {
	const folder = await tempFolder();
	const dataDir = path.join(folder, 'server');
	const server = await createIndexServer({dataDir, host: '127.0.0.1', port: 0, name: 'index', announce: false});
	onTestFinished(() => server.handle.stop());
	const bus = new EngineBus();
	let registrations = 0;
	bus.on('registered', () => {
		registrations++;
	});
	const peer = await createPeer(
		{
			...{dataDir: path.join(folder, 'alice'), host: '127.0.0.1', port: 0, name: '=alice, "the first"'},
			...{servers: [`127.0.0.1:${server.handle.snapshot().port}`], shares: [testingFiles]},
			...{downloads: path.join(folder, 'downloads'), prefix: ''},
		},
		bus,
	);
	onTestFinished(() => peer.handle.stop());
	await waitFor('the registration with its files', async () => {
		await server.handle.commands.windows({peers: {offset: 0, rows: 10}});
		return (server.handle.snapshot().peers.rows[0]?.files ?? 0) > 5;
	});
	return {dataDir, server, peer, registrations: () => registrations};
}

test('a kicked peer is told to the others as gone, and may come back', async () => {
	const {server, peer, registrations} = await network();
	const {id} = peer.handle.snapshot();
	const before = registrations();
	const left = new Promise<string>(resolve => server.bus.on('peer-left', event => resolve(event.id)));
	await server.handle.commands.kick({peer: id});
	expect(await left).toBe(id);
	await waitFor('the peer to register again', () => registrations() > before);
	await expect(server.handle.commands.kick({peer: 'f'.repeat(64)})).rejects.toMatchObject({code: 'not-found'});
});

test('the peers are exported as JSON and CSV, for their owner alone', async () => {
	const {dataDir, server, peer} = await network();
	const {json, csv, peers} = await server.handle.commands.export();
	expect(peers).toBe(1);
	expect(path.dirname(json)).toBe(dataDir);
	const {id} = peer.handle.snapshot();
	expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject([{id, name: '=alice, "the first"', online: true}]);
	const [heading, row] = (await readFile(csv, 'utf8')).split('\r\n');
	expect(heading).toBe('number,id,name,host,port,files,bytes,online,since');
	// What a spreadsheet would take for a formula is text, and quotes are doubled.
	expect(row).toMatch(new RegExp(`^1,${id},"'=alice, ""the first""",127\\.0\\.0\\.1,`));
	expect((await stat(csv)).mode & 0o077).toBe(0);
});
