// The built program's screen over real engines: what a person sets is kept, and a terminal that hangs stops nothing.
import {randomInt} from 'node:crypto';
import {open, readFile, stat} from 'node:fs/promises';
import path from 'node:path';
import {afterEach, expect, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {programFile, startProgram} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {keys, type PtyScreen, startPty} from '../helpers/tui-pty.ts';
import {waitFor} from '../helpers/wait-for.ts';

let screen: PtyScreen | undefined;
afterEach(() => screen?.dispose());

function startScreen(args: string[], cwd: string, columns = 120, rows = 36): PtyScreen {
	screen = startPty(process.execPath, [programFile, ...args], {columns, rows, cwd});
	return screen;
}

/** A folder with one file of random-looking bytes, written sparsely fast. */
async function bigShare(bytes: number): Promise<string> {
	const folder = path.join(await tempFolder(), 'big');
	await (await import('node:fs/promises')).mkdir(folder);
	const file = await open(path.join(folder, 'big.iso'), 'w');
	for (let at = 0; at < bytes; at += 1e6) await file.write(Buffer.from(`block ${at}`), 0, undefined, at);
	await file.truncate(bytes);
	await file.close();
	return folder;
}

test('a peer without a server asks for one, and joins it', async () => {
	const server = await startServer();
	const cwd = await tempFolder();
	const s = startScreen(
		['--mode', 'peer', '--host', '0', '--port', '0', '--data-dir', path.join(cwd, 'me')],
		cwd,
		80,
		24,
	);
	await s.waitFor('Where does one run?');
	s.send('0');
	s.send(keys.enter);
	await s.waitFor(/▸ Server port/);
	s.send(server.address.split(':')[1] ?? '');
	for (let field = 0; field < 4; field++) s.send(keys.enter);
	await s.waitFor('1 Search');
	await s.waitFor(`● 127.0.0.1:${server.port}`);
	s.send('q');
	expect((await s.exited).exitCode).toBe(0);
});

test('a server of the local network stands in the start menu, and one Enter joins it', async () => {
	const network = {P2P_TUI_MDNS: `127.0.0.1:${randomInt(20_000)}`};
	const server = startProgram(
		[
			'--mode',
			'server',
			'--host',
			'127.0.0.1',
			'--port',
			'0',
			'--name',
			'classroom',
			'--json',
			'--data-dir',
			path.join(await tempFolder(), 'server'),
		],
		{env: network},
	);
	const {port} = await server.event('listening');
	const cwd = await tempFolder();
	screen = startPty(process.execPath, [programFile, '--host', '0', '--port', '0', '--data-dir', path.join(cwd, 'me')], {
		columns: 80,
		rows: 24,
		cwd,
		env: network,
	});
	const s = screen;
	await s.waitFor('Join classroom');
	expect(s.text()).toMatch(/▸ Run server/);
	s.send(keys.down);
	s.send(keys.down);
	await s.waitFor(/▸ Join classroom +127\.0\.0\.1/);
	s.send(keys.enter);
	await s.waitFor(`● 127.0.0.1:${port}`);
	s.send('q');
	expect((await s.exited).exitCode).toBe(0);
});

test('settings are kept for the next start, beside what was in the file', async () => {
	const server = await startServer();
	const cwd = await tempFolder();
	const data = path.join(cwd, 'me');
	const {mkdir, writeFile} = await import('node:fs/promises');
	await mkdir(data, {mode: 0o700});
	await writeFile(path.join(data, 'config.json'), '{"prefix": "got_"}', {mode: 0o600});
	const args = ['--mode', 'peer', '--host', '0', '--port', '0', '--server', server.address, '--data-dir', data];
	const s = startScreen(args, cwd);
	await s.waitFor('1 Search');
	s.send(',');
	await s.waitFor('┏━ Settings');
	s.send(keys.down);
	s.send(keys.enter);
	await s.waitFor('take it');
	s.send(`${keys.ctrlU}5M`);
	s.send(keys.enter);
	await s.waitFor('‹ 5M/s ›');
	const kept = await waitFor('the config file', async () => {
		const text = await readFile(path.join(data, 'config.json'), 'utf8');
		return text.includes('limitDown') && text;
	});
	expect(JSON.parse(kept)).toEqual({prefix: 'got_', limitDown: 5e6});
	s.send(keys.escape);
	await s.waitFor(text => !text.includes('Settings'));
	s.send('q');
	await s.exited;
	const again = startScreen(args, cwd);
	await again.waitFor('1 Search');
	again.send(',');
	await again.waitFor(/Download limit +5M\/s/);
});

test('a terminal that stops reading does not stop a transfer', async () => {
	const server = await startServer();
	const size = 60e6;
	await startPeer({server: server.address, name: 'alice', shares: [await bigShare(size)]});
	const cwd = await tempFolder();
	const s = startScreen(
		[
			...['--mode', 'peer', '--host', '0', '--port', '0', '--server', server.address, '--name', 'me'],
			...['--data-dir', path.join(cwd, 'me'), '--downloads', path.join(cwd, 'downloads'), '--limit-down', '12M'],
		],
		cwd,
	);
	await s.waitFor('2 online');
	s.send('/big');
	await s.waitFor('1 hit');
	s.send(keys.enter);
	s.send('d');
	await s.waitFor(/↓ big\.iso .* [1-9]\d?%/);
	s.pause();
	// Far more than the terminal's buffers hold: the program's writes block from here on.
	for (let time = 0; time < 60; time++) s.send(keys.ctrlL);
	const arrived = path.join(cwd, 'downloads', 'downloaded_big.iso');
	await waitFor('the whole file', async () => (await stat(arrived).catch(() => undefined))?.size === size);
	expect(s.text()).not.toMatch(/✓ big\.iso/);
	s.resume();
	await s.waitFor(/✓ big\.iso .*100%/);
	s.send(keys.ctrlC);
	await s.exited;
});
