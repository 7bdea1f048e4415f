// The peer's screen in a network without a server, and its header beside one that dies.
import {access} from 'node:fs/promises';
import path from 'node:path';
import {afterEach, test} from 'vitest';
import {startServer} from '../helpers/network.ts';
import {programFile} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {keys, type PtyScreen, startPty} from '../helpers/tui-pty.ts';
import {waitFor} from '../helpers/wait-for.ts';
import {startDhtPeer} from './network.ts';

let screen: PtyScreen | undefined;
afterEach(() => screen?.dispose());

test('search and download on the screen; the header tells of the table and of the server that dies', async () => {
	const server = await startServer();
	const alice = await startDhtPeer({name: 'alice'});
	const cwd = await tempFolder();
	const args = ['--mode', 'peer', '--dht', '--host', '0', '--port', '0', '--data-dir', path.join(cwd, 'me')];
	const networks = ['--bootstrap', alice.node, '--server', server.address];
	screen = startPty(process.execPath, [programFile, ...args, ...networks], {columns: 140, rows: 36, cwd});
	const s = screen;
	await s.waitFor('DHT (1 node)');
	await s.waitFor(`● ${server.address}`);
	await server.stop('SIGKILL');
	await s.waitFor(`lost ${server.address}`);
	await s.waitFor('DHT (1 node)');
	s.send('/');
	s.send('creme');
	await s.waitFor('Crème brûlée');
	s.send(keys.enter);
	await s.waitFor('held by');
	s.send(keys.enter);
	await s.waitFor('Get file');
	s.send(keys.enter);
	const arrived = path.join(cwd, 'downloads', 'downloaded_Crème brûlée – recipe à la maison.txt');
	await waitFor('the download', () =>
		access(arrived).then(
			() => true,
			() => false,
		),
	);
});
