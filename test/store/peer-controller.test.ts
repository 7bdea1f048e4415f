import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {P2pError} from '../../source/core/errors.ts';
import type {SearchAnswer} from '../../source/engine/messages.ts';
import {PeerController} from '../../source/store/peer/peer-controller.ts';
import {currentHit} from '../../source/store/selectors.ts';
import type {UiStore} from '../../source/store/ui-store.ts';
import {fixturePeer} from '../helpers/tui-fixture-engine.ts';
import {storeWith} from '../helpers/tui-render.ts';

let engine: ReturnType<typeof fixturePeer>;
let store: UiStore;
let peer: PeerController;
const asked = (name: string) => engine.calls.filter(([called]) => called === name).map(([, request]) => request);
const toast = () => store.get().toast?.text;

beforeEach(() => {
	vi.useFakeTimers();
	engine = fixturePeer();
	store = storeWith(120, 36, engine.snapshot());
	engine.subscribe(() => store.dispatch({type: 'snapshot', snapshot: engine.snapshot()}));
	peer = new PeerController(store, engine);
	store.subscribe(() => peer.follow());
});
afterEach(() => {
	peer.stop();
	vi.useRealTimers();
});

const searchFor = async (query: string) => {
	peer.search.type(query);
	await vi.advanceTimersByTimeAsync(200);
};

describe('searching', () => {
	test('asks once when the typing pauses', async () => {
		for (const query of ['u', 'ub', 'ubu', 'ubun']) {
			peer.search.type(query);
			await vi.advanceTimersByTimeAsync(50);
		}
		expect(asked('search')).toEqual([]);
		await vi.advanceTimersByTimeAsync(100);
		expect(asked('search')).toEqual([{query: 'ubun', limit: 50, typed: true}]);
		expect(store.get().search).toMatchObject({answered: 'ubun', total: 1234, busy: false});
	});

	test('Enter asks at once, and not again what is answered', async () => {
		peer.search.type('ubuntu');
		peer.search.askNow();
		await vi.advanceTimersByTimeAsync(0);
		peer.search.askNow();
		await vi.advanceTimersByTimeAsync(500);
		expect(asked('search')).toHaveLength(1);
	});

	test('a link is not searched for but downloaded, a file or a folder; a wrong one says what is wrong', async () => {
		await searchFor('ubuntu');
		const content = currentHit(store.get())!.content;
		await searchFor(`magnet:?xt=urn:btmr:${content}&dn=a.iso&xl=12`);
		peer.search.askNow();
		await vi.advanceTimersByTimeAsync(200);
		expect(asked('search')).toHaveLength(1);
		expect(await peer.get.link(store.get().search.query)).toBe(true);
		expect(asked('get')).toMatchObject([{content, name: 'a.iso'}]);
		expect(await peer.get.link(`p2p-tui://${content}/music/live%20set`)).toBe(true);
		expect(asked('getFolder')).toEqual([{peer: content, path: 'music/live set'}]);
		expect(toast()).toBe('Getting live set');
		expect(await peer.get.link('magnet:?xt=urn:btih:abc')).toBe(false);
		expect(toast()).toMatch(/Not a link to a file: it names a whole torrent/);
		expect(asked('get')).toHaveLength(1);
	});

	test('a link of another network: its server is not asked, and where it fails that is said', async () => {
		const content = 'ab'.repeat(32);
		const ours = store.get().peer!.servers[0]!.address;
		const away = `p2p-tui://${content}/music?tr=10.9.8.7:45000`;
		expect(await peer.get.link(away)).toBe(true);
		expect(asked('getFolder')).toEqual([{peer: content, path: 'music'}]);
		expect(store.get().peer!.servers.map(({address}) => address)).not.toContain('10.9.8.7:45000');
		engine.commands.getFolder = async () => {
			throw new P2pError('no-source', 'No such peer');
		};
		expect(await peer.get.link(away)).toBe(false);
		expect(toast()).toBe('No such peer. The link is for the network of 10.9.8.7:45000, which this peer is not in');
		expect(await peer.get.link(`${away}&tr=${ours}`)).toBe(false);
		expect(toast()).toBe('No such peer');
	});

	test('an empty field asks nothing and shows nothing', async () => {
		await searchFor('ubuntu');
		await searchFor('  ');
		expect(asked('search')).toHaveLength(1);
		expect(store.get().search).toMatchObject({hits: [], query: '  ', total: 0});
	});

	test('answers that come in another order than asked: the newest question wins', async () => {
		const pending: ((answer: SearchAnswer) => void)[] = [];
		engine.commands.search = () => new Promise(resolve => pending.push(resolve));
		await searchFor('u');
		await searchFor('ub');
		const answer = (total: number): SearchAnswer => ({hits: [], total, more: false, ms: 1});
		pending[1]?.(answer(2));
		await vi.advanceTimersByTimeAsync(0);
		pending[0]?.(answer(1));
		await vi.advanceTimersByTimeAsync(0);
		expect(store.get().search).toMatchObject({answered: 'ub', total: 2});
	});

	test('a failure is shown in place, and the next search works', async () => {
		await searchFor('boom');
		expect(store.get().search).toMatchObject({error: 'The index server does not answer', hits: [], busy: false});
		await searchFor('ubuntu');
		expect(store.get().search.error).toBeUndefined();
	});

	test('more hits come as the cursor nears the last one', async () => {
		await searchFor('ubuntu');
		expect(store.get().search.hits).toHaveLength(50);
		// Nobody scrolls yet.
		expect(asked('search')).toHaveLength(1);
		store.dispatch({type: 'cursor', list: 'search', index: 1});
		await vi.advanceTimersByTimeAsync(0);
		expect(asked('search').at(-1)).toEqual({query: 'ubuntu', limit: 200, cursor: '50'});
		expect(store.get().search.hits).toHaveLength(250);
		const before = asked('search').length;
		store.dispatch({type: 'cursor', list: 'search', index: 49});
		await vi.advanceTimersByTimeAsync(0);
		expect(asked('search')).toHaveLength(before);
		store.dispatch({type: 'cursor', list: 'search', index: 100});
		await vi.advanceTimersByTimeAsync(0);
		expect(asked('search')).toHaveLength(before + 1);
	});
});

describe('getting', () => {
	test('the dialog opens at once, then shows all sources with their round trips', async () => {
		await searchFor('ubuntu');
		peer.get.open();
		expect(store.get().focus.overlay).toMatchObject({kind: 'get', busy: true});
		await vi.advanceTimersByTimeAsync(0);
		const {overlay} = store.get().focus;
		if (overlay?.kind !== 'get') throw new Error('no dialog');
		expect(overlay.busy).toBe(false);
		expect(Object.keys(overlay.rtt)).toEqual(
			overlay.hit.sources.filter(source => source.online).map(source => source.peer),
		);
	});

	test('all sources: none is named, so that later ones help as well; a choice is named', async () => {
		await searchFor('ubuntu');
		store.dispatch({type: 'cursor', list: 'search', index: 3});
		const hit = currentHit(store.get());
		await peer.get.now();
		expect(asked('get').at(-1)).toEqual({content: hit?.content, name: hit?.name, size: hit?.size});
		store.dispatch({type: 'cursor', list: 'search', index: 7});
		store.dispatch({type: 'search/peer', by: 1});
		await peer.get.now();
		expect(asked('get').at(-1)).toMatchObject({from: [currentHit(store.get())?.sources[1]?.peer]});
		expect(toast()).toMatch(/^Getting .*, from [0-9a-f]{8}$/);
	});

	test('what is there already is said', async () => {
		await searchFor('ubuntu');
		await peer.get.now();
		expect(toast()).toBe('ubuntu-24.04.2-desktop-amd64.iso is already there or on its way');
	});

	test('nothing starts without a peer', async () => {
		await searchFor('ubuntu');
		peer.get.open();
		store.dispatch({type: 'get/all'});
		await peer.get.start();
		expect(asked('get')).toEqual([]);
		expect(toast()).toBe('No peer is marked: space marks one, a marks all');
		expect(store.get().focus.overlay?.kind).toBe('get');
	});

	test('with no search there is nothing to get, and it says how to', async () => {
		peer.get.open();
		expect(toast()).toBe('Search for a file first: /');
		expect(store.get().focus.overlay).toBeUndefined();
	});

	test('a failure is told', async () => {
		engine.commands.get = () =>
			Promise.reject(new P2pError('disk-full', 'the disk is full', {hint: 'Free some space'}));
		await searchFor('ubuntu');
		await peer.get.now();
		expect(store.get().toast).toMatchObject({
			kind: 'error',
			text: 'ubuntu-24.04.2-desktop-amd64.iso: the disk is full. Free some space',
		});
	});
});

describe('transfers', () => {
	const choose = (index: number) => store.dispatch({type: 'cursor', list: 'transfers', index});
	test('p pauses what runs and lets go on what is paused', async () => {
		choose(0);
		await peer.transfers.togglePause();
		expect(store.get().peer?.transfers.rows[0]?.state).toBe('paused');
		await peer.transfers.togglePause();
		expect(store.get().peer?.transfers.rows[0]?.state).toBe('running');
	});

	test.each([
		[2, 'togglePause', 'An upload is paused by the peer that fetches it'],
		[5, 'togglePause', 'This download is finished'],
		[6, 'togglePause', 'This download failed: r tries again'],
		[0, 'retry', 'Only a failed or waiting download can be retried'],
		[5, 'askCancel', 'This download is finished'],
	] as const)('row %i, %s: says why not', async (index, command, reason) => {
		choose(index);
		await peer.transfers[command]();
		expect(toast()).toBe(reason);
		expect(engine.calls.filter(([name]) => name !== 'windows')).toEqual([]);
	});

	test('J and K move a download in the queue', async () => {
		choose(9);
		await peer.transfers.move(1);
		expect(asked('move')).toEqual([{key: 'queued-item-10.bin', by: 1}]);
		expect(store.get().lists.transfers).toMatchObject({index: 10, key: 'queued-item-10.bin'});
		choose(2);
		await peer.transfers.move(1);
		expect(toast()).toBe('Uploads have no order here: the peers that fetch them queue up');
	});

	test('details are asked for again while they are open, and no longer', async () => {
		choose(0);
		peer.transfers.details();
		await vi.advanceTimersByTimeAsync(1100);
		expect(asked('transferDetails')).toHaveLength(3);
		expect(store.get().focus.overlay).toMatchObject({kind: 'transfer', details: {pieces: 2969}});
		store.dispatch({type: 'overlay', overlay: undefined});
		await vi.advanceTimersByTimeAsync(3000);
		expect(asked('transferDetails').length).toBeLessThanOrEqual(4);
		choose(2);
		peer.transfers.details();
		await vi.advanceTimersByTimeAsync(600);
		expect(store.get().focus.overlay).toEqual({kind: 'transfer', key: 'wikipedia-en-2025-01.zim'});
	});

	test('a failed one is retried; cancelling asks first', async () => {
		choose(6);
		await peer.transfers.retry();
		expect(asked('retry')).toEqual([{key: 'dataset-openimages-part03.tar'}]);
		await peer.transfers.askCancel();
		expect(asked('cancel')).toEqual([]);
		expect(store.get().focus.overlay).toMatchObject({
			kind: 'confirm',
			command: {do: 'cancel', key: 'dataset-openimages-part03.tar'},
		});
	});
});

describe('browsing', () => {
	const choose = (list: 'peers' | 'browse', index: number) => store.dispatch({type: 'cursor', list, index});
	test('goes down and up a tree, back to the folder it came from', async () => {
		peer.browse.open('peers');
		await vi.advanceTimersByTimeAsync(0);
		expect(store.get().browse).toMatchObject({path: '', busy: false});
		choose('browse', 1);
		peer.browse.enter();
		await vi.advanceTimersByTimeAsync(0);
		expect(store.get().browse?.path).toBe('testing_files');
		peer.browse.up();
		await vi.advanceTimersByTimeAsync(0);
		expect(store.get().browse?.path).toBe('');
		expect(store.get().lists.browse.index).toBe(1);
		peer.browse.up();
		expect(store.get().browse).toBeUndefined();
	});

	test('an answer for a folder that was left is dropped', async () => {
		const pending: (() => void)[] = [];
		const browse = engine.commands.browse;
		engine.commands.browse = request => new Promise(resolve => pending.push(() => resolve(browse(request))));
		peer.browse.open('peers');
		store.dispatch({type: 'browse/close'});
		store.dispatch({type: 'cursor', list: 'peers', index: 1});
		peer.browse.open('peers');
		pending[0]?.();
		await vi.advanceTimersByTimeAsync(0);
		expect(store.get().browse).toMatchObject({name: 'bob', busy: true, entries: []});
		pending[1]?.();
		await vi.advanceTimersByTimeAsync(0);
		expect(store.get().browse).toMatchObject({name: 'bob', busy: false});
	});

	test('d gets a whole folder', async () => {
		peer.browse.open('peers');
		await vi.advanceTimersByTimeAsync(0);
		await peer.browse.get();
		expect(asked('getFolder')).toEqual([{peer: store.get().browse?.peer, path: 'iso'}]);
		expect(toast()).toBe('Getting iso, 214 files, 91G, from alice');
	});

	test('who is offline is not asked', () => {
		choose('peers', 10);
		peer.browse.open('peers');
		expect(toast()).toBe('studio is offline now');
		expect(store.get().browse).toBeUndefined();
	});
});

test('the engine is told the visible windows of long lists as they move', async () => {
	engine = fixturePeer({state: 'overfull'});
	store = storeWith(120, 36, engine.snapshot());
	engine.subscribe(() => store.dispatch({type: 'snapshot', snapshot: engine.snapshot()}));
	peer = new PeerController(store, engine);
	store.subscribe(() => peer.follow());
	peer.follow();
	await vi.advanceTimersByTimeAsync(0);
	const first = asked('windows').length;
	store.dispatch({type: 'pane', pane: 'transfers'});
	for (let count = 0; count < 60; count++) store.dispatch({type: 'move', step: 'down'});
	await vi.advanceTimersByTimeAsync(0);
	expect(asked('windows')).toHaveLength(first);
	store.dispatch({type: 'move', step: 'last'});
	await vi.advanceTimersByTimeAsync(0);
	const {transfers} = store.get().peer ?? {};
	expect(transfers?.rows.at(-1)?.name).toBe('queued-item-1000.bin');
	expect(store.get().lists.transfers).toMatchObject({index: 999, key: 'queued-item-1000.bin'});
	expect(transfers?.rows.length).toBeLessThan(400);
});

describe('whom a share is for', () => {
	const say = async () => {
		await vi.advanceTimersByTimeAsync(0);
		return toast();
	};
	const audience = () => store.get().peer?.shares[0]?.audience;

	test('is changed on the screen: off, everybody, one peer alone (asks), one more, one less', async () => {
		const {name} = store.get().peer!.shares[0]!;
		peer.shares.toggleOff();
		expect(await say()).toBe(`${name} is for nobody now`);
		expect(audience()).toEqual([]);
		peer.shares.toggleOff();
		expect(await say()).toBe(`${name} is for everybody now`);
		expect(audience()).toBeUndefined();

		const rows = store.get().peer!.peers.rows;
		const [first, second] = rows.filter(row => !row.self);
		const choose = (id: string) =>
			store.dispatch({type: 'cursor', list: 'peers', index: rows.findIndex(row => row.id === id)});
		choose(first!.id);
		peer.shares.toggleFor();
		const {overlay} = store.get().focus;
		expect(overlay).toMatchObject({kind: 'confirm', command: {do: 'audience', name, peers: [first!.id]}});
		expect(asked('setAudience')).toHaveLength(2);
		await peer.shares.setAudience(name, [first!.id]);
		choose(second!.id);
		peer.shares.toggleFor();
		await say();
		expect(audience()).toEqual([first!.id, second!.id]);
		choose(first!.id);
		peer.shares.toggleFor();
		await say();
		expect(audience()).toEqual([second!.id]);
		choose(rows.find(row => row.self)!.id);
		peer.shares.toggleFor();
		expect(await say()).toBe('Choose another peer than yourself');
	});
});
