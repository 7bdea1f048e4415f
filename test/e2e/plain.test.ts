// The README's first minute in lines, on a real terminal, as a screen reader has it.
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {afterEach, expect, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {programFile, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {keys, type PtyScreen, startPty} from '../helpers/tui-pty.ts';
import {waitFor} from '../helpers/wait-for.ts';

let screen: PtyScreen | undefined;
afterEach(() => screen?.dispose());

test('searches, downloads from the chosen peer, browses, and leaves, line by line', async () => {
	const server = await startServer();
	await startPeer({server: server.address, name: 'alice'});
	const bob = await startPeer({
		server: server.address,
		name: 'bob',
		shares: [path.join(testingFiles, 'second-peer')],
	});
	const cwd = await tempFolder();
	const s = startPty(
		process.execPath,
		[
			...[programFile, '--mode', 'peer', '--plain', '--host', '0', '--port', '0', '--name', 'me'],
			...['--server', server.address, '--data-dir', path.join(cwd, 'me')],
		],
		{columns: 100, rows: 40, cwd, env: {HOME: cwd}},
	);
	screen = s;
	const type = async (line: string, answer: string | RegExp) => {
		s.send(`${line}\r`);
		await s.waitFor(answer);
	};

	await s.waitFor(/server \S+: online|Connected to|registered/i);
	await s.waitFor(/^> /m);
	await type('search 6.txt', /^1\. .*6\.txt, .*held by (alice|bob), (alice|bob)$/m);
	await type('get 1 from bob', 'Getting');
	await bob.event('upload-finished');
	const file = path.join(cwd, 'downloads', 'downloaded_6.txt');
	const original = await readFile(path.join(testingFiles, 'second-peer', '6.txt'));
	await waitFor('the file', () =>
		readFile(file)
			.then(bytes => bytes.equals(original))
			.catch(() => false),
	);
	await type('ls alice testing_files', /notes\//);
	await type('get 99', 'Error: ');
	// What happens while a line is half typed leaves it as it was, and what was typed before comes back.
	s.send('sea');
	await s.waitFor(/^> sea$/m);
	await startPeer({server: server.address, name: 'carol', shares: [path.join(testingFiles, 'notes')]});
	await s.waitFor(/^\S+ peer 4 joined: carol .*\n(.*\n)*> sea$/m);
	await type('rch timetable', /timetable\.csv, .*held by /);
	s.send(keys.up + keys.up);
	await s.waitFor(/^> get 99$/m);
	s.send(keys.ctrlC);
	expect((await s.exited).exitCode).toBe(0);
	await s.waitFor('Stopping');
	// A screen reader reads all that is written: nothing is drawn over, nothing moves.
	expect(s.modes().alternate).toBe(false);
	expect(s.raw()).not.toMatch(/\u001b\[\??(1049|25l|2J)/);
});
