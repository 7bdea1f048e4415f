// Where each pane lies for a size: split from 100x28, stacked with a dock from 60x22, one pane from 32x8, else one line.
import {type PaneId, peerPanes, type Size, serverPanes, type UiState} from './state.ts';

/** Cells from the upper left corner. */
export type Rect = {x: number; y: number; width: number; height: number};

export type LayoutKind = 'split' | 'stacked' | 'single' | 'line';

export type Layout = {
	kind: LayoutKind;
	/** Whether the row of tabs is there. */
	tabs: boolean;
	/** Height of the server's stat cards, 0 when there is no room. */
	cards: number;
	panes: readonly {id: PaneId; rect: Rect}[];
};

/** Which layout a size allows. */
export function layoutKind({columns, rows}: Size): LayoutKind {
	if (columns >= 100 && rows >= 28) return 'split';
	if (columns >= 60 && rows >= 22) return 'stacked';
	if (columns >= 32 && rows >= 8) return 'single';
	return 'line';
}

/** The panes of the screen that is shown, in the order of their numbers. */
export function panesOf(state: Pick<UiState, 'screen'>): readonly PaneId[] {
	return state.screen === 'server' ? serverPanes : peerPanes;
}

type LayoutInput = Pick<UiState, 'size' | 'screen' | 'zoom' | 'corner'> & {focus: {pane: PaneId}};

function peerLayout({size: {columns, rows}, focus, zoom, corner}: LayoutInput, kind: LayoutKind): Layout {
	const pane = focus.pane;
	if (kind === 'split' && !zoom) {
		const top = 1;
		const body = rows - 2;
		const left = Math.round(columns * 0.617);
		const right = columns - left;
		const searchHeight = Math.round(body * 0.588);
		const leftPanes = [
			{id: 'search', rect: {x: 0, y: top, width: left, height: searchHeight}},
			{id: 'transfers', rect: {x: 0, y: top + searchHeight, width: left, height: body - searchHeight}},
		] as const;
		if (rows >= 44) {
			const peers = Math.round(body * 0.36);
			const shares = Math.max(7, Math.round(body * 0.18));
			return {
				kind,
				tabs: false,
				cards: 0,
				panes: [
					...leftPanes,
					{id: 'peers', rect: {x: left, y: top, width: right, height: peers}},
					{id: 'shares', rect: {x: left, y: top + peers, width: right, height: shares}},
					{id: 'log', rect: {x: left, y: top + peers + shares, width: right, height: body - peers - shares}},
				],
			};
		}
		const cornerHeight = Math.round(body * 0.41);
		return {
			kind,
			tabs: false,
			cards: 0,
			panes: [
				...leftPanes,
				{id: corner, rect: {x: left, y: top, width: right, height: cornerHeight}},
				{id: 'log', rect: {x: left, y: top + cornerHeight, width: right, height: body - cornerHeight}},
			],
		};
	}
	const body = rows - 3;
	if (kind === 'stacked' && !zoom) {
		const dock = rows >= 30 ? Math.round(body * 0.3) : 6;
		return {
			kind,
			tabs: true,
			cards: 0,
			panes: [
				{id: pane, rect: {x: 0, y: 2, width: columns, height: body - dock}},
				{
					id: pane === 'transfers' ? 'log' : 'transfers',
					rect: {x: 0, y: 2 + body - dock, width: columns, height: dock},
				},
			],
		};
	}
	return {kind, tabs: true, cards: 0, panes: [{id: pane, rect: {x: 0, y: 2, width: columns, height: body}}]};
}

function serverLayout({size: {columns, rows}, focus, zoom}: LayoutInput, kind: LayoutKind): Layout {
	const cards = kind === 'single' ? (rows >= 14 ? 3 : 0) : 4;
	const tabs = kind === 'single';
	const y = 1 + cards + (tabs ? 1 : 0);
	const body = rows - 1 - y;
	if (kind === 'split' && !zoom) {
		const left = Math.round(columns * 0.575);
		const right = columns - left;
		const members = Math.round(body * 0.55);
		return {
			kind,
			tabs,
			cards,
			panes: [
				{id: 'requests', rect: {x: 0, y, width: left, height: body}},
				{id: 'members', rect: {x: left, y, width: right, height: members}},
				{id: 'rates', rect: {x: left, y: y + members, width: right, height: body - members}},
			],
		};
	}
	return {kind, tabs, cards, panes: [{id: focus.pane, rect: {x: 0, y, width: columns, height: body}}]};
}

/** The layout of the peer's or the server's screen. */
export function layoutOf(state: LayoutInput): Layout {
	const kind = layoutKind(state.size);
	if (kind === 'line') return {kind, tabs: false, cards: 0, panes: []};
	return state.screen === 'server' ? serverLayout(state, kind) : peerLayout(state, kind);
}

/** Where the box of the start menu and of its prompts lies, under the title where there is room for it. */
export function menuBox({columns, rows}: Size, height: number, titleHeight: number): Rect & {withTitle: boolean} {
	const width = Math.min(58, columns - 2);
	const withTitle = rows >= height + titleHeight + 4 && columns >= 40;
	const above = withTitle ? titleHeight + 1 : 0;
	const y = Math.max(0, Math.floor((rows - height - above - 1) / 2)) + above;
	return {x: Math.floor((columns - width) / 2), y, width, height, withTitle};
}

/** Rows of a pane that are not its list: borders, headings, the strip of peers. */
export function paneOverhead(id: PaneId, height: number): number {
	if (id === 'search') return height >= 9 ? 6 : height >= 7 ? 5 : 3;
	if (id === 'peers' || id === 'shares' || id === 'requests' || id === 'members') return height >= 6 ? 3 : 2;
	return 2;
}

/** Rows that a pane's list shows; 1 where the pane is not on screen, so that its cursor still works. */
export function listRows(state: LayoutInput & Pick<UiState, 'browse'>, id: PaneId): number {
	const pane = layoutOf(state).panes.find(candidate => candidate.id === id);
	if (!pane) return 1;
	const overhead = id === 'peers' && state.browse ? 2 : paneOverhead(id, pane.rect.height);
	return Math.max(1, pane.rect.height - overhead);
}
