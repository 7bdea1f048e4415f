// What lies under a cell of the screen: for clicks and the wheel.
import {layoutOf, listRows, paneOverhead} from './layout.ts';
import {listIndex} from './selectors.ts';
import type {ListId, PaneId, UiState} from './state.ts';
import {tabsOf} from './tabs.ts';

/** What a click means. `row` is a place in the list, not on the screen. */
export type Target =
	| {kind: 'tab'; pane: PaneId}
	| {kind: 'row'; pane: PaneId; list: ListId; row: number}
	| {kind: 'query'; pane: PaneId}
	| {kind: 'pane'; pane: PaneId};

/** The list that a pane shows now. */
export function listOf(state: Pick<UiState, 'browse'>, pane: PaneId): ListId | undefined {
	if (pane === 'peers') return state.browse ? 'browse' : 'peers';
	return pane === 'search' || pane === 'transfers' || pane === 'shares' || pane === 'members' ? pane : undefined;
}

/** Rows of a pane above its list, its border among them. */
function rowsAbove(state: UiState, pane: PaneId, height: number): number {
	if (pane === 'search') return height >= 7 ? 3 : 2;
	if (pane === 'peers' && state.browse) return 1;
	if (pane === 'transfers') return 1;
	const hasHeading = paneOverhead(pane, height) > 2;
	return hasHeading && (pane !== 'shares' || (state.peer?.shares.length ?? 0) > 0) ? 2 : 1;
}

/** What lies at a cell, counted from 0; undefined where nothing can be clicked. */
export function targetAt(state: UiState, x: number, y: number): Target | undefined {
	const layout = layoutOf({...state, focus: {pane: state.focus.pane}});
	if (layout.tabs && y === 1) {
		const tab = tabsOf(state, state.size.columns).find(({from, to}) => x >= from && x < to);
		return tab && {kind: 'tab', pane: tab.pane};
	}
	for (const {id: pane, rect} of layout.panes) {
		if (x < rect.x || x >= rect.x + rect.width || y < rect.y || y >= rect.y + rect.height) continue;
		if (pane === 'search' && y === rect.y + 1) return {kind: 'query', pane};
		const list = listOf(state, pane);
		if (!list) return {kind: 'pane', pane};
		const at = y - rect.y - rowsAbove(state, pane, rect.height);
		const row = state.lists[list].top + at;
		const isInside = at >= 0 && at < listRows(state, pane) && row < listIndex(state, list).total;
		return isInside ? {kind: 'row', pane, list, row} : {kind: 'pane', pane};
	}
	return undefined;
}
