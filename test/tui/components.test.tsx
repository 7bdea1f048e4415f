// Single components on Ink, with its own fields and lists.
import {Box} from 'ink';
import {cleanup, render} from 'ink-testing-library';
import type {ReactNode} from 'react';
import {afterEach, describe, expect, test, vi} from 'vitest';
import {SettingsController} from '../../source/store/settings-controller.ts';
import {createUiStore, type UiStore} from '../../source/store/ui-store.ts';
import {PaneFrame} from '../../source/tui/components/pane-frame.tsx';
import {type Ui, UiContext, usePicked} from '../../source/tui/components/ui-context.ts';
import {SearchPane} from '../../source/tui/panes/search-pane.tsx';
import {MenuScreen} from '../../source/tui/screens/menu-screen.tsx';
import {createTheme} from '../../source/tui/theme.ts';
import {fixturePeer} from '../helpers/tui-fixture-engine.ts';
import {storeWith} from '../helpers/tui-render.ts';

/** Holds at last, on a machine however busy. */
const eventually = (check: () => void) => vi.waitFor(check, {timeout: 60_000});

afterEach(cleanup);

const nothing = () => {};
function uiFor(store: UiStore, onMenu: Ui['onMenu'] = nothing): Ui {
	const app = {quit: nothing, suspend: nothing, repaint: nothing, copy: nothing, show: nothing, submitForm: nothing};
	const settings = new SettingsController(store, async () => {});
	const theme = createTheme({theme: 'dark', ascii: false, noColor: true, letters: 'all'});
	return {theme, context: {store, app, settings}, onMenu};
}
/** A terminal of 80x24 with what all screens share. */
function Terminal({ui, children}: {ui: Ui; children: ReactNode}) {
	return (
		<UiContext value={ui}>
			<Box width={80} height={24}>
				{children}
			</Box>
		</UiContext>
	);
}

const frame = (text: string | undefined) => (text ?? '').replace(/\u001b\[[\d;]*m/g, '');

function Filter({width}: {width: number}) {
	const [filter] = usePicked(state => [state.log.filter]);
	const rect = {x: 0, y: 0, width: width + 2, height: 3};
	return <PaneFrame rect={rect} title={[]} focused={false} rows={[{before: '', field: filter, width}]} />;
}

describe('start menu', () => {
	test('arrows choose, Enter opens', async () => {
		const onMenu = vi.fn();
		const store = createUiStore({columns: 80, rows: 24});
		const {stdin, lastFrame} = render(
			<Terminal ui={uiFor(store, onMenu)}>
				<MenuScreen />
			</Terminal>,
		);
		await eventually(() => expect(frame(lastFrame())).toContain('▸ Run server'));
		stdin.write('\u001b[B');
		await eventually(() => expect(frame(lastFrame())).toContain('▸ Run peer'));
		stdin.write('\r');
		await eventually(() => expect(onMenu).toHaveBeenCalledWith({do: 'peer'}));
		expect(store.get().menu).toBe('peer');
	});
});

test('that no server is connected is said until one is', async () => {
	const snapshot = fixturePeer({state: 'empty'}).snapshot();
	const link = (state: 'connecting' | 'online') => ({...snapshot.servers[0]!, state});
	const store = storeWith(80, 24, {...snapshot, servers: [link('connecting')]});
	const {lastFrame} = render(
		<Terminal ui={uiFor(store)}>
			<SearchPane rect={{x: 0, y: 0, width: 78, height: 12}} />
		</Terminal>,
	);
	await eventually(() => expect(frame(lastFrame())).toContain('No index server is connected yet'));
	store.dispatch({type: 'snapshot', snapshot: {...snapshot, servers: [link('online')]}});
	await eventually(() => expect(frame(lastFrame())).not.toContain('No index server'));
	expect(frame(lastFrame())).toContain('searches what everybody shares');
});

describe('text field', () => {
	const open = (width: number) => {
		const store = createUiStore({columns: 80, rows: 24});
		store.dispatch({type: 'screen', screen: 'peer'});
		store.dispatch({type: 'pane', pane: 'log'});
		store.dispatch({type: 'text', mode: 'filter'});
		const drawn = render(
			<Terminal ui={uiFor(store)}>
				<Filter width={width} />
			</Terminal>,
		);
		return {store, ...drawn};
	};
	const type = async (stdin: {write(text: string): void}, ...keys: string[]) => {
		for (const key of keys) {
			stdin.write(key);
			await new Promise(resolve => setImmediate(resolve));
		}
	};

	test('what is typed goes into the state', async () => {
		const {store, stdin, lastFrame} = open(20);
		await type(stdin, ...'läb');
		await eventually(() => expect(store.get().log.filter).toBe('läb'));
		store.dispatch({type: 'behind', behind: 1});
		await new Promise(resolve => setImmediate(resolve));
		await type(stdin, 'x');
		await eventually(() => expect(store.get().log.filter).toBe('läxb'));
		expect(frame(lastFrame())).toContain('läxb');
	});

	test('the end of a long text stays visible', async () => {
		const {stdin, lastFrame} = open(10);
		await type(stdin, ...'0123456789abcdef');
		await eventually(() => expect(frame(lastFrame())).toContain('│789abcdef │'));
	});

	test('deleting half of a character deletes it whole', async () => {
		const {store, stdin} = open(20);
		await type(stdin, 'a', '🎵');
		await eventually(() => expect(store.get().log.filter).toBe('a🎵'));
		await type(stdin, '\u007f');
		await eventually(() => expect(store.get().log.filter).toBe('a'));
	});
});

describe('pane frame', () => {
	const drawn = (focused: boolean, total: number) => {
		const store = createUiStore({columns: 80, rows: 24});
		const {lastFrame} = render(
			<Terminal ui={uiFor(store)}>
				<PaneFrame
					rect={{x: 0, y: 0, width: 24, height: 6}}
					number={2}
					title={[['Transfers', 'bold']]}
					right={[['↓2', 'down']]}
					bottom={[['1/9', 'muted']]}
					focused={focused}
					rows={['a'.padEnd(22), {rule: [['held by']]}]}
					scroll={{from: 0, rows: 4, top: 0, total}}
				/>
			</Terminal>,
		);
		return frame(lastFrame())
			.split('\n')
			.map(line => line.trimEnd());
	};

	test('light borders, number, title and counts', () => {
		expect(drawn(false, 4).slice(0, 6)).toEqual([
			'╭─ 2 Transfers ─── ↓2 ─╮',
			'│a                     │',
			'├─ held by ────────────┤',
			'│                      │',
			'│                      │',
			'╰──────────────── 1/9 ─╯',
		]);
	});

	test('heavy when focused, with a mark where the list stands', () => {
		const lines = drawn(true, 40);
		expect(lines[0]?.startsWith('┏━ 2 Transfers ━')).toBe(true);
		expect(lines[1]).toBe(`┃a${' '.repeat(21)}▐`);
		expect(lines[3]).toBe(`┃${' '.repeat(22)}┃`);
	});
});
