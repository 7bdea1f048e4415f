// The look of every screen, against committed text. Clock, IDs and ports come from the fixture, never from the machine.
// After a wanted change: npx vitest run test/tui/snapshots.test.ts -u, and look at the difference.
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import type {Action} from '../../source/store/actions.ts';
import {defaultSettings} from '../../source/store/settings.ts';
import type {UiStore} from '../../source/store/ui-store.ts';
import {detailsOf, fixedTime, hits, peerRows} from '../helpers/tui-fixture-data.ts';
import {fixturePeer, fixtureServer} from '../helpers/tui-fixture-engine.ts';
import {dispatchAll, drawnText, storeWith} from '../helpers/tui-render.ts';

beforeAll(() => {
	vi.useFakeTimers({now: fixedTime, toFake: ['Date']});
	vi.stubEnv('TZ', 'UTC');
});
afterAll(() => {
	vi.useRealTimers();
	vi.unstubAllEnvs();
});

const peers = peerRows(37);
const found = hits(peers, 'ubuntu', 60);
const answered: Action[] = [
	{type: 'settings/loaded', settings: {...defaultSettings, name: 'workbench'}},
	{type: 'search/query', query: 'ubuntu'},
	{type: 'search/asked'},
	{type: 'search/answer', asked: 1, query: 'ubuntu', answer: {hits: found, total: 1234, more: false, ms: 3}},
];
const defaults = {serverPort: 45_000, peerPort: 25_000, name: 'workbench', share: '/srv/testing_files'};
const overlay = (shown: Extract<Action, {type: 'overlay'}>['overlay']): Action => ({type: 'overlay', overlay: shown});
const [firstHit] = found;
const [firstRow] = fixturePeer().snapshot().transfers.rows;
if (!firstHit || !firstRow) throw new Error('the fixture is empty');

type Make = (columns: number, rows: number) => UiStore;
const menu =
	(...actions: Action[]): Make =>
	(columns, rows) => {
		const store = storeWith(columns, rows);
		dispatchAll(store, actions);
		return store;
	};
const peer =
	(...actions: Action[]): Make =>
	(columns, rows) => {
		const store = storeWith(columns, rows, fixturePeer().snapshot());
		dispatchAll(store, [...answered, ...actions]);
		return store;
	};
const server =
	(...actions: Action[]): Make =>
	(columns, rows) => {
		const store = storeWith(columns, rows, fixtureServer({now: fixedTime}).snapshot());
		dispatchAll(store, actions);
		return store;
	};

const screens: Record<string, Make> = {
	menu: menu(),
	'prompt-server': menu({type: 'form/open', form: 'server', defaults}),
	'prompt-peer': menu({type: 'form/open', form: 'peer', defaults}),
	'prompt-peer-note': menu({
		type: 'form/open',
		form: 'peer',
		defaults,
		note: 'No index server is known. Where does one run?',
	}),
	'peer-empty': (columns, rows) => storeWith(columns, rows, fixturePeer({state: 'empty'}).snapshot()),
	search: peer({type: 'move', step: 'down'}, {type: 'search/peer', by: 1}, {type: 'search/mark'}),
	'search-typing': peer({type: 'text', mode: 'search'}, {type: 'behind', behind: 3}),
	transfers: peer({type: 'pane', pane: 'transfers'}, {type: 'cursor', list: 'transfers', index: 6}),
	peers: peer({type: 'pane', pane: 'peers'}, {type: 'move', step: 'down'}),
	log: peer({type: 'pane', pane: 'log'}, {type: 'tail/filter', filter: 'lab'}),
	shares: peer({type: 'pane', pane: 'shares'}, {type: 'move', step: 'last'}),
	get: peer(
		overlay({
			kind: 'get',
			hit: firstHit,
			cursor: 1,
			chosen: firstHit.sources.slice(0, 2).map(source => source.peer),
			rtt: Object.fromEntries(firstHit.sources.map((source, index) => [source.peer, 5 + index * 17])),
			busy: false,
		}),
	),
	details: peer(overlay({kind: 'transfer', key: firstRow.key, details: detailsOf(firstRow)})),
	help: peer(overlay({kind: 'help', top: 0})),
	palette: peer(overlay({kind: 'palette', query: 'sh', index: 1})),
	settings: peer(overlay({kind: 'settings', index: 1, value: ''})),
	quit: peer(
		overlay({
			kind: 'confirm',
			title: 'Quit?',
			lines: ['2 downloads and 2 uploads are running.', 'Downloads resume at the next start.'],
			yes: 'quit',
			no: 'stay',
			command: {do: 'quit'},
		}),
	),
	toast: peer({type: 'toast', kind: 'ok', text: 'arch-2025.02.01-x86_64.iso is verified and on disk'}),
	server: server(),
	'server-peers': server({type: 'pane', pane: 'members'}, {type: 'move', step: 'down'}),
	'server-empty': (columns, rows) =>
		storeWith(columns, rows, fixtureServer({state: 'empty', now: fixedTime}).snapshot()),
};

describe.each([
	[80, 24],
	[120, 36],
])('%ix%i', (columns, rows) => {
	test.each(Object.keys(screens))('%s', async name => {
		const make = screens[name] as Make;
		const text = `${drawnText(make(columns, rows))
			.map(line => line.trimEnd())
			.join('\n')}\n`;
		await expect(text).toMatchFileSnapshot(`./snapshots/${name}-${columns}x${rows}.txt`);
	});
});

test('in ASCII it says the same', async () => {
	const text = `${drawnText(peer()(80, 24), {ascii: true, letters: 'ascii'})
		.map(line => line.trimEnd())
		.join('\n')}\n`;
	await expect(text).toMatchFileSnapshot('./snapshots/search-ascii-80x24.txt');
});
