// Every screen at every size: each row is exactly as wide as the terminal, and says what it should.
import {describe, expect, test} from 'vitest';
import type {ContentSources} from '../../source/api/schemas.ts';
import type {Action} from '../../source/store/actions.ts';
import type {UiStore} from '../../source/store/ui-store.ts';
import {detailsOf, hits, peerRows} from '../helpers/tui-fixture-data.ts';
import {fixturePeer, fixtureServer} from '../helpers/tui-fixture-engine.ts';
import {dispatchAll, drawn, drawnText, storeWith, widths} from '../helpers/tui-render.ts';
import {screens} from '../helpers/tui-screens.ts';

const peers = peerRows(37);
const found = hits(peers, 'ubuntu', 60);
const firstHit = found[0] as ContentSources;
const answered: Action[] = [
	{type: 'search/query', query: 'ubuntu'},
	{type: 'search/asked'},
	{type: 'search/answer', asked: 1, query: 'ubuntu', answer: {hits: found, total: 60, more: false, ms: 3}},
];
const defaults = {serverPort: 45_000, peerPort: 25_000, name: 'workbench'};

const states: Record<string, (columns: number, rows: number) => UiStore> = {
	...screens,
	menu: (columns, rows) => storeWith(columns, rows),
	'server prompt': (columns, rows) =>
		withActions(storeWith(columns, rows), [
			{type: 'form/open', form: 'server', defaults},
			{type: 'form/value', value: '1.2.3'},
		]),
	'peer prompt': (columns, rows) =>
		withActions(storeWith(columns, rows), [
			{type: 'form/open', form: 'peer', defaults},
			{type: 'form/value', value: 'x'.repeat(200)},
		]),
	starting: (columns, rows) =>
		withActions(storeWith(columns, rows), [{type: 'screen', screen: 'starting', starting: 'Starting'}]),
	'empty peer': (columns, rows) => storeWith(columns, rows, fixturePeer({state: 'empty'}).snapshot()),
	'empty server': (columns, rows) => storeWith(columns, rows, fixtureServer({state: 'empty'}).snapshot()),
	server: (columns, rows) => storeWith(columns, rows, fixtureServer().snapshot()),
	'server peers': (columns, rows) =>
		withActions(storeWith(columns, rows, fixtureServer({state: 'overfull'}).snapshot()), [
			{type: 'pane', pane: 'members'},
		]),
	'server rates': (columns, rows) =>
		withActions(storeWith(columns, rows, fixtureServer().snapshot()), [{type: 'pane', pane: 'rates'}, {type: 'zoom'}]),
	search: (columns, rows) => peerWith(columns, rows, [{type: 'move', step: 'last'}]),
	'search typing': (columns, rows) => peerWith(columns, rows, [{type: 'text', mode: 'search'}]),
	'search failed': (columns, rows) =>
		peerWith(columns, rows, [
			{type: 'search/asked'},
			{type: 'search/failed', asked: 2, query: 'ubuntu', message: 'The index server does not answer'},
		]),
	transfers: (columns, rows) =>
		peerWith(columns, rows, [
			{type: 'pane', pane: 'transfers'},
			{type: 'move', step: 'pageDown'},
		]),
	peers: (columns, rows) =>
		peerWith(columns, rows, [
			{type: 'pane', pane: 'peers'},
			{type: 'move', step: 'down'},
		]),
	shares: (columns, rows) => peerWith(columns, rows, [{type: 'pane', pane: 'shares'}]),
	log: (columns, rows) =>
		peerWith(columns, rows, [
			{type: 'pane', pane: 'log'},
			{type: 'text', mode: 'filter'},
			{type: 'tail/filter', filter: 'lab'},
		]),
	toast: (columns, rows) =>
		peerWith(columns, rows, [{type: 'toast', kind: 'error', text: `failed: ${'x'.repeat(400)} 日本語`}]),
	help: (columns, rows) => peerWith(columns, rows, [{type: 'overlay', overlay: {kind: 'help', top: 0}}]),
	palette: (columns, rows) =>
		peerWith(columns, rows, [{type: 'overlay', overlay: {kind: 'palette', query: '', index: 14}}]),
	get: (columns, rows) =>
		peerWith(columns, rows, [
			{type: 'overlay', overlay: {kind: 'get', hit: firstHit, cursor: 0, chosen: [], rtt: {}, busy: true}},
		]),
	share: (columns, rows) =>
		peerWith(columns, rows, [
			{type: 'overlay', overlay: {kind: 'share', value: '/srv', busy: false, error: 'No such folder: /srv'}},
		]),
	details: (columns, rows) =>
		peerWith(columns, rows, [{type: 'overlay', overlay: {kind: 'transfer', key: 'dataset-openimages-part03.tar'}}]),
	'details with a map': (columns, rows) => {
		const [row] = fixturePeer().snapshot().transfers.rows;
		if (!row) throw new Error('the fixture has no transfer');
		return peerWith(columns, rows, [
			{type: 'overlay', overlay: {kind: 'transfer', key: row.key, details: detailsOf(row)}},
		]);
	},
	confirm: (columns, rows) =>
		peerWith(columns, rows, [
			{
				type: 'overlay',
				overlay: {
					kind: 'confirm',
					title: 'Quit?',
					lines: ['2 downloads are running.', 'x'.repeat(120)],
					yes: 'quit',
					no: 'stay',
					command: {do: 'quit'},
				},
			},
		]),
};

function withActions(store: UiStore, actions: readonly Action[]): UiStore {
	dispatchAll(store, actions);
	return store;
}

function peerWith(columns: number, rows: number, actions: readonly Action[]): UiStore {
	return withActions(storeWith(columns, rows, fixturePeer().snapshot()), [...answered, ...actions]);
}

const sizes = [
	[20, 5],
	[32, 8],
	[40, 12],
	[60, 22],
	[80, 24],
	[100, 28],
	[120, 36],
	[200, 60],
	[300, 100],
] as const;

describe.each(Object.keys(states))('%s', name => {
	test.each(sizes)('fits %ix%i', (columns, rows) => {
		const store = states[name]?.(columns, rows) as UiStore;
		for (const look of [
			{},
			{ascii: true, letters: 'ascii' as const},
			{noColor: false},
			{noColor: false, theme: 'light' as const},
		]) {
			const lines = drawn(store, look);
			expect(lines.length).toBeLessThanOrEqual(rows);
			for (const [index, width] of widths(lines).entries())
				expect(width, `row ${index}: ${lines[index]}`).toBeLessThanOrEqual(columns);
		}
	});
});

test('in ASCII every cell of the screens is ASCII', () => {
	for (const [name, make] of Object.entries(states)) {
		const lines = drawnText(make(120, 36), {ascii: true, letters: 'ascii'});
		for (const line of lines) expect(line, name).toMatch(/^[ -~]*$/);
	}
});

describe('what the screens say', () => {
	const text = (name: string, columns = 120, rows = 36) =>
		drawnText(states[name]?.(columns, rows) as UiStore).join('\n');

	test('empty states name the next key', () => {
		expect(text('empty peer')).toContain('/ searches what everybody shares');
		expect(text('empty peer')).toContain('/ finds a file, ⏎ gets it');
		expect(text('empty peer')).toContain('Not connected to an index server');
		expect(
			drawnText(withActions(states['empty peer']?.(120, 36) as UiStore, [{type: 'pane', pane: 'shares'}])).join('\n'),
		).toContain('a adds a folder');
		expect(text('empty server')).toContain('p2p-tui --mode peer --server HOST:45000');
	});

	test('the focused pane is told without colour, by its heavy border', () => {
		const lines = drawnText(states.transfers?.(120, 36) as UiStore);
		expect(lines.filter(line => line.includes('┏━')).map(line => /┏━ \d (\w+)/.exec(line)?.[1])).toEqual(['Transfers']);
	});

	test('every state of a transfer has a sign of its own', () => {
		const shown = text('transfers');
		const sign = (name: string) => new RegExp(`[│┃][▸ ](.) ${name}`).exec(shown)?.[1];
		const names = ['debian', 'wikipedia', 'big_buck', 'arch-', 'dataset', 'gentoo', 'queued-item-10'];
		expect(names.map(sign)).toEqual(['↓', '↑', '#', '✓', '✗', '‖', '◌']);
	});

	test('a failure is told in place', () => {
		expect(text('search failed')).toContain('The index server does not answer');
		expect(text('server prompt')).toContain('✗ Not an IP address: 1.2.3');
		expect(text('share')).toContain('✗ No such folder: /srv');
		expect(text('details')).toContain('peer c2a9f1aa reset the connection');
	});

	test('the details tell where the bytes come from', () => {
		const shown = text('details with a map');
		expect(shown).toMatch(/(██|aa) alice +9d977ac4 .*56% +2\.1G +14M\/s/);
		expect(shown).toContain('2,120 of 2,969 pieces');
		expect(shown).toContain('sent a piece with wrong bytes');
		expect(shown).toContain('the sources send no faster');
		expect(text('details with a map', 40, 12)).toContain('ubuntu');
	});

	test('the get dialog has address, day and round trip of each source', () => {
		const shown = text('get');
		for (const source of firstHit.sources) {
			expect(shown).toContain(source.peer.slice(0, 8));
			expect(shown).toContain(`${source.host}:${source.port}`);
			expect(shown).toContain(source.sharedAt.slice(0, 8));
		}
	});

	test('hostile names are shown harmless', () => {
		const shown = drawnText(
			withActions(states.search?.(120, 40) as UiStore, [{type: 'cursor', list: 'search', index: 15}]),
		).join('\n');
		expect(shown).toContain('Ubuntu �gnp.exe� release party 👨👩👧 DE.mkv');
	});
});
