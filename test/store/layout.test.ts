import {describe, expect, test} from 'vitest';
import {layoutKind, layoutOf, listRows} from '../../source/store/layout.ts';
import {initialState, type PaneId, peerPanes, serverPanes, type UiState} from '../../source/store/state.ts';

const state = (
	columns: number,
	rows: number,
	screen: 'peer' | 'server',
	pane: PaneId,
	more: Partial<UiState> = {},
): UiState => ({
	...initialState({columns, rows}),
	screen,
	focus: {pane},
	...more,
});

test('the kind changes at the sizes of the design', () => {
	expect(layoutKind({columns: 100, rows: 28})).toBe('split');
	expect(layoutKind({columns: 99, rows: 28})).toBe('stacked');
	expect(layoutKind({columns: 100, rows: 27})).toBe('stacked');
	expect(layoutKind({columns: 60, rows: 22})).toBe('stacked');
	expect(layoutKind({columns: 59, rows: 60})).toBe('single');
	expect(layoutKind({columns: 32, rows: 8})).toBe('single');
	expect(layoutKind({columns: 31, rows: 8})).toBe('line');
	expect(layoutKind({columns: 300, rows: 7})).toBe('line');
});

describe('panes tile the screen without gap or overlap', () => {
	const sizes = [
		[32, 8],
		[40, 12],
		[59, 21],
		[60, 22],
		[80, 24],
		[100, 28],
		[120, 36],
		[133, 43],
		[200, 60],
		[300, 100],
	] as const;
	for (const [columns, rows] of sizes) {
		for (const screen of ['peer', 'server'] as const) {
			for (const pane of screen === 'peer' ? peerPanes : serverPanes) {
				for (const zoom of [false, true]) {
					test(`${screen} ${pane} ${columns}x${rows} ${zoom ? 'zoomed' : ''}`, () => {
						const corner = pane === 'shares' ? 'shares' : 'peers';
						const layout = layoutOf(state(columns, rows, screen, pane, {zoom, corner}));
						const used = layout.panes.reduce((sum, {rect}) => sum + rect.width * rect.height, 0);
						const top = Math.min(...layout.panes.map(({rect}) => rect.y));
						expect(layout.panes.map(({id}) => id)).toContain(pane);
						expect(used).toBe(columns * (rows - 1 - top));
						expect(top).toBe(1 + (layout.tabs ? 1 : 0) + layout.cards);
						for (const {rect} of layout.panes) {
							expect(rect.x + rect.width).toBeLessThanOrEqual(columns);
							expect(rect.y + rect.height).toBeLessThanOrEqual(rows - 1);
							expect(rect.height).toBeGreaterThanOrEqual(3);
						}
					});
				}
			}
		}
	}
});

test('a pane that is not on screen still has a row for its cursor', () => {
	expect(listRows(state(80, 24, 'peer', 'search'), 'peers')).toBe(1);
	expect(listRows(state(80, 24, 'peer', 'search'), 'search')).toBe(9);
	expect(listRows(state(120, 36, 'peer', 'search'), 'transfers')).toBe(12);
});
