import {tabsOf} from '../../store/tabs.ts';
import {Rows} from './row.tsx';
import {usePicked, useUi} from './ui-context.ts';

/** Second row of the screen: the numbers and names of all panes, the focused one set off, where not all panes are visible. */
export function TabBar({columns}: {columns: number}) {
	const {theme} = useUi();
	const [screen, focus] = usePicked(state => [state.screen, state.focus]);
	let line = '';
	let used = 0;
	for (const {pane, number, title, from, to} of tabsOf({screen}, columns)) {
		line += ' '.repeat(from - used);
		line +=
			pane === focus.pane
				? theme.paint(` ${number} ${title} `, 'selected')
				: `${theme.paint(` ${number} `, 'key')}${theme.paint(`${title} `, 'muted')}`;
		used = to;
	}
	return <Rows y={1} rows={[line + ' '.repeat(Math.max(0, columns - used))]} />;
}
