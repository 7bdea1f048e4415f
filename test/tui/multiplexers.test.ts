// Inside tmux and screen, on the Linux console's terminal type, on a dumb one, and without UTF-8: real multiplexers.
import {spawnSync} from 'node:child_process';
import {afterEach, describe, expect, test} from 'vitest';
import {fixtureProgram, keys, type PtyScreen, startFixture, startPty} from '../helpers/tui-pty.ts';

let screen: PtyScreen | undefined;
afterEach(() => screen?.dispose());

const has = (program: string) => !spawnSync(program, ['-V']).error;
const [columns, rows] = [100, 30];
const fixture = JSON.stringify({start: 'peer', tick: 50});

/** Uses the screens for a while; every row stays whole. */
async function use(s: PtyScreen): Promise<void> {
	await s.waitFor(text => text.includes('1 Search') && text.includes('? help'));
	s.send('2');
	await s.waitFor('2 Transfers');
	s.send(keys.down);
	await s.waitFor(() => s.inverse().some(run => run.includes('debian')));
	s.send('?');
	await s.waitFor('Keys');
	s.send(keys.escape);
	await s.waitFor(text => !text.includes(' Keys '));
	for (const line of s.lines().slice(1, 29)) expect(line).toMatch(/^[╭│├╰┏┃┠┗].*[╮│┤╯┓┃┨┛▐]$/);
}

describe('multiplexers', () => {
	test('tmux', async context => {
		if (!has('tmux')) context.skip('tmux is not installed');
		const program = await fixtureProgram();
		const socket = `p2p-test-${process.pid}`;
		const tmux = ['-L', socket, '-f', '/dev/null'];
		screen = startPty(
			'tmux',
			[
				...tmux,
				'new-session',
				`${process.execPath} ${program}`,
				';',
				'set',
				'status',
				'off',
				';',
				'set',
				'-s',
				'escape-time',
				'0',
			],
			{columns, rows, env: {FIXTURE: fixture}},
		);
		try {
			await use(screen);
			await screen.resize(80, 24);
			await screen.waitFor(() => (screen?.lines()[23] ?? '').includes('? help'));
			screen.send(keys.ctrlC);
			await screen.exited;
		} finally {
			spawnSync('tmux', [...tmux, 'kill-server']);
		}
	});

	test('screen', async context => {
		if (!has('screen')) context.skip('screen is not installed');
		const program = await fixtureProgram();
		const name = `p2p-tui-${process.pid}`;
		screen = startPty('screen', ['-c', '/dev/null', '-S', name, '-U', '-m', process.execPath, program], {
			columns,
			rows,
			env: {FIXTURE: fixture, TERM: 'xterm'},
		});
		try {
			// screen itself waits after an escape character; the rest is as in tmux.
			await use(screen);
			screen.send(keys.ctrlC);
			await screen.exited;
		} finally {
			// It lives on without its terminal.
			spawnSync('screen', ['-S', name, '-X', 'quit']);
		}
	});
});

describe('poor terminals', () => {
	test.each([
		['the Linux console', {TERM: 'linux'}],
		['a dumb terminal', {TERM: 'dumb'}],
		['a locale without UTF-8', {LANG: 'C', LC_ALL: 'C'}],
	])('%s gets ASCII frames, whole rows, and the same keys', async (_, env) => {
		screen = await startFixture({start: 'peer', tick: 50}, {columns, rows, env});
		const s = screen;
		await s.waitFor(text => text.includes('1 Search') && text.includes('? help'));
		s.send('2');
		await s.waitFor('#= 2 Transfers');
		s.send(keys.down);
		await s.waitFor(() => s.inverse().some(run => run.includes('debian')));
		for (const line of s.lines().slice(1, 29)) expect(line).toMatch(/^[+|#].*[+|#@]$/);
		if (!('TERM' in env) || env.TERM !== 'linux') expect(s.text()).toMatch(/^[ -~\n]*$/);
		s.send(keys.ctrlC);
		expect((await s.exited).exitCode).toBe(0);
	});

	test('sixteen colours are all that is used anywhere', async () => {
		screen = await startFixture({start: 'peer', tick: 50}, {columns, rows, env: {COLORTERM: '', TERM: 'xterm'}});
		await screen.waitFor('? help');
		expect(screen.raw()).not.toMatch(/\u001b\[[\d;]*[34]8;[25];/);
		screen.send(keys.ctrlC);
		await screen.exited;
	});
});
