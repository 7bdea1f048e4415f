// The terminal is given back on every way out.
import {afterEach, describe, expect, test} from 'vitest';
import {fixtureProgram, keys, type PtyScreen, startFixture, startPty} from '../helpers/tui-pty.ts';

let screen: PtyScreen | undefined;
afterEach(() => screen?.dispose());

/** The fixture below a shell that tells the terminal's state after it. */
async function underShell(fixture: Record<string, unknown>): Promise<PtyScreen> {
	const program = await fixtureProgram();
	const command = `"$NODE" "$PROGRAM"; echo "code $?"; stty -a | tr ';' '\\n' | grep -o -E -e '-?(icanon|echo|isig)( |$)' | tr '\\n' ' '; echo done; cat`;
	screen = startPty('/bin/sh', ['-c', command], {
		columns: 100,
		rows: 30,
		env: {FIXTURE: JSON.stringify(fixture), PROGRAM: program, NODE: process.execPath},
	});
	return screen;
}

async function expectGivenBack(s: PtyScreen): Promise<void> {
	await s.waitFor('done');
	expect(s.modes()).toEqual({alternate: false, wrap: true, bracketedPaste: false, mouse: false, cursorHidden: false});
	expect(s.text()).toMatch(/isig\s+icanon\s+echo/);
}

/** The process that draws, below the shell. */
async function childOf(pid: number): Promise<number> {
	const {readFile} = await import('node:fs/promises');
	const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
	return Number(children.trim().split(' ')[0]);
}

describe('the terminal is given back', () => {
	test('on quit', async () => {
		const s = await underShell({start: 'server'});
		await s.waitFor('listening');
		expect(s.modes()).toEqual({alternate: true, wrap: false, bracketedPaste: true, mouse: true, cursorHidden: true});
		s.send('q');
		await s.waitFor('code 0');
		await expectGivenBack(s);
	});

	test('on ^C', async () => {
		const s = await underShell({start: 'peer', tick: 50});
		await s.waitFor('1 Search');
		s.send(keys.ctrlC);
		await s.waitFor('code 0');
		await expectGivenBack(s);
	});

	test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('on %s', async signal => {
		const s = await underShell({start: 'peer', tick: 50});
		await s.waitFor('1 Search');
		process.kill(await childOf(s.pid), signal);
		await s.waitFor('code 130');
		await expectGivenBack(s);
	});

	test.each([
		['throw', 'a timer broke'],
		['reject', 'a promise broke'],
	])('on an uncaught error (%s), which is printed after it', async (breakAs, message) => {
		const s = await underShell({start: 'peer', breakAfter: 1500, breakAs});
		await s.waitFor('1 Search');
		await s.waitFor(message);
		await s.waitFor('code 1');
		await expectGivenBack(s);
	});

	test('on ^Z, and taken again by fg', async () => {
		const program = await fixtureProgram();
		screen = startPty('/bin/bash', ['--norc', '--noprofile', '-i'], {
			columns: 100,
			rows: 30,
			env: {
				FIXTURE: JSON.stringify({start: 'peer', tick: 50}),
				PROGRAM: program,
				NODE: process.execPath,
				PS1: 'shell> ',
			},
		});
		const s = screen;
		await s.waitFor('shell>');
		s.send('"$NODE" "$PROGRAM"\r');
		await s.waitFor('1 Search');
		s.send(keys.ctrlZ);
		await s.waitFor('Stopped');
		expect(s.modes()).toEqual({
			alternate: false,
			wrap: true,
			bracketedPaste: expect.any(Boolean),
			mouse: false,
			cursorHidden: false,
		});
		s.send('echo the shell is $((40 + 2))\r');
		await s.waitFor('the shell is 42');
		s.send('fg\r');
		await s.waitFor('1 Search');
		await s.waitFor(() => s.modes().alternate && !s.modes().wrap);
		s.send('2');
		await s.waitFor('┏━ 2 Transfers');
		s.send(keys.down);
		await s.waitFor(() => s.inverse().some(run => run.includes('debian')));
		s.send(`${keys.ctrlC}`);
		await s.waitFor('exit 0');
	});

	test('^L draws everything again', async () => {
		screen = await startFixture({start: 'peer'}, {columns: 100, rows: 30});
		const s = screen;
		await s.waitFor('1 Search');
		const before = s.raw().length;
		s.send(keys.ctrlL);
		await s.waitFor(() => s.raw().slice(before).includes('\u001b[2J') && s.text().includes('? help'));
		expect(s.raw().slice(before)).toContain('Transfers');
	});

	test('the emptied terminal ends the program', async () => {
		screen = await startFixture({start: 'peer', tick: 20}, {columns: 100, rows: 30});
		await screen.waitFor('1 Search');
		screen.kill('SIGHUP');
		expect((await screen.exited).exitCode).toBe(130);
	});
});
