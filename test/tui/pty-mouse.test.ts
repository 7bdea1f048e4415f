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
/** Clicks on a text once it is there. */
async function click(s: PtyScreen, text: string): Promise<void> {
	await s.waitFor(text);
	mouse(s, 0, placeOf(s, text));
}

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

	test('an entry of the start menu and a field of its prompt can be clicked', async () => {
		screen = await startFixture(
			{found: [{address: '10.0.0.5:45000', name: 'classroom', private: false}]},
			{columns: 80, rows: 24},
		);
		const s = screen;
		await s.waitFor('Join classroom');
		await click(s, 'Run peer');
		await s.waitFor(/▸ Server address/);
		await click(s, '• classroom');
		await s.waitFor(/Server address +10\.0\.0\.5:45000/);
		await click(s, 'Your name');
		await s.waitFor(/▸ Your name/);
		await click(s, 'esc back');
		await s.waitFor(/Join classroom/);
		await click(s, 'Join classroom');
		await s.waitFor('1 Search');
	});

	test('a peer of the strip is chosen by a click and marked by the next', async () => {
		const s = await start();
		s.send('/ubuntu');
		await s.waitFor('1,234 hits');
		s.send(keys.enter);
		await s.waitFor('held by 2 peers');
		await click(s, '4bf425b0 bob');
		await s.waitFor(() => s.inverse().some(run => run.includes('4bf425b0 bob')));
		await click(s, '4bf425b0 bob');
		await s.waitFor('◉ 4bf425b0 bob');
		expect(s.text()).toContain('1 marked');
	});

	test('sources, hints and the outside of a dialog answer', async () => {
		const s = await start();
		s.send('/ubuntu');
		await s.waitFor('1,234 hits');
		s.send(keys.enter);
		await s.waitFor('held by 2 peers');
		await click(s, '⏎ get…');
		await s.waitFor(/◉ alice.*◉ bob.*2 of 2 peers/s);
		await click(s, '◉ bob');
		await s.waitFor(/○ bob.*1 of 2 peers/s);
		await click(s, 'a all/none');
		await s.waitFor('2 of 2 peers');
		mouse(s, 0, {x: 2, y: 30});
		await s.waitFor(text => !text.includes('Get file'));
		s.send(':');
		await s.waitFor('┏━ Command');
		s.send('show tra');
		await s.waitFor(text => text.includes('show transfers') && !text.includes('show peers'));
		await click(s, 'show transfers');
		await s.waitFor('┏━ 2 Transfers');
		s.send(',');
		await s.waitFor('┏━ Settings');
		await click(s, 'Bell');
		await s.waitFor(/▸ Bell/);
		await click(s, 'Bell');
		await s.waitFor(/Bell +‹ off ›/);
		await click(s, 'esc close');
		await s.waitFor(text => !text.includes('Settings'));
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
		await s.waitFor('‹ 5M/s ›');
		s.send(keys.right);
		await s.waitFor('‹ 10M/s ›');
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
