import {describe, expect, test} from 'vitest';
import {targetAt} from '../../source/store/pointer.ts';
import {reducer} from '../../source/store/reducer.ts';
import {fixturePeer, fixtureServer} from '../helpers/tui-fixture-engine.ts';
import {drawnText, storeWith} from '../helpers/tui-render.ts';

/** Where a text stands on the screen. */
function placeOf(lines: string[], text: string): {x: number; y: number} {
	// The log at the right may name it as well.
	const y = lines.findIndex(line => line.indexOf(text) >= 0 && line.indexOf(text) < Math.max(40, line.length * 0.6));
	if (y === -1) throw new Error(`${text} is not on the screen`);
	return {x: lines[y]?.indexOf(text) ?? 0, y};
}

const anyPlace = (lines: string[], text: string) => {
	const y = lines.findIndex(line => line.includes(text));
	return {x: lines[y]?.indexOf(text) ?? -1, y};
};

describe('what lies under a cell', () => {
	test.each([
		[120, 36],
		[80, 24],
		[40, 12],
		[200, 60],
	])('is what is drawn there at %ix%i', (columns, rows) => {
		const store = storeWith(columns, rows, fixturePeer().snapshot());
		store.dispatch({type: 'pane', pane: 'transfers'});
		const lines = drawnText(store);
		for (const [index, name] of ['↓ ubun', '↓ debi'].entries()) {
			const {x, y} = placeOf(lines, name);
			expect(targetAt(store.get(), x, y), name).toEqual({
				kind: 'row',
				pane: 'transfers',
				list: 'transfers',
				row: index,
			});
		}
		store.dispatch({type: 'pane', pane: 'peers'});
		const {x, y} = anyPlace(drawnText(store), 'nas-attic ');
		expect(targetAt(store.get(), x, y)).toEqual({kind: 'row', pane: 'peers', list: 'peers', row: 2});
		store.dispatch({type: 'pane', pane: 'shares'});
		const share = anyPlace(drawnText(store), 'flac/');
		expect(targetAt(store.get(), share.x, share.y)).toEqual({kind: 'row', pane: 'shares', list: 'shares', row: 1});
	});

	test('tabs, the query, borders, and nothing', () => {
		const store = storeWith(80, 24, fixturePeer().snapshot());
		const lines = drawnText(store);
		const tab = placeOf(lines, '4 Log');
		expect(targetAt(store.get(), tab.x, tab.y)).toEqual({kind: 'tab', pane: 'log'});
		expect(targetAt(store.get(), 5, 3)).toEqual({kind: 'query', pane: 'search'});
		expect(targetAt(store.get(), 0, 2)).toEqual({kind: 'pane', pane: 'search'});
		expect(targetAt(store.get(), 5, 23)).toBeUndefined();
		expect(targetAt(store.get(), 500, 500)).toBeUndefined();
	});

	test('the members of a server', () => {
		const store = storeWith(120, 36, fixtureServer().snapshot());
		const {x, y} = anyPlace(drawnText(store), 'nas-attic ');
		expect(targetAt(store.get(), x, y)).toMatchObject({kind: 'row', pane: 'members', row: 2});
	});
});

test('the wheel scrolls what lies under it and leaves the focus', () => {
	const state = storeWith(120, 36, fixturePeer().snapshot()).get();
	const wheeled = reducer(state, {type: 'wheel', pane: 'peers', step: 'down', times: 3});
	expect(wheeled.lists.peers.index).toBe(3);
	expect(wheeled.focus.pane).toBe('search');
	const back = reducer(state, {type: 'wheel', pane: 'log', step: 'up', times: 3});
	expect(back.log.back).toBe(3);
	expect(back.log.frozen).toBeDefined();
});
