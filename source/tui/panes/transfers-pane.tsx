import {shortDuration} from '../../core/format.ts';
import type {TransferCounts, TransferFilter, TransferRow, TransferState} from '../../engine/messages.ts';
import {listRows, type Rect} from '../../store/layout.ts';
import {PaneFrame} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {grouped, speed} from '../draw/format.ts';
import type {Glyphs} from '../draw/glyphs.ts';
import {bar} from '../draw/graph.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {fitCells} from '../draw/width.ts';
import type {Theme, Tone} from '../theme.ts';

/** The sign and tone of a transfer's state. */
export function transferSign(row: TransferRow, glyphs: Glyphs): {sign: string; tone: Tone} {
	const signs: Record<TransferState, {sign: string; tone: Tone}> = {
		queued: {sign: glyphs.queued, tone: 'muted'},
		waiting: {sign: glyphs.queued, tone: 'warn'},
		running: row.direction === 'down' ? {sign: glyphs.down, tone: 'down'} : {sign: glyphs.up, tone: 'up'},
		verifying: {sign: glyphs.verifying, tone: 'warn'},
		paused: {sign: glyphs.paused, tone: 'muted'},
		done: {sign: glyphs.check, tone: 'ok'},
		failed: {sign: glyphs.cross, tone: 'error'},
	};
	return signs[row.state];
}

/** How much is there, 0 to 1. An empty file is whole. */
export function transferShare(row: TransferRow): number {
	return row.size === 0 ? (row.state === 'done' ? 1 : 0) : row.done / row.size;
}

const stateWords: Record<TransferState, string> = {
	queued: 'queued',
	waiting: 'waiting',
	running: '',
	verifying: 'verifying',
	paused: 'paused',
	done: 'done',
	failed: 'failed',
};

/** What stands at the right of a transfer: speed and time left, or its state. */
function rightSpans(row: TransferRow, width: {speed: number; left: number}, tone: Tone): Span[] {
	if (row.state !== 'running') {
		const word = row.state === 'done' && row.direction === 'up' ? 'sent' : stateWords[row.state];
		const isShown = word.length < width.speed + width.left ? word : word.replace('verifying', 'verify');
		return [[fitCells(isShown, width.speed + width.left, {align: 'right'}), tone]];
	}
	const left = row.speed > 0 ? shortDuration((row.size - row.done) / row.speed) : '';
	return [
		[fitCells(speed(row.speed), width.speed, {align: 'right'})],
		[width.left ? fitCells(left, width.left, {align: 'right'}) : ''],
	];
}

function transferLine(theme: Theme, inner: number, row: TransferRow, isCurrent: boolean, focused: boolean): string {
	const {glyphs} = theme;
	const {sign, tone} = transferSign(row, glyphs);
	const wide = inner >= 60;
	const barWidth = inner >= 100 ? 24 : wide ? 14 : inner >= 34 ? 6 : 0;
	const right = wide ? {speed: 9, left: 7} : {speed: inner >= 30 ? 9 : 0, left: 0};
	const nameWidth = Math.max(4, inner - 3 - (barWidth ? barWidth + 1 : 0) - 5 - right.speed - right.left - 1);
	const share = transferShare(row);
	const percent = Math.floor(share * 100);
	const faint = row.state === 'queued';
	return paintLine(
		theme,
		inner,
		[
			[isCurrent ? glyphs.pointer : ' ', 'accent'],
			[`${sign} `, tone],
			[
				fitCells(theme.text(row.name), nameWidth, {ellipsis: glyphs.ellipsis, position: 'middle'}),
				faint ? 'muted' : 'plain',
			],
			[' '],
			...bar(share, barWidth, glyphs, tone),
			[fitCells(`${percent}%`, 5, {align: 'right'}), faint ? 'muted' : 'plain'],
			...rightSpans(row, right, tone),
			[' '],
		],
		isCurrent && focused,
	);
}

/** What the border says while only some are listed. */
const filterWords: Record<TransferFilter, string> = {
	all: '',
	unfinished: 'unfinished only',
	down: 'downloads only',
	up: 'uploads only',
	failed: 'failed only',
	done: 'done only',
};

/** `↓2 ↑2 ✗1 ◌991` for the upper border. */
function countSpans(counts: TransferCounts, glyphs: Glyphs): Span[] {
	const parts: Span[] = [];
	const add = (count: number, sign: string, tone: Tone) => {
		if (count > 0) parts.push([`${parts.length > 0 ? ' ' : ''}${sign}${grouped(count)}`, tone]);
	};
	add(counts.down, glyphs.down, 'down');
	add(counts.up, glyphs.up, 'up');
	add(counts.failed, glyphs.cross, 'error');
	add(counts.paused, glyphs.paused, 'plain');
	add(counts.waiting, glyphs.queued, 'muted');
	add(counts.done, glyphs.check, 'ok');
	return parts;
}

/** Pane 2: what comes and what goes. */
export function TransfersPane({rect}: {rect: Rect}) {
	const {theme, context} = useUi();
	const [transfers, list, isFocused, down, up, filter] = usePicked(state => [
		state.peer?.transfers,
		state.lists.transfers,
		state.focus.pane === 'transfers' && !state.focus.overlay,
		state.peer?.down.now ?? 0,
		state.peer?.up.now ?? 0,
		state.transferFilter,
		state.zoom,
		state.size,
	]);
	const {glyphs} = theme;
	const inner = rect.width - 2;
	const visible = listRows(context.store.get(), 'transfers');
	const total = transfers?.total ?? 0;
	const rows: string[] = [];
	for (let index = list.top; index < Math.min(total, list.top + visible); index++) {
		const row = transfers?.rows[index - transfers.offset];
		rows.push(row ? transferLine(theme, inner, row, isFocused && index === list.index, isFocused) : ' '.repeat(inner));
	}
	if (total === 0 && filter !== 'all') {
		rows.push(
			paintLine(theme, inner, [
				['  No transfer passes the filter: ', 'muted'],
				['f', 'key'],
				[' goes on', 'muted'],
			]),
		);
	} else if (total === 0) {
		rows.push(
			paintLine(theme, inner, [['  Nothing is on its way', 'muted']]),
			paintLine(theme, inner, [
				['  '],
				['/', 'key'],
				[' finds a file, ', 'muted'],
				[glyphs.enter, 'key'],
				[' gets it', 'muted'],
			]),
		);
	}
	const current = transfers?.rows[list.index - transfers.offset];
	const message: Span[] =
		isFocused && current?.message ? [[theme.text(current.message), current.state === 'failed' ? 'error' : 'warn']] : [];
	const rates: Span[] = [[`${glyphs.down} ${speed(down)}`, 'down'], ['  '], [`${glyphs.up} ${speed(up)}`, 'up']];
	return (
		<PaneFrame
			rect={rect}
			number={2}
			title={[
				['Transfers', 'bold'],
				[filter === 'all' ? '' : ` ${filterWords[filter]}`, 'warn'],
			]}
			right={transfers ? countSpans(transfers.counts, glyphs) : []}
			bottomLeft={message}
			bottom={rates}
			focused={isFocused}
			rows={rows}
			scroll={{from: 0, rows: visible, top: list.top, total}}
		/>
	);
}
