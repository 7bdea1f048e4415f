// The first ten minutes of somebody who has never seen it: every key that is pressed stands on the screen at that moment.
import {randomBytes} from 'node:crypto';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {afterEach, expect, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {programFile} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {keys, type PtyScreen, startPty} from '../helpers/tui-pty.ts';
import {waitFor} from '../helpers/wait-for.ts';

let screen: PtyScreen | undefined;
afterEach(() => screen?.dispose());

const size = 12e6;

/** A folder with a file that three peers hold, and one more. */
async function shareOf(bytes: Buffer): Promise<string> {
	const folder = path.join(await tempFolder(), 'films');
	await mkdir(path.join(folder, 'old'), {recursive: true});
	await writeFile(path.join(folder, 'holiday 2026.mkv'), bytes);
	await writeFile(path.join(folder, 'old', 'notes.txt'), 'made in summer');
	return folder;
}

test.each([
	[80, 24],
	[120, 36],
])(
	'join, find, pick two peers, download, pause and resume, browse, share, quit, by the keys on screen (%ix%i)',
	async (columns, rows) => {
		const server = await startServer();
		const bytes = randomBytes(size);
		for (const name of ['alice', 'bob', 'carol'])
			await startPeer({server: server.address, name, shares: [await shareOf(bytes)], args: ['--limit-up', '1M']});
		const cwd = await tempFolder();
		await mkdir(path.join(cwd, 'photos'));
		await writeFile(path.join(cwd, 'photos', 'sea.jpg'), 'not really');
		const s = startPty(process.execPath, [programFile, '--host', '0', '--data-dir', path.join(cwd, 'me')], {
			columns,
			rows,
			cwd,
			env: {HOME: cwd},
		});
		screen = s;
		/** Presses a key once the screen names it with what it does. */
		const press = async (key: string, told: string | RegExp) => {
			await s.waitFor(told);
			s.send(key);
		};
		const type = async (text: string, into: string | RegExp) => {
			await s.waitFor(into);
			for (const letter of text) s.send(letter);
		};

		// Join.
		await press(keys.down, '↑↓ choose');
		await s.waitFor(/▸ Run peer +search, share, transfer/);
		await press(keys.enter, '⏎ open');
		await type(server.address, /▸ Server address/);
		await press(keys.enter, '⏎ next / start');
		await s.waitFor(/▸ Server port/);
		s.send(keys.enter);
		await type('0', /▸ Own port/);
		await s.waitFor(/Own port +0/);
		s.send(keys.enter);
		await s.waitFor(/▸ Share folder/);
		s.send(keys.enter);
		await type('newcomer', /▸ Your name/);
		await s.waitFor(/Your name +newcomer/);
		s.send(keys.enter);
		await s.waitFor(`● ${server.address}`);

		// Find.
		await press('/', '/ searches what everybody shares');
		await type('holiday', '⏎ results');
		await s.waitFor(/holiday 2026\.mkv/);
		s.send(keys.enter);
		await s.waitFor('held by 3 peers');

		// Two of the three.
		await press(' ', 'space mark');
		await s.waitFor('1 marked');
		await press(keys.right, '←→ pick');
		s.send(' ');
		await s.waitFor('2 marked');
		await press(keys.enter, '⏎ get');
		await s.waitFor('Get file');
		await s.waitFor('2 of 3 peers');
		expect(s.text()).toMatch(/┃ +◉ alice.*┃ +◉ bob.*┃ +○ carol/s);
		await press(keys.enter, '⏎ start');
		await s.waitFor(/↓ holiday 2026\.mkv/);

		// Pause and go on.
		await press('2', '2 Transfers');
		await s.waitFor('┏━ 2 Transfers');
		await press('p', 'p pause');
		await s.waitFor(/‖ holiday 2026\.mkv .*paused/);
		await press('p', 'p resume');
		await s.waitFor(/↓ holiday 2026\.mkv/);
		await press(keys.enter, '⏎ details');
		await s.waitFor('┏━ Transfer ━');
		await s.waitFor(/alice .*%/);
		await s.waitFor(/bob .*%/);
		expect(s.text()).not.toMatch(/carol .*%/);
		await press(keys.escape, 'esc close');
		await s.waitFor(/✓ holiday 2026\.mkv .*done/);

		// Browse a peer.
		await press('3', '3 Peers');
		await s.waitFor('┏━ 3 Peers');
		await s.waitFor(/[▸ ]● +1 alice/);
		await press(keys.enter, '⏎ browse');
		await s.waitFor('Peers › alice');
		await s.waitFor('films/');
		await press(keys.enter, '⏎ open');
		await s.waitFor('old/');
		await press(keys.escape, 'esc back');
		await s.waitFor(/NAME +ID/);

		// Share a folder.
		await press('5', columns >= 100 ? '1-5 pane' : '5 Shares');
		await s.waitFor('You share nothing yet');
		await press('a', 'a adds a folder');
		await type('~/photos', 'Share a folder');
		await press(keys.enter, '⏎ share it');
		await s.waitFor(/~\/photos\/ .*100%/);

		// Quit.
		await press('q', 'q quit');
		expect((await s.exited).exitCode).toBe(0);
		const file = path.join(cwd, 'downloads', 'downloaded_holiday 2026.mkv');
		await waitFor('the file', async () => (await readFile(file)).equals(bytes));
	},
);
