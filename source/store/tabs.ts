// The row of tabs: which panes it names, how, and in which cells.
import {panesOf} from './layout.ts';
import type {PaneId, UiState} from './state.ts';

/** Pane names as people read them. */
export const paneTitles: Record<PaneId, string> = {
	search: 'Search',
	transfers: 'Transfers',
	peers: 'Peers',
	log: 'Log',
	shares: 'Shares',
	requests: 'Requests',
	members: 'Peers',
	rates: 'Rates',
};

const shortTitles: Partial<Record<PaneId, string>> = {
	search: 'Find',
	transfers: 'Xfer',
	peers: 'Peer',
	shares: 'Mine',
	requests: 'Calls',
	members: 'Peers',
};

/** A tab: its number, its name, and its cells from `from` up to before `to`. */
export type Tab = {pane: PaneId; number: number; title: string; from: number; to: number};

/** The tabs that fit into a row of so many cells. */
export function tabsOf(state: Pick<UiState, 'screen'>, columns: number): Tab[] {
	const isWide = columns >= 56;
	const tabs: Tab[] = [];
	let from = 1;
	for (const [index, pane] of panesOf(state).entries()) {
		const title = isWide ? paneTitles[pane] : (shortTitles[pane] ?? paneTitles[pane]);
		const to = from + title.length + 4;
		if (to + (isWide ? 1 : 0) > columns) break;
		tabs.push({pane, number: index + 1, title, from, to});
		from = to + (isWide ? 1 : 0);
	}
	return tabs;
}
