import {shortId} from '../../core/format.ts';
import type {RequestRow} from '../../engine/messages.ts';
import {listRows, paneOverhead, type Rect} from '../../store/layout.ts';
import {requestRows, tailWindow} from '../../store/selectors.ts';
import {PaneFrame, type PaneRow} from '../components/pane-frame.tsx';
import {filterRow, tailState} from '../components/tail-state.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {clock} from '../draw/format.ts';
import {paintLine} from '../draw/line.ts';
import {fitCells} from '../draw/width.ts';
import type {Theme, Tone} from '../theme.ts';

const verbTones: Record<string, Tone> = {
	SEARCH: 'down',
	REGISTER: 'ok',
	RENEW: 'muted',
	PUBLISH: 'up',
	LOOKUP: 'count',
	BROWSE: 'count',
	PEERS: 'muted',
	EVENTS: 'muted',
	INFO: 'muted',
	LEAVE: 'warn',
};

/** Columns of a request, as many as there is room for. */
function columnsFor(inner: number) {
	const time = inner >= 50 ? 9 : 0;
	const peer = inner >= 42 ? 9 : 0;
	const ms = inner >= 30 ? 6 : 0;
	const result = inner >= 62 ? 17 : inner >= 40 ? 12 : 9;
	return {time, peer, ms, result, argument: Math.max(0, inner - 2 - time - 9 - peer - result - ms)};
}

function requestLine(theme: Theme, inner: number, row: RequestRow): string {
	const {ellipsis} = theme.glyphs;
	const width = columnsFor(inner);
	const peer = /^[0-9a-f]{64}$/.test(row.peer) ? shortId(row.peer) : row.peer;
	return paintLine(theme, inner, [
		[' '],
		[width.time ? `${clock(row.time)} ` : '', 'muted'],
		[fitCells(row.verb, 9), verbTones[row.verb] ?? 'plain'],
		[width.peer ? `${fitCells(theme.text(peer), width.peer - 1, {ellipsis})} ` : ''],
		[fitCells(theme.text(row.argument), width.argument, {ellipsis})],
		[' '],
		[
			fitCells(theme.text(row.ok ? row.result : `${theme.glyphs.cross} ${row.result}`), width.result - 1, {ellipsis}),
			row.ok ? 'plain' : 'error',
		],
		[
			width.ms
				? fitCells(row.ms >= 99.95 ? String(Math.round(row.ms)) : row.ms.toFixed(1), width.ms, {align: 'right'})
				: '',
		],
	]);
}

/** Pane 1 of a server: the calls it answers. */
export function RequestsPane({rect}: {rect: Rect}) {
	const {theme, context} = useUi();
	const [requests, focus, , errorShare] = usePicked(state => [
		state.requests,
		state.focus,
		state.requests.frozen ? undefined : state.server?.log,
		state.server?.errorShare ?? 0,
		state.zoom,
		state.size,
	]);
	const state = context.store.get();
	const isFocused = focus.pane === 'requests' && !focus.overlay;
	const editing = isFocused && focus.textMode === 'filter';
	const inner = rect.width - 2;
	const visible = listRows(state, 'requests') - (editing ? 1 : 0);
	const width = columnsFor(inner);
	const rows: PaneRow[] = [];
	if (paneOverhead('requests', rect.height) > 2) {
		rows.push(
			paintLine(theme, inner, [
				[
					` ${width.time ? 'TIME     ' : ''}${fitCells('VERB', 9)}${width.peer ? fitCells('PEER', width.peer) : ''}${fitCells('ARGUMENT', width.argument)} ${fitCells('RESULT', width.result - 1)}${width.ms ? fitCells('MS', width.ms, {align: 'right'}) : ''}`,
					'muted',
				],
			]),
		);
	}
	const from = rows.length;
	const lines = requestRows(state);
	for (const row of tailWindow(lines, requests.back, visible)) rows.push(requestLine(theme, inner, row));
	if (rows.length === from) {
		const text =
			requests.filter === '' ? '  Nobody has asked anything yet' : '  No request passes the filter: esc shows all';
		rows.push(paintLine(theme, inner, [[text, 'muted']]));
	}
	if (editing) {
		while (rows.length < from + visible) rows.push(' '.repeat(inner));
		rows.push(filterRow(theme, requests.filter, inner));
	}
	const newest = state.server?.log.at(-1)?.seq ?? 0;
	const fresh = requests.frozen ? newest - (requests.frozen.at(-1)?.seq ?? 0) : 0;
	const percent = (errorShare * 100).toFixed(1);
	return (
		<PaneFrame
			rect={rect}
			number={1}
			title={[
				['Requests', 'bold'],
				[requests.filter === '' || editing ? '' : ` /${theme.text(requests.filter)}`, 'accent'],
			]}
			right={tailState(theme, Boolean(requests.frozen), fresh)}
			bottom={[[`errors ${percent}%`, errorShare >= 0.05 ? 'error' : 'muted']]}
			focused={isFocused}
			rows={rows}
			scroll={{
				from,
				rows: visible,
				top: Math.max(0, lines.length - requests.back - visible),
				total: isFocused ? lines.length : 0,
			}}
		/>
	);
}
