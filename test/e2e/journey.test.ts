// The built program in a real terminal, over a real server and real peers: what a person does in the first minute.
import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {programFile, runProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {keys, type PtyScreen, startPty} from '../helpers/tui-pty.ts';
import {waitFor} from '../helpers/wait-for.ts';

function screenOf(args: string[], columns: number, rows: number, cwd: string): PtyScreen {
	const screen = startPty(process.execPath, [programFile, ...args], {columns, rows, cwd});
	onTestFinished(() => screen.dispose());
	return screen;
}

const press = (screen: PtyScreen, ...sequence: string[]) => {
	for (const key of sequence) screen.send(key);
};

describe.each([
	[80, 24],
	[120, 36],
])('at %d columns and %d rows', (columns, rows) => {
	test('start menu → peer → search → arrow to a peer ID → Enter → finished download', async () => {
		const server = await startServer();
		const alice = await startPeer({server: server.address, name: 'alice'});
		const bob = await startPeer({
			server: server.address,
			name: 'bob',
			shares: [path.join(testingFiles, 'second-peer')],
		});
		const cwd = await tempFolder();
		const screen = screenOf(['--data-dir', path.join(cwd, 'me')], columns, rows, cwd);

		await screen.waitFor('Run peer');
		press(screen, keys.down);
		await screen.waitFor(/▸ Run peer/);
		press(screen, keys.enter);
		await screen.waitFor('Server address');
		press(screen, '0', keys.tab);
		await screen.waitFor(/▸ Server port/);
		press(screen, '\u0015', String(server.port));
		await screen.waitFor(String(server.port));
		press(screen, keys.enter, keys.enter, keys.enter, keys.enter);
		await screen.waitFor('1 Search');
		await screen.waitFor(server.address);

		press(screen, '/');
		for (const letter of '6.txt') press(screen, letter);
		await screen.waitFor(/6\.txt +3\.[34]K +2/);
		press(screen, keys.enter);
		await screen.waitFor('held by 2');
		// The peers that hold the file are named by ID; the arrow chooses one of them.
		const chosen = () => [alice, bob].find(peer => screen.inverse().some(run => run.includes(peer.id.slice(0, 6))));
		const first = await waitFor('a peer ID under the cursor', chosen);
		press(screen, keys.right);
		const wanted = await waitFor('the other peer ID under the cursor', () => {
			const peer = chosen();
			return peer !== first && peer;
		});
		press(screen, keys.enter);
		await screen.waitFor('Get file');
		press(screen, keys.enter);

		const arrived = path.join(cwd, 'downloads', 'downloaded_6.txt');
		const bytes = await waitFor('the finished file', () => readFile(arrived).catch(() => undefined));
		expect(bytes).toEqual(await readFile(path.join(testingFiles, '6.txt')));
		await wanted.event('upload-finished', event => event.name === '6.txt');
		await screen.waitFor('done');
		expect(await readdir(path.join(cwd, 'downloads'))).toEqual(['downloaded_6.txt']);

		press(screen, 'q');
		expect(await screen.exited).toMatchObject({exitCode: 0});
		expect(screen.modes()).toMatchObject({alternate: false, wrap: true, bracketedPaste: false, cursorHidden: false});
		// Nobody is left behind: the peer is gone from the network, and its data folder is free.
		await server.event('peer-left', event => event.name !== 'alice' && event.name !== 'bob');
		const after = await runProgram(['peers', '--server', server.address, '--data-dir', path.join(cwd, 'me'), '--json']);
		expect(
			after.stdout
				.trim()
				.split('\n')
				.map(line => (JSON.parse(line) as {online: boolean}).online),
		).toEqual([true, true, false]);
	});
});

test("the server's dashboard shows what its peers do, and ends with the terminal as it was", async () => {
	const cwd = await tempFolder();
	const screen = screenOf(
		['--mode', 'server', '--host', '0', '--port', '0', '--data-dir', path.join(cwd, 'server')],
		120,
		36,
		cwd,
	);
	await screen.waitFor(/listening +127\.0\.0\.1:\d+|127\.0\.0\.1:\d+/);
	const port = /127\.0\.0\.1:(\d+)/.exec(screen.text())?.[1];
	await startPeer({server: `127.0.0.1:${port}`, name: 'alice'});
	await screen.waitFor('REGISTER');
	await screen.waitFor(/alice/);
	await runProgram(['search', 'recipe', '--server', `0:${port}`, '--data-dir', path.join(cwd, 'me')]);
	await screen.waitFor(/SEARCH.*recipe.*1 hit/);
	await screen.resize(80, 24);
	await screen.waitFor('Requests');
	process.kill(screen.pid, 'SIGTERM');
	await screen.exited;
	expect(screen.modes()).toMatchObject({alternate: false, wrap: true, cursorHidden: false});
});

test('the demo runs from the start menu and ends on a live screen with verified downloads', async () => {
	const cwd = await tempFolder();
	const screen = screenOf(['--data-dir', path.join(cwd, 'me')], 120, 36, cwd);
	await screen.waitFor('Try the demo');
	press(screen, keys.down, keys.down);
	await screen.waitFor(/▸ Try the demo/);
	press(screen, keys.enter);
	await screen.waitFor(/✓ noise\.bin/);
	await screen.waitFor(/✓ 1\.txt/);
	press(screen, 'q');
	expect(await screen.exited).toMatchObject({exitCode: 0});
});

test('without a terminal the demo ends by itself, and every byte is compared', async () => {
	const {code, stdout} = await runProgram(['demo']);
	expect(stdout).toMatch(/7\. bob downloaded noise\.bin from alice: 717 kB, every byte equal\.\n$/);
	expect(code).toBe(0);
});
