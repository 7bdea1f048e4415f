import {beforeEach, describe, expect, test} from 'vitest';
import type {ContentSources} from '../../source/api/schemas.ts';
import {
	currentHit,
	currentSource,
	logLines,
	marksOf,
	sortedHits,
	tailWindow,
	wantedPeers,
} from '../../source/store/selectors.ts';
import type {UiStore} from '../../source/store/ui-store.ts';
import {hits, idFor, logLine, peerRows, selfId} from '../helpers/tui-fixture-data.ts';
import {fixturePeer, fixtureServer} from '../helpers/tui-fixture-engine.ts';
import {storeWith} from '../helpers/tui-render.ts';

const peers = peerRows(20);
const snapshot = fixturePeer().snapshot();
let store: UiStore;
const answer = (found: ContentSources[], more: Partial<{total: number; cursor: string}> = {}) => ({
	hits: found,
	total: found.length,
	more: false,
	ms: 2,
	...more,
});
const search = (query: string, found: ContentSources[]) => {
	store.dispatch({type: 'search/query', query});
	store.dispatch({type: 'search/asked'});
	store.dispatch({type: 'search/answer', asked: store.get().search.asked, query, answer: answer(found)});
};

beforeEach(() => {
	store = storeWith(120, 36, snapshot);
});

describe('search', () => {
	test('a late answer to an older question is dropped', () => {
		store.dispatch({type: 'search/asked'});
		const old = store.get().search.asked;
		search('ubuntu', hits(peers, 'ubuntu', 5));
		const before = store.get();
		store.dispatch({type: 'search/answer', asked: old, query: 'u', answer: answer(hits(peers, 'u', 30))});
		store.dispatch({type: 'search/failed', asked: old, query: 'u', message: 'too late'});
		store.dispatch({type: 'search/page', asked: old, answer: answer(hits(peers, 'u', 30))});
		expect(store.get()).toBe(before);
	});

	test('another query starts at the top, the same one keeps the cursor with its file', () => {
		const found = hits(peers, 'ubuntu', 12);
		search('ubuntu', found);
		store.dispatch({type: 'move', step: 'down'});
		store.dispatch({type: 'move', step: 'down'});
		const chosen = currentHit(store.get())?.content;
		search('ubuntu', found.toReversed());
		expect(currentHit(store.get())?.content).toBe(chosen);
		search('ubuntu 24', found);
		expect(store.get().lists.search.index).toBe(0);
	});

	test('a page adds only what is new', () => {
		search('ubuntu', hits(peers, 'ubuntu', 150));
		const {asked} = store.get().search;
		store.dispatch({type: 'search/page', asked, answer: answer(hits(peers, 'ubuntu', 300, 90), {cursor: '190'})});
		expect(store.get().search.hits).toHaveLength(190);
		expect(store.get().search.cursor).toBe('190');
	});

	test('sorting walks through the orders and keeps the file', () => {
		search('ubuntu', hits(peers, 'ubuntu', 12));
		store.dispatch({type: 'move', step: 'last'});
		const chosen = currentHit(store.get())?.content;
		store.dispatch({type: 'search/sort', reverse: false});
		const names = sortedHits(store.get()).map(hit => hit.name);
		expect(names).toEqual(names.toSorted());
		expect(currentHit(store.get())?.content).toBe(chosen);
		store.dispatch({type: 'search/sort', reverse: true});
		expect(sortedHits(store.get()).map(hit => hit.name)).toEqual(names.toReversed());
		store.dispatch({type: 'search/sort', reverse: false});
		expect(store.get().search).toMatchObject({sort: 'size', reverse: false});
	});

	test('clearing forgets hits, marks and the question that is out', () => {
		search('ubuntu', hits(peers, 'ubuntu', 5));
		store.dispatch({type: 'search/mark'});
		store.dispatch({type: 'search/asked'});
		const {asked} = store.get().search;
		store.dispatch({type: 'search/clear'});
		store.dispatch({type: 'search/answer', asked, query: 'ubuntu', answer: answer(hits(peers, 'ubuntu', 5))});
		expect(store.get().search).toMatchObject({hits: [], query: '', busy: false, marks: {}});
	});
});

describe('which peers a download starts with', () => {
	const wanted = () => {
		const hit = currentHit(store.get());
		return hit ? wantedPeers(store.get(), hit) : [];
	};
	beforeEach(() => {
		search(
			'ubuntu',
			hits(peers, 'ubuntu', 12).filter(hit => hit.sources.length >= 3),
		);
	});

	test('all that are online when nobody chose', () => {
		expect(wanted()).toEqual(
			currentHit(store.get())
				?.sources.filter(source => source.online)
				.map(source => source.peer),
		);
	});
	test('the one that the cursor was moved to', () => {
		store.dispatch({type: 'search/peer', by: 1});
		expect(wanted()).toEqual([currentHit(store.get())?.sources[1]?.peer]);
		store.dispatch({type: 'search/peer', by: -1});
		expect(wanted()).toEqual([currentHit(store.get())?.sources[0]?.peer]);
	});
	test('the marked ones, wherever the cursor is', () => {
		store.dispatch({type: 'search/mark'});
		store.dispatch({type: 'search/peer', by: 1});
		store.dispatch({type: 'search/peer', by: 1});
		store.dispatch({type: 'search/mark'});
		store.dispatch({type: 'search/peer', by: -1});
		const sources = currentHit(store.get())?.sources ?? [];
		expect(wanted()).toEqual([sources[0]?.peer, sources[2]?.peer]);
		store.dispatch({type: 'search/peer', by: 1});
		store.dispatch({type: 'search/mark'});
		expect(wanted()).toEqual([sources[0]?.peer]);
	});
	test('another file forgets where the cursor was, not the marks', () => {
		store.dispatch({type: 'search/mark'});
		store.dispatch({type: 'search/peer', by: 1});
		const marked = currentHit(store.get())?.content ?? '';
		store.dispatch({type: 'move', step: 'down'});
		expect(store.get().search).toMatchObject({peerIndex: 0, peerMoved: false});
		store.dispatch({type: 'move', step: 'up'});
		expect(marksOf(store.get(), marked)).toHaveLength(1);
	});
	test('never this machine, nor who is offline', () => {
		const [first, second, ...rest] = currentHit(store.get())?.sources ?? [];
		if (!first || !second) throw new Error('the fixture has too few sources');
		const hit = {
			...(currentHit(store.get()) as ContentSources),
			sources: [{...first, peer: selfId}, {...second, online: false}, ...rest],
		};
		search('other', [hit]);
		expect(wanted()).toEqual(rest.map(source => source.peer));
		store.dispatch({type: 'search/peer', by: 1});
		expect(wanted()).toEqual(rest.map(source => source.peer));
		expect(currentSource(store.get())?.online).toBe(false);
	});
});

describe('the get dialog', () => {
	const open = (chosen?: string[]) => {
		const hit = currentHit(store.get()) as ContentSources;
		store.dispatch({
			type: 'overlay',
			overlay: {kind: 'get', hit, cursor: 0, chosen: chosen ?? wantedPeers(store.get(), hit), rtt: {}, busy: true},
		});
		return hit;
	};
	const overlay = () => {
		const {overlay: open} = store.get().focus;
		if (open?.kind !== 'get') throw new Error('the dialog is not open');
		return open;
	};
	beforeEach(() => {
		search(
			'ubuntu',
			hits(peers, 'ubuntu', 12).filter(hit => hit.sources.length >= 3),
		);
	});

	test('space takes a peer out and in, a takes all or none', () => {
		const hit = open();
		store.dispatch({type: 'get/toggle'});
		expect(overlay().chosen).not.toContain(hit.sources[0]?.peer);
		store.dispatch({type: 'get/toggle'});
		expect(overlay().chosen).toContain(hit.sources[0]?.peer);
		store.dispatch({type: 'get/all'});
		expect(overlay().chosen).toEqual([]);
		store.dispatch({type: 'get/all'});
		expect(overlay().chosen).toHaveLength(hit.sources.length);
	});

	test('a source that came up since is taken when all were, not when some were chosen', () => {
		const hit = open();
		const later = {...hit.sources[0], peer: idFor('later')} as ContentSources['sources'][number];
		const fresh = {...hit, sources: [...hit.sources, later]};
		store.dispatch({type: 'get/sources', content: hit.content, hit: fresh, busy: true});
		expect(overlay().chosen).toContain(later.peer);
		open([hit.sources[1]?.peer ?? '']);
		store.dispatch({type: 'get/sources', content: hit.content, hit: fresh, busy: true});
		expect(overlay().chosen).toEqual([hit.sources[1]?.peer]);
	});

	test('a source that went away is no longer chosen', () => {
		const hit = open();
		const gone = {...hit, sources: hit.sources.map((source, index) => ({...source, online: index > 0}))};
		store.dispatch({type: 'get/sources', content: hit.content, hit: gone, busy: false});
		expect(overlay().chosen).not.toContain(hit.sources[0]?.peer);
	});

	test('an answer for another file changes nothing', () => {
		open();
		const before = store.get();
		store.dispatch({type: 'get/sources', content: idFor('another'), busy: false, error: 'no'});
		expect(store.get()).toBe(before);
	});
});

describe('panes and lists', () => {
	test('peers and shares share a corner; the last focused stays there', () => {
		store.dispatch({type: 'pane', pane: 'shares'});
		expect(store.get().corner).toBe('shares');
		store.dispatch({type: 'pane', pane: 'log'});
		expect(store.get().corner).toBe('shares');
		store.dispatch({type: 'pane', pane: 'peers'});
		expect(store.get().corner).toBe('peers');
	});

	test('tab walks around', () => {
		for (const pane of ['transfers', 'peers', 'log', 'shares', 'search'] as const) {
			store.dispatch({type: 'pane/next', by: 1});
			expect(store.get().focus.pane).toBe(pane);
		}
		store.dispatch({type: 'pane/next', by: -1});
		expect(store.get().focus.pane).toBe('shares');
	});

	test('a pane of the other screen is not focused', () => {
		store.dispatch({type: 'pane', pane: 'requests'});
		expect(store.get().focus.pane).toBe('search');
	});

	test('the cursor keeps its transfer when rows come before it', () => {
		const engine = fixturePeer();
		store.dispatch({type: 'pane', pane: 'transfers'});
		store.dispatch({type: 'move', step: 'down'});
		const {key} = store.get().lists.transfers;
		engine.change(rows => {
			const [first] = rows;
			if (first) rows.unshift({...first, key: 'new'});
		});
		store.dispatch({type: 'snapshot', snapshot: engine.snapshot()});
		expect(store.get().lists.transfers).toMatchObject({index: 2, key});
	});

	test('a smaller terminal keeps the cursor visible', () => {
		store.dispatch({type: 'pane', pane: 'transfers'});
		store.dispatch({type: 'move', step: 'last'});
		store.dispatch({type: 'resize', size: {columns: 40, rows: 12}});
		const {index, top} = store.get().lists.transfers;
		expect(index).toBe(13);
		expect(top).toBe(7);
	});
});

describe('the log', () => {
	const grow = (count: number) => {
		const log = Array.from({length: count}, (_, index) => logLine(index));
		store.dispatch({type: 'snapshot', snapshot: {...snapshot, log}});
	};
	const shown = () => tailWindow(logLines(store.get()), store.get().log.back, 5).map(line => line.seq);
	beforeEach(() => {
		store.dispatch({type: 'pane', pane: 'log'});
		store.dispatch({type: 'log/level'});
		store.dispatch({type: 'log/level'});
		store.dispatch({type: 'log/level'});
	});

	test('follows its end, stays where it was scrolled, and follows again', () => {
		grow(50);
		expect(shown()).toEqual([45, 46, 47, 48, 49]);
		store.dispatch({type: 'move', step: 'up'});
		grow(60);
		expect(shown()).toEqual([44, 45, 46, 47, 48]);
		store.dispatch({type: 'move', step: 'down'});
		expect(shown()).toEqual([55, 56, 57, 58, 59]);
		store.dispatch({type: 'move', step: 'first'});
		grow(70);
		store.dispatch({type: 'tail/follow'});
		expect(shown()).toEqual([65, 66, 67, 68, 69]);
	});

	test('paused it stands still, and goes on', () => {
		grow(50);
		store.dispatch({type: 'tail/pause'});
		grow(80);
		expect(shown()).toEqual([45, 46, 47, 48, 49]);
		store.dispatch({type: 'tail/pause'});
		expect(shown()).toEqual([75, 76, 77, 78, 79]);
	});

	test('passes only lines of its level with the filter in them', () => {
		grow(50);
		store.dispatch({type: 'tail/filter', filter: 'LAB-08'});
		expect(new Set(logLines(store.get()).map(line => line.kind))).toEqual(new Set(['peer']));
		store.dispatch({type: 'tail/filter', filter: ''});
		store.dispatch({type: 'log/level'});
		store.dispatch({type: 'log/level'});
		expect(new Set(logLines(store.get()).map(line => line.level))).toEqual(new Set(['warn', 'error']));
	});
});

test("the server's requests have a tail of their own", () => {
	const server = storeWith(120, 36, fixtureServer().snapshot());
	server.dispatch({type: 'tail/pause'});
	expect(server.get().requests.frozen).toHaveLength(300);
	expect(server.get().log.frozen).toBeUndefined();
	server.dispatch({type: 'tail/follow'});
	expect(server.get().requests.frozen).toBeUndefined();
});
