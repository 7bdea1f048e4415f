// The screens in a real terminal, over scripted engines: menus, keys, sizes, pastes.
import {afterEach, describe, expect, test} from 'vitest';
import {keys, type PtyScreen, startFixture} from '../helpers/tui-pty.ts';

let screen: PtyScreen | undefined;
afterEach(() => screen?.dispose());

const start = async (fixture: Record<string, unknown>, columns = 120, rows = 36, env: Record<string, string> = {}) => {
	screen = await startFixture(fixture, {columns, rows, env});
	return screen;
};

/** Presses keys one after the other, each as its own write. */
const press = (target: PtyScreen, ...sequence: string[]) => {
	for (const key of sequence) target.send(key);
};

describe('start menu', () => {
	test('leads through the prompt to a peer, and from a search by arrow to one peer ID and a download', async () => {
		const s = await start({}, 80, 24);
		await s.waitFor('Run peer');
		press(s, keys.down);
		await s.waitFor(/▸ Run peer/);
		press(s, keys.enter);
		await s.waitFor('Server address');
		press(s, '0', keys.enter);
		await s.waitFor(/▸ Server port/);
		press(s, keys.enter, keys.enter, keys.enter, keys.enter);
		await s.waitFor('1 Search');
		press(s, '/');
		await s.waitFor('results');
		press(s, 'u', 'b', 'u', 'n', 't', 'u');
		await s.waitFor('1,234 hits');
		press(s, keys.enter);
		await s.waitFor('held by');
		press(s, keys.down, keys.down);
		await s.waitFor('▸ ubuntu-22.04.5');
		press(s, keys.right);
		await s.waitFor(text => text.includes('held by') && s.inverse().some(run => run.includes('bob')));
		press(s, keys.enter);
		await s.waitFor('Get file');
		await s.waitFor('1 of 3 peers');
		expect(s.text()).toMatch(/◉ bob/);
		press(s, keys.enter);
		await s.waitFor('Getting ubuntu-22.04.5-desktop-amd64.iso');
		await s.waitFor(/↓ ubuntu-22\.04\.5-desktop-amd64\.iso/);
	});

	test('takes a pasted link as a download, and copies the link of a result', async () => {
		const s = await start({start: 'peer'});
		await s.waitFor('1 Search');
		press(s, '/');
		await s.waitFor('results');
		s.send(`\u001b[200~p2p-tui://${'ab'.repeat(32)}/music/live%20set?tr=10.0.0.5\u001b[201~`);
		await s.waitFor('music/live%20set?tr');
		await s.waitFor('enter downloads what it names');
		press(s, keys.enter);
		await s.waitFor('Getting live set');
		await s.waitFor(text => !text.includes('live%20set'));
		press(s, '/');
		await s.waitFor('results');
		press(s, 'u', 'b', 'u', 'n', 't', 'u');
		await s.waitFor('1,234 hits');
		press(s, keys.enter, 'y');
		await s.waitFor('Copied magnet:?xt=urn:btmr:');
	});

	test('says what is wrong beside the field, at once', async () => {
		const s = await start({}, 80, 24);
		await s.waitFor('Run server');
		press(s, keys.enter);
		await s.waitFor('all interfaces');
		press(s, '3', '0', '0', '.', '1');
		await s.waitFor('Not an IP address: 300.1');
		press(s, keys.ctrlU);
		await s.waitFor('all interfaces');
		press(s, keys.tab, '7', '0', '0', '0', '0');
		await s.waitFor('Port must be 0-65535, got 70000');
		press(s, keys.enter);
		await s.waitFor('Port must be 0-65535, got 70000');
		press(s, keys.backspace, keys.backspace, keys.backspace, keys.backspace, keys.backspace, '1', keys.enter);
		await s.waitFor('Port 1 is taken. Choose another');
		press(s, keys.backspace, keys.enter);
		await s.waitFor('listening');
	});

	test('shows a folder that is not there at its field, and goes back with Esc', async () => {
		const s = await start({}, 80, 24);
		await s.waitFor('Run peer');
		press(s, keys.down, keys.enter);
		await s.waitFor('Share folder');
		press(s, keys.up, keys.up, keys.ctrlU);
		await s.waitFor(/▸ Share folder\s+nothing/);
		press(s, '/', 'm', 'i', 's', 's', 'i', 'n', 'g', keys.enter, keys.enter);
		await s.waitFor('No such folder: /missing');
		expect(s.text()).toMatch(/▸ Share folder/);
		press(s, keys.escape);
		await s.waitFor('Try the demo');
		press(s, 'q');
		expect((await s.exited).exitCode).toBe(0);
	});

	test('runs the demo', async () => {
		const s = await start({}, 80, 24);
		await s.waitFor('Try the demo');
		press(s, keys.down, keys.down, keys.enter);
		await s.waitFor('1 Search');
	});
});

describe('keys', () => {
	test('a held key loses nothing', async () => {
		const s = await start({start: 'peer', state: 'overfull'});
		await s.waitFor('2 Transfers');
		press(s, '2');
		await s.waitFor('pause');
		s.send(keys.down.repeat(100));
		await s.waitFor('queued-item-101.bin');
		await s.waitFor(() => s.inverse().some(run => run.includes('queued-item-101.bin')));
		for (let count = 0; count < 50; count++) s.send(keys.up);
		await s.waitFor(() => s.inverse().some(run => run.includes('queued-item-51.bin')));
	});

	test('a held key does not stop at the end of a page of hits', async () => {
		const s = await start({start: 'peer', state: 'overfull'});
		await s.waitFor('1 Search');
		s.send('/ubuntu');
		await s.waitFor('100,000');
		press(s, keys.enter);
		s.send(keys.down.repeat(350));
		await s.waitFor(() => s.inverse().some(run => run.includes('ubuntu-archive-000350')));
	});

	test('a paste goes into the field as one, and into a search from anywhere', async () => {
		const s = await start({start: 'peer'});
		await s.waitFor('1 Search');
		s.send('\u001b[200~ubuntu\r\ndesk\ttop\u001b[201~');
		await s.waitFor('/ ubuntu desk top');
		await s.waitFor('1,234 hits');
		press(s, ' ', 'x', keys.backspace, keys.ctrlU);
		await s.waitFor('searches what everybody shares');
		s.send('\u001b[200~');
		s.send('later');
		s.send('\u001b[201~');
		await s.waitFor('/ later');
	});

	test('unknown keys, chords and answers of the terminal do nothing', async () => {
		const s = await start({start: 'peer'});
		await s.waitFor('1 Search');
		press(
			s,
			'/',
			'\u001b[24~',
			'\u0001',
			'\u001b[I',
			'\u001b]11;rgb:0/0/0\u0007',
			'\u001b[?62c',
			'\u001bz',
			'\u001b[1;5C',
			'\u001bOP',
			'a',
			'b',
			'c',
		);
		await s.waitFor('/ abc');
		await s.waitFor('1,234 hits');
	});

	test('an escape sequence may come in parts, a lone Esc is Esc', async () => {
		const s = await start({start: 'peer'});
		await s.waitFor('1 Search');
		press(s, '2');
		await s.waitFor('pause');
		s.send('\u001b');
		s.send('[');
		s.send('B');
		await s.waitFor(() => s.inverse().some(run => run.includes('debian')));
		press(s, '?');
		await s.waitFor('GLOBAL');
		press(s, keys.escape);
		await s.waitFor(text => !text.includes('GLOBAL'));
	});

	test('a key of another pane says where it works', async () => {
		const s = await start({start: 'peer'});
		await s.waitFor('1 Search');
		press(s, 'p');
		await s.waitFor('p is "pause / resume" in Transfers: press 2 first');
	});

	test('the palette runs a command by name', async () => {
		const s = await start({start: 'peer'});
		await s.waitFor('1 Search');
		press(s, ':', 's', 'h', 'o', 'w', ' ', 's', 'h');
		await s.waitFor('show shares');
		press(s, keys.enter);
		await s.waitFor('5 Shares');
		expect(s.lines().some(line => line.includes('┏━ 5 Shares'))).toBe(true);
	});

	test('browses a peer and gets a file from it', async () => {
		const s = await start({start: 'peer'});
		await s.waitFor('1 Search');
		press(s, '3', keys.enter);
		await s.waitFor('testing_files/');
		press(s, keys.enter);
		await s.waitFor('› iso');
		press(s, keys.down, keys.down, keys.enter);
		await s.waitFor('from alice');
		press(s, keys.backspace);
		await s.waitFor('testing_files/');
		press(s, keys.escape);
		await s.waitFor('online');
	});

	test('adds a share, asks before it takes one back', async () => {
		const s = await start({start: 'peer'}, 80, 24);
		await s.waitFor('1 Search');
		press(s, '5', 'a');
		await s.waitFor('Share a folder');
		press(s, ...'/missing', keys.enter);
		await s.waitFor('No such folder');
		press(s, keys.ctrlU, ...'/srv/photos', keys.enter);
		await s.waitFor('Sharing photos');
		press(s, 'x');
		await s.waitFor('Stop sharing?');
		press(s, 'n');
		await s.waitFor(text => !text.includes('Stop sharing?'));
		press(s, 'x', 'y');
		await s.waitFor('lectures is no longer shared');
	});

	test('quitting asks while transfers run', async () => {
		const s = await start({start: 'peer'});
		await s.waitFor('1 Search');
		press(s, 'q');
		await s.waitFor('2 downloads and 2 uploads are running.');
		press(s, 'n');
		await s.waitFor(text => !text.includes('Quit?'));
		press(s, 'q', 'y');
		expect((await s.exited).exitCode).toBe(0);
	});
});

describe('sizes', () => {
	test.each([
		[40, 12, '1 Find'],
		[80, 24, '1 Search   2 Transfers'],
		[120, 36, '3 Peers'],
		[20, 4, '↓'],
	])('draws itself at %ix%i', async (columns, rows, shown) => {
		const s = await start({start: 'peer'}, columns, rows);
		await s.waitFor(shown);
		for (const line of s.lines()) expect(line.length).toBeLessThanOrEqual(columns);
	});

	test('is whole after every resize while everything moves', async () => {
		const s = await start({start: 'peer', tick: 30});
		await s.waitFor('4 Log');
		for (const [columns, rows] of [
			[80, 24],
			[40, 12],
			[150, 50],
			[33, 9],
			[100, 28],
			[25, 5],
			[120, 36],
		] as const) {
			await s.resize(columns, rows);
			await s.waitFor(() => {
				const lines = s.lines();
				if (columns < 32) return lines[0]?.startsWith('↓') === true && lines.slice(1).every(line => line === '');
				const last = lines[rows - 2] ?? '';
				return lines[0]?.startsWith(' p2p peer') === true && /^[╰┗].*[╯┛]$/.test(last) && last.length === columns;
			});
		}
		// Heading, borders and footer are where they belong, and nothing of older frames is left.
		// The last row comes last, perhaps in a read of its own.
		await s.waitFor(() => /^ \/ search.*\? help ?$/.test(s.lines()[35] ?? ''));
		const lines = s.lines();
		expect(lines[1]).toMatch(/^┏━ 1 Search .*╭─ 3 Peers .*╮$/);
	});

	test('the server dashboard fits a small terminal', async () => {
		const s = await start({start: 'server'}, 80, 24);
		await s.waitFor('Requests/s');
		press(s, '2');
		await s.waitFor('┏━ 2 Peers');
		press(s, '3');
		await s.waitFor('-5 min');
		await s.resize(40, 12);
		await s.waitFor('3 Rates');
	});
});
