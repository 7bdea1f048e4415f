import type {BrowseEntry} from '../../api/schemas.ts';
import {shortBytes} from '../../core/format.ts';
import {baseName} from '../../core/share-path.ts';
import {listRows, type Rect} from '../../store/layout.ts';
import type {BrowseState} from '../../store/state.ts';
import {PaneFrame} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {grouped} from '../draw/format.ts';
import {paintLine, type Span, spanCells} from '../draw/line.ts';
import {cells, cut, fitCells} from '../draw/width.ts';
import type {Theme} from '../theme.ts';

function entryLine(theme: Theme, inner: number, entry: BrowseEntry, isCurrent: boolean, focused: boolean): string {
	const {glyphs} = theme;
	const isFolder = entry.type === 'folder';
	const name = `${theme.text(baseName(entry.path))}${isFolder ? glyphs.folder : ''}`;
	const count = isFolder && inner >= 34 ? `${grouped(entry.files)} ${entry.files === 1 ? 'file' : 'files'}` : '';
	const room = Math.max(4, inner - 10 - (count ? cells(count) + 1 : 0));
	return paintLine(
		theme,
		inner,
		[
			[isCurrent ? `${glyphs.pointer} ` : '  ', 'accent'],
			[fitCells(name, room, {ellipsis: glyphs.ellipsis, position: 'middle'}), isFolder ? 'count' : 'plain'],
			[count ? ` ${count}` : '', 'muted'],
			[fitCells(shortBytes(entry.size), 7, {align: 'right'})],
			[' '],
		],
		isCurrent && focused,
	);
}

/** The end of a path, which tells more than its beginning. */
function pathEnd(text: string, width: number, ellipsis: string): string {
	if (cells(text) <= width) return text;
	let end = text;
	while (end !== '' && cells(end) > width - cells(ellipsis)) end = end.slice(1);
	return ellipsis + end;
}

/** One folder of a peer's tree. */
export function BrowsePane({rect, browse}: {rect: Rect; browse: BrowseState}) {
	const {theme, context} = useUi();
	const {glyphs} = theme;
	const [list, isFocused] = usePicked(state => [
		state.lists.browse,
		state.focus.pane === 'peers' && !state.focus.overlay,
		state.zoom,
		state.size,
	]);
	const inner = rect.width - 2;
	const visible = listRows(context.store.get(), 'peers');
	const {entries} = browse;
	const rows = entries
		.slice(list.top, list.top + visible)
		.map((entry, at) => entryLine(theme, inner, entry, at + list.top === list.index, isFocused));
	if (entries.length === 0) {
		const text: Span = browse.busy
			? [`  asking ${theme.text(browse.name)}${glyphs.ellipsis}`, 'muted']
			: browse.error
				? [`  ${theme.text(browse.error)}`, 'error']
				: ['  This folder is empty', 'muted'];
		rows.push(paintLine(theme, inner, [text]));
	}
	const files = entries.reduce((sum, entry) => sum + (entry.type === 'folder' ? entry.files : 1), 0);
	const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
	const more = browse.cursor === undefined ? '' : '+';
	const right: Span[] = browse.busy ? [] : [[`${grouped(files)}${more} files ${shortBytes(bytes)}${more}`, 'muted']];
	const who = ` ${glyphs.into} ${cut(theme.text(browse.name), 16, glyphs.ellipsis)}`;
	const room = inner - cells(`3 Peers${who}`) - spanCells(right) - 11;
	const place = browse.path === '' ? '' : ` ${glyphs.into} ${pathEnd(theme.text(browse.path), room, glyphs.ellipsis)}`;
	return (
		<PaneFrame
			rect={rect}
			number={3}
			title={[['Peers', 'bold'], [who, 'bold'], [room > 2 ? place : '']]}
			right={right}
			bottom={[['esc back', 'muted']]}
			focused={isFocused}
			rows={rows}
			scroll={{from: 0, rows: visible, top: list.top, total: entries.length}}
		/>
	);
}
