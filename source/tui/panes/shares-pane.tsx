import {shortBytes} from '../../core/format.ts';
import type {ShareRow} from '../../engine/messages.ts';
import {shortFolder} from '../../store/folder.ts';
import {listRows, paneOverhead, type Rect} from '../../store/layout.ts';
import {PaneFrame} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {countIn, grouped} from '../draw/format.ts';
import {bar} from '../draw/graph.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {fitCells} from '../draw/width.ts';
import type {Theme} from '../theme.ts';

/** How far the hashing of a share is, 0 to 1. */
const hashedShare = (row: ShareRow) => (row.bytes === 0 ? (row.state === 'scanning' ? 0 : 1) : row.hashed / row.bytes);

/** Whom a share is for, where that is not everybody. */
function audienceOf({audience}: ShareRow): string {
	if (audience === undefined) return '';
	if (audience.length === 0) return ' (off)';
	return ` (${audience.length === 1 ? 'one peer' : `${audience.length} peers`})`;
}

function shareLine(theme: Theme, inner: number, row: ShareRow, isCurrent: boolean, focused: boolean): string {
	const {glyphs} = theme;
	const wide = inner >= 60;
	const files = inner >= 44 ? 9 : 0;
	const sent = wide ? 9 : 0;
	const name = Math.max(4, inner - 2 - files - 8 - sent - 10);
	const share = hashedShare(row);
	const state: Span[] =
		row.state === 'failed'
			? [[fitCells('failed', 8, {align: 'right'}), 'error']]
			: share < 1
				? [['  '], ...bar(share, 6, glyphs, 'warn')]
				: [[fitCells('100%', 8, {align: 'right'}), row.state === 'scanning' ? 'warn' : 'ok']];
	return paintLine(
		theme,
		inner,
		[
			[isCurrent ? `${glyphs.pointer} ` : '  ', 'accent'],
			[
				fitCells(theme.text(`${shortFolder(row.folder)}/${audienceOf(row)}`), name, {
					ellipsis: glyphs.ellipsis,
					position: 'middle',
				}),
			],
			[files ? fitCells(countIn(row.files, files - 1), files, {align: 'right'}) : ''],
			[fitCells(shortBytes(row.bytes), 8, {align: 'right'})],
			[sent ? fitCells(shortBytes(row.sent), sent, {align: 'right'}) : '', row.sent > 0 ? 'up' : 'muted'],
			...state,
			['  '],
		],
		isCurrent && focused,
	);
}

/** Pane 5: the folders that others may fetch from. */
export function SharesPane({rect}: {rect: Rect}) {
	const {theme, context} = useUi();
	const [shares, list, isFocused, scan] = usePicked(state => [
		state.peer?.shares,
		state.lists.shares,
		state.focus.pane === 'shares' && !state.focus.overlay,
		state.peer?.scan,
		state.zoom,
		state.size,
	]);
	const inner = rect.width - 2;
	const visible = listRows(context.store.get(), 'shares');
	const total = shares?.length ?? 0;
	const rows: string[] = [];
	if (paneOverhead('shares', rect.height) > 2 && total > 0) {
		const files = inner >= 44 ? 9 : 0;
		const sent = inner >= 60 ? 9 : 0;
		const name = Math.max(4, inner - 2 - files - 8 - sent - 10);
		const right = {align: 'right'} as const;
		rows.push(
			paintLine(theme, inner, [
				[
					`  ${fitCells('FOLDER', name)}${files ? fitCells('FILES', files, right) : ''}${fitCells('SIZE', 8, right)}${sent ? fitCells('SENT', sent, right) : ''}${fitCells('HASHED', 8, right)}`,
					'muted',
				],
			]),
		);
	}
	const from = rows.length;
	for (const [index, row] of (shares ?? []).slice(list.top, list.top + visible).entries()) {
		rows.push(shareLine(theme, inner, row, isFocused && index + list.top === list.index, isFocused));
	}
	if (total === 0) {
		rows.push(
			paintLine(theme, inner, [['  You share nothing yet', 'muted']]),
			paintLine(theme, inner, [
				['  '],
				[isFocused ? 'a' : '5', 'key'],
				[isFocused ? ' adds a folder' : ' then ', 'muted'],
				[isFocused ? '' : 'a', 'key'],
				[isFocused ? '' : ' adds a folder', 'muted'],
			]),
		);
	}
	const current = shares?.[list.index];
	const right: Span[] = scan && total > 0 ? [[`${grouped(scan.files)} files ${shortBytes(scan.bytes)}`, 'muted']] : [];
	if (scan && !scan.done && scan.bytes > 0) {
		right.unshift([`hashing ${Math.floor((scan.hashed / scan.bytes) * 100)}%  `, 'warn']);
	}
	return (
		<PaneFrame
			rect={rect}
			number={5}
			title={[['Shares', 'bold']]}
			right={right}
			bottomLeft={
				isFocused && current?.message
					? [[theme.text(current.message), current.state === 'failed' ? 'error' : 'warn']]
					: []
			}
			bottom={isFocused && !current?.message ? [['a add folder  r rescan  x unshare', 'muted']] : []}
			focused={isFocused}
			rows={rows}
			scroll={{from, rows: visible, top: list.top, total}}
		/>
	);
}
