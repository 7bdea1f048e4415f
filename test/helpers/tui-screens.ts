// Every screen in an empty, a typical and an overfull state: what the snapshots and the gallery show.
import type {Action} from '../../source/store/actions.ts';
import {defaultSettings} from '../../source/store/settings.ts';
import type {UiStore} from '../../source/store/ui-store.ts';
import {browseEntries, detailsOf, fixedTime, hits, peerRows, selfId} from './tui-fixture-data.ts';
import {fixturePeer, fixtureServer} from './tui-fixture-engine.ts';
import {dispatchAll, storeWith} from './tui-render.ts';

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

const foundServers = [
	{address: '10.0.0.5:45000', name: 'classroom', private: false},
	{address: '10.0.0.8:45000', name: 'home lab', private: true},
];

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

/** A screen in a state, by name, for a size in cells. The clock must stand at `fixedTime` where a server is drawn. */
export const screens: Record<string, Make> = {
	menu: menu(),
	'prompt-server': menu({type: 'form/open', form: 'server', defaults}),
	'prompt-peer': menu({type: 'form/open', form: 'peer', defaults}),
	'prompt-peer-note': menu({
		type: 'form/open',
		form: 'peer',
		defaults,
		note: 'No index server is known. Where does one run?',
	}),
	'menu-found': menu({type: 'found', servers: foundServers}, {type: 'menu', key: 'join 10.0.0.5:45000'}),
	'prompt-found': menu({type: 'found', servers: foundServers}, {type: 'form/open', form: 'peer', defaults}),
	starting: menu({type: 'screen', screen: 'starting', starting: 'Starting a server and peers on this machine'}),
	results: peer(),
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
	browse: peer(
		{type: 'pane', pane: 'peers'},
		{type: 'browse/open', peer: peers[0]?.id ?? '', name: 'alice', path: 'iso'},
		{type: 'browse/answer', asked: 1, answer: {entries: browseEntries('iso')}, append: false},
		{type: 'move', step: 'down'},
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
	...emptyPanes(),
	...overfull(),
	server: server(),
	'server-peers': server({type: 'pane', pane: 'members'}, {type: 'move', step: 'down'}),
	'server-empty': (columns, rows) =>
		storeWith(columns, rows, fixtureServer({state: 'empty', now: fixedTime}).snapshot()),
};

/** Each pane of a peer that shares nothing, finds nothing and is connected to nobody. */
function emptyPanes(): Record<string, Make> {
	const empty =
		(...actions: Action[]): Make =>
		(columns, rows) => {
			const store = storeWith(columns, rows, fixturePeer({state: 'empty'}).snapshot());
			dispatchAll(store, actions);
			return store;
		};
	const nothing: Action[] = [
		{type: 'search/query', query: 'zzz'},
		{type: 'search/asked'},
		{type: 'search/answer', asked: 1, query: 'zzz', answer: {hits: [], total: 0, more: false, ms: 3}},
	];
	return {
		'nothing-found': empty(...nothing),
		'transfers-empty': empty({type: 'pane', pane: 'transfers'}),
		'peers-empty': empty({type: 'pane', pane: 'peers'}),
		'log-empty': empty({type: 'pane', pane: 'log'}),
		'shares-empty': empty({type: 'pane', pane: 'shares'}),
		'share-dialog': empty(overlay({kind: 'share', value: '/srv/no-such-folder', error: 'No such folder', busy: false})),
	};
}

/** A hundred thousand hits, a thousand transfers, five thousand peers; a file that many peers hold. */
function overfull(): Record<string, Make> {
	const crowd = peerRows(5000);
	const many = hits(crowd, 'ubuntu', 100_000);
	const sources = crowd.slice(0, 60).map(({id, number, name, host, port, online}) => ({
		...{peer: id, number, name, host, port, online, path: 'iso/big'},
		sharedAt: new Date(fixedTime).toISOString(),
	}));
	const held = {...many[0]!, sources, sourceCount: 60};
	const full =
		(...actions: Action[]): Make =>
		(columns, rows) => {
			const engine = fixturePeer({state: 'overfull'});
			for (let line = 0; line < 600; line++) engine.advance(1);
			// What the screens ask an engine for as one scrolls: answered at once, before the snapshot is taken.
			void engine.commands.windows({transfers: {offset: 0, rows: 200}, peers: {offset: 0, rows: 200}});
			const store = storeWith(columns, rows, engine.snapshot());
			dispatchAll(store, [
				{type: 'search/query', query: 'ubuntu'},
				{type: 'search/asked'},
				{
					type: 'search/answer',
					asked: 1,
					query: 'ubuntu',
					answer: {hits: [held, ...many.slice(1)], total: 100_000, more: true, ms: 38},
				},
				...actions,
			]);
			return store;
		};
	return {
		'search-full': full(...Array.from({length: 40}, (): Action => ({type: 'search/peer', by: 1}))),
		'transfers-full': full({type: 'pane', pane: 'transfers'}, {type: 'cursor', list: 'transfers', index: 60}),
		'peers-full': full({type: 'pane', pane: 'peers'}, {type: 'cursor', list: 'peers', index: 80}),
		'log-full': full({type: 'pane', pane: 'log'}, {type: 'move', step: 'pageUp'}),
		'get-full': full(
			overlay({
				kind: 'get',
				hit: held,
				cursor: 30,
				chosen: sources.filter(source => source.online && source.peer !== selfId).map(({peer: id}) => id),
				rtt: {},
				busy: true,
			}),
		),
		'server-full': (columns, rows) =>
			storeWith(columns, rows, fixtureServer({state: 'overfull', now: fixedTime}).snapshot()),
	};
}
