// What the details of one transfer consist of: its figures, the map of its pieces with the sources, its speed.
import {shortBytes, shortDuration, shortId} from '../../core/format.ts';
import type {TransferDetails, TransferRow} from '../../engine/messages.ts';
import {shortFolder} from '../../store/folder.ts';
import type {PaneRow} from '../components/pane-frame.tsx';
import {grouped, speed} from '../draw/format.ts';
import {areaGraph, bar, sparkline} from '../draw/graph.ts';
import {type Span, spanCells} from '../draw/line.ts';
import {pieceStrip, sourceSign} from '../draw/piece-map.ts';
import {cut, fitCells, wrapped} from '../draw/width.ts';
import {transferShare, transferSign} from '../panes/transfers-pane.tsx';
import type {Theme, Tone} from '../theme.ts';

/** A row of the dialog. */
export type DialogRow = readonly Span[] | PaneRow;

const blank: readonly Span[] = [['']];
const stateTones: Record<TransferDetails['sources'][number]['state'], Tone> = {
	active: 'plain',
	idle: 'muted',
	queued: 'warn',
	failing: 'warn',
	dropped: 'error',
};

/** A figure with its name before it. */
export const field = (name: string, spans: readonly Span[]): Span[] => [[`  ${name.padEnd(11)}`, 'muted'], ...spans];

/** Name, progress and the figures that every transfer has. */
export function headRows(theme: Theme, inner: number, row: TransferRow, isShort: boolean): DialogRow[] {
	const {glyphs} = theme;
	const {ellipsis} = glyphs;
	const {sign, tone} = transferSign(row, glyphs);
	const share = transferShare(row);
	const room = inner - 15;
	const isRoomy = inner >= 56;
	const left = row.speed > 0 && row.state === 'running' ? shortDuration((row.size - row.done) / row.speed) : '';
	const why = row.message ?? (row.state === 'running' ? row.bottleneck?.text : undefined);
	if (isShort) return shortHeadRows(theme, inner, row, why);
	return [
		[['  '], [cut(theme.text(row.name), inner - 4, ellipsis, 'middle'), 'bold']],
		[['  '], ...bar(share, Math.max(1, inner - 9), glyphs, tone), [`${Math.floor(share * 100)}%`.padStart(5)]],
		field('State', [
			[`${sign} ${row.state}`, tone],
			[isRoomy ? (row.direction === 'down' ? ' download' : ' upload') : '', 'muted'],
			[`  ${shortBytes(row.done)}`],
			[` of ${shortBytes(row.size)}`, 'muted'],
			[row.files && isRoomy ? `  ${grouped(row.files.done)} of ${grouped(row.files.total)} files` : ''],
		]),
		...(row.state === 'running'
			? [field('Speed', [[speed(row.speed)], [left === '' ? '' : `   ${left} left`, 'muted']])]
			: []),
		...(why
			? wrapped(theme.text(why), room, ellipsis)
					.slice(0, 2)
					.map((line, at) =>
						field(at > 0 ? '' : row.state === 'failed' ? 'Because' : 'Held up by', [
							[line, row.state === 'failed' ? 'error' : 'warn'],
						]),
					)
			: []),
		...(row.path ? [field('File', [[cut(theme.text(shortFolder(row.path)), room, ellipsis, 'middle')]])] : []),
		field('Content ID', [[cut(row.content, room, ellipsis), 'muted']]),
	];
}

/** The same without names before the figures, where there is room for little: what holds it up is told whole. */
function shortHeadRows(theme: Theme, inner: number, row: TransferRow, why: string | undefined): DialogRow[] {
	const {glyphs} = theme;
	const {sign, tone} = transferSign(row, glyphs);
	const share = transferShare(row);
	const isRunning = row.state === 'running';
	const left = row.speed > 0 && isRunning ? shortDuration((row.size - row.done) / row.speed) : '';
	const reason = why === undefined ? '' : `${row.state === 'failed' ? 'because' : 'held up:'} ${theme.text(why)}`;
	return [
		[['  '], [cut(theme.text(row.name), inner - 4, glyphs.ellipsis, 'middle'), 'bold']],
		[['  '], ...bar(share, Math.max(1, inner - 9), glyphs, tone), [`${Math.floor(share * 100)}%`.padStart(5)]],
		[
			['  '],
			[isRunning ? sign : `${sign} ${row.state}`, tone],
			[` ${shortBytes(row.done)}`],
			[` of ${shortBytes(row.size)}`, 'muted'],
			[isRunning ? `  ${speed(row.speed)}` : ''],
			[left === '' ? '' : `  ${left} left`, 'muted'],
		],
		...(reason === ''
			? []
			: wrapped(reason, inner - 4, glyphs.ellipsis)
					.slice(0, 2)
					.map((line): Span[] => [['  '], [line, row.state === 'failed' ? 'error' : 'warn']])),
	];
}

/** The map of pieces with its legend: each source's share, speed and state, the one that gave most first. */
export function sourceRows(
	theme: Theme,
	inner: number,
	details: TransferDetails,
	stripRows: number,
	legendRows: number,
	isShort = false,
): DialogRow[] {
	const {glyphs} = theme;
	const strip = pieceStrip(theme, details.map, inner - 4, stripRows).map(line => `  ${line}  `);
	let there = 0;
	let before = 0;
	for (const source of details.map) {
		if (source !== 0) there++;
		if (source === 255) before++;
	}
	const total = details.sources.reduce((sum, source) => sum + source.bytes, 0);
	const longest = Math.max(8, ...details.sources.map(({name}) => spanCells([[theme.text(name)]])));
	const width = {
		name: Math.min(longest, inner >= 70 ? 20 : Math.max(8, inner - 40)),
		id: inner >= 60 ? 10 : 0,
		bar: inner >= 84 ? 20 : inner >= 76 ? 10 : 0,
	};
	const ranked = [...details.sources.entries()].sort(([, a], [, b]) => b.bytes - a.bytes || b.speed - a.speed);
	const legend = ranked.slice(0, legendRows).map(([index, source]): Span[] => {
		const {sign, tone} = sourceSign(theme, index + 1);
		const share = total > 0 ? source.bytes / total : 0;
		const words = source.message ?? (source.state === 'active' ? '' : source.state);
		const start: Span[] = [
			['  '],
			[`${sign}${sign} `, tone],
			[fitCells(theme.text(source.name), width.name, {ellipsis: glyphs.ellipsis})],
			[width.id ? `  ${shortId(source.peer)}` : '', 'muted'],
			...(width.bar ? ([['  '], ...bar(share, width.bar, glyphs, tone)] as Span[]) : []),
			[`${Math.round(share * 100)}%`.padStart(5), share > 0 ? 'bold' : 'muted'],
			[fitCells(source.bytes > 0 ? shortBytes(source.bytes) : '', 6, {align: 'right'}), 'muted'],
			[source.speed > 0 ? fitCells(speed(source.speed), 8, {align: 'right'}) : ''],
		];
		const room = Math.max(0, inner - spanCells(start) - 4);
		return [
			...start,
			[words === '' ? '' : `  ${cut(theme.text(words), room, glyphs.ellipsis)}`, stateTones[source.state]],
		];
	});
	const hidden = details.sources.length - legend.length;
	const old = sourceSign(theme, 255);
	const counted: Span[] = [
		['  '],
		[grouped(there), 'count'],
		[` of ${grouped(details.pieces)} ${details.row.files ? 'files' : 'pieces'}`],
		...(before > 0
			? ([
					[`   ${old.sign}${old.sign}`, old.tone],
					[` ${grouped(before)} were here before`, 'muted'],
				] as Span[])
			: []),
		[hidden > 0 ? `   and ${grouped(hidden)} more ${hidden === 1 ? 'source' : 'sources'}` : '', 'muted'],
	];
	// Where rows are few, they go to the sources.
	const between = isShort ? [] : [blank];
	return [...between, ...strip, ...(isShort ? [] : [counted]), ...between, ...legend];
}

/** The history of the speed in `rows` rows, with its highest. */
export function speedRows(theme: Theme, inner: number, history: readonly number[], rows: number): DialogRow[] {
	const highest = `${speed(Math.max(...history))} max`;
	// A short history does not stand at the far end of an empty one.
	const width = Math.min(inner - 13 - highest.length - 4, Math.ceil(history.length / (rows > 1 ? 2 : 1)));
	const graph = rows > 1 ? areaGraph(history, width, rows, theme.glyphs) : [sparkline(history, width, theme.glyphs)];
	return graph.map((line, at): Span[] => [
		[at === graph.length - 1 ? '  History    ' : ' '.repeat(13), 'muted'],
		[line.padEnd(width), 'down'],
		[at === 0 ? `  ${highest}` : '', 'muted'],
	]);
}
