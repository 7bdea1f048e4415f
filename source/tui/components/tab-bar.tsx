import {panesOf} from '../../store/layout.ts';
import type {PaneId} from '../../store/state.ts';
import {cells} from '../draw/width.ts';
import {paneTitles} from '../keys/palette.ts';
import {Row} from './row.tsx';
import {usePicked, useUi} from './ui-context.ts';

const shortTitles: Partial<Record<PaneId, string>> = {
	search: 'Find',
	transfers: 'Xfer',
	peers: 'Peer',
	shares: 'Mine',
	requests: 'Calls',
	members: 'Peers',
};

/** The numbers and names of all panes, the focused one set off, where not all panes are visible. */
export function TabBar({columns}: {columns: number}) {
	const {theme} = useUi();
	const [screen, focus] = usePicked(state => [state.screen, state.focus]);
	const panes = panesOf({screen});
	const wide = columns >= 56;
	let line = ' ';
	let used = 1;
	for (const [index, pane] of panes.entries()) {
		const title = wide ? paneTitles[pane] : (shortTitles[pane] ?? paneTitles[pane]);
		const isFocused = pane === focus.pane;
		const gap = wide ? ' ' : '';
		const size = cells(` ${index + 1} ${title} `) + gap.length;
		if (used + size > columns) break;
		line += isFocused
			? theme.paint(` ${index + 1} ${title} `, 'selected')
			: `${theme.paint(` ${index + 1} `, 'key')}${theme.paint(`${title} `, 'muted')}`;
		line += gap;
		used += size;
	}
	return <Row text={line + ' '.repeat(Math.max(0, columns - used))} />;
}
