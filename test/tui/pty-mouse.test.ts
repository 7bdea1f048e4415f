// Mouse, settings, notices and text fields in a real terminal, over scripted engines.
import {afterEach, describe, expect, test} from 'vitest';
import {keys, type PtyScreen, startFixture} from '../helpers/tui-pty.ts';

let screen: PtyScreen | undefined;
afterEach(() => screen?.dispose());

const start = async (fixture: Record<string, unknown> = {}, columns = 120, rows = 36) => {
	screen = await startFixture({start: 'peer', ...fixture}, {columns, rows});
	await screen.waitFor(text => text.includes('1 Search') && text.includes('? help'));
	return screen;
};

/** Where a text stands, from the left and the top, counted from 1 as terminals do. */
function placeOf(s: PtyScreen, text: string): {x: number; y: number} {
	const y = s.lines().findIndex(line => line.includes(text));
	return {x: (s.lines()[y]?.indexOf(text) ?? 0) + 1, y: y + 1};
}
const mouse = (s: PtyScreen, button: number, {x, y}: {x: number; y: number}) => {
	s.send(`\u001b[<${button};${x};${y}M`);
	if (button < 64) s.send(`\u001b[<${button};${x};${y}m`);
};

describe('mouse', () => {
	test('a click focuses and chooses, a second one opens', async () => {
		const s = await start();
		mouse(s, 0, placeOf(s, 'debian-12.9.0'));
		await s.waitFor('┏━ 2 Transfers');
		await s.waitFor(() => s.inverse().some(run => run.includes('debian-12.9.0')));
		mouse(s, 0, placeOf(s, 'debian-12.9.0'));
		await s.waitFor('┏━ Transfer ━');
		s.send(keys.escape);
		await s.waitFor(text => !text.includes('┏━ Transfer ━'));
	});

	test('the wheel scrolls what is under it, without a focus', async () => {
		const s = await start();
		const place = placeOf(s, 'nas-attic  ');
		for (let turn = 0; turn < 6; turn++) mouse(s, 65, place);
		await s.waitFor('19/37');
		expect(s.text()).toContain('┏━ 1 Search');
		mouse(s, 64, place);
		await s.waitFor('16/37');
	});

	test('tabs and the query can be clicked', async () => {
		const s = await start({}, 80, 24);
		mouse(s, 0, placeOf(s, '4 Log'));
		await s.waitFor('┏━ 4 Log');
		mouse(s, 0, placeOf(s, '1 Search'));
		await s.waitFor('┏━ 1 Search');
		mouse(s, 0, {x: 6, y: 4});
		await s.waitFor('results');
	});

	test('switched off in the settings it is the terminal’s again', async () => {
		const s = await start();
		expect(s.modes().mouse).toBe(true);
		s.send(',');
		await s.waitFor('┏━ Settings');
		s.send(keys.down.repeat(6));
		await s.waitFor(/▸ Mouse/);
		s.send(keys.right);
		await s.waitFor(() => !s.modes().mouse);
		s.send(keys.right);
		await s.waitFor(() => s.modes().mouse);
	});

	test('a setting of before holds from the start', async () => {
		const s = await start({preferences: {mouse: false}});
		await s.waitFor(() => s.modes().alternate);
		expect(s.modes().mouse).toBe(false);
	});
});

describe('settings', () => {
	test('a limit is typed, a wrong one is told in place', async () => {
		const s = await start({}, 80, 24);
		s.send(',');
		await s.waitFor('┏━ Settings');
		s.send(keys.down);
		s.send(keys.enter);
		await s.waitFor('take it');
		s.send(keys.ctrlU);
		s.send('fast');
		s.send(keys.enter);
		await s.waitFor('✗ Not a limit: fast');
		s.send(keys.ctrlU);
		s.send('5M');
		s.send(keys.enter);
		await s.waitFor('‹ 5 MB/s ›');
		s.send(keys.right);
		await s.waitFor('‹ 10 MB/s ›');
		s.send(keys.escape);
		await s.waitFor(text => !text.includes('Settings'));
	});

	test('the theme changes at once', async () => {
		const s = await start();
		s.send(',');
		await s.waitFor('┏━ Settings');
		const before = s.raw().length;
		s.send(keys.left);
		await s.waitFor('‹ light ›');
		expect(s.raw().slice(before)).toContain('\u001b[34m');
	});
});

describe('text fields', () => {
	test('move and delete anywhere in a text', async () => {
		const s = await start();
		s.send('/');
		await s.waitFor('results');
		s.send('ubunt');
		await s.waitFor('/ ubunt');
		s.send(keys.home);
		s.send('x');
		s.send(keys.right);
		s.send('y');
		await s.waitFor('/ xuybunt');
		s.send(keys.end);
		s.send('u');
		s.send(keys.home);
		s.send('\u001b[3~');
		s.send(keys.right);
		s.send(keys.right);
		s.send(keys.backspace);
		await s.waitFor('/ ubuntu');
		s.send(keys.end);
		s.send(' desk\u0001');
		s.send('[');
		await s.waitFor('/ [ubuntu desk');
	});

	test('the cursor stays visible in a long text', async () => {
		const s = await start({}, 60, 22);
		s.send('/');
		await s.waitFor('results');
		s.send(`\u001b[200~${Array.from({length: 30}, (_, index) => `word${index}`).join(' ')}\u001b[201~`);
		await s.waitFor('word29');
		expect(s.text()).not.toContain('word0 ');
		s.send(keys.home);
		await s.waitFor('/ word0 word1');
		await s.waitFor(() => s.inverse().some(run => run.startsWith('w')));
	});
});

test('the title tells the progress, and is given back', async () => {
	const s = await start();
	await s.waitFor(() => s.raw().includes('\u001b[22;2t\u001b]2;49% 3 downloads - p2p-tui\u0007'));
	s.send(keys.ctrlC);
	await s.exited;
	expect(s.raw()).toContain('\u001b[23;2t');
});

test('a server asks before it kicks a peer, and exports the list', async () => {
	screen = await startFixture({start: 'server'}, {columns: 120, rows: 36});
	const s = screen;
	await s.waitFor('2 Peers');
	s.send('2');
	await s.waitFor('┏━ 2 Peers');
	s.send('k');
	await s.waitFor('Kick peer?');
	s.send('y');
	await s.waitFor('alice is no longer registered');
	s.send('e');
	await s.waitFor('411 peers written to /srv/peers.json and .csv');
});
