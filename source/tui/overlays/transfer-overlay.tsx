import {formatBytes, shortBytes, shortDuration, shortId} from '../../core/format.ts';
import type {TransferDetails, TransferRow} from '../../engine/messages.ts';
import {shortFolder} from '../../store/folder.ts';
import type {Overlay} from '../../store/state.ts';
import {Dialog, dialogInner, hintSpans} from '../components/dialog.tsx';
import type {PaneRow} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {clock, grouped, speed} from '../draw/format.ts';
import {bar, sparkline} from '../draw/graph.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {pieceStrip, sourceSign} from '../draw/piece-map.ts';
import {cut, fitCells} from '../draw/width.ts';
import {footerHints} from '../keys/hints.ts';
import {transferShare, transferSign} from '../panes/transfers-pane.tsx';
import type {Theme, Tone} from '../theme.ts';

type DialogRow = readonly Span[] | PaneRow;

const blank: readonly Span[] = [['']];
const stateTones: Record<TransferDetails['sources'][number]['state'], Tone> = {
	active: 'plain',
	idle: 'muted',
	queued: 'warn',
	failing: 'warn',
	dropped: 'error',
};

const field = (name: string, spans: readonly Span[]): Span[] => [[`  ${name.padEnd(11)}`, 'muted'], ...spans];

/** Name, progress and the figures that every transfer has. */
function head(theme: Theme, inner: number, row: TransferRow): DialogRow[] {
	const {glyphs} = theme;
	const {ellipsis} = glyphs;
	const {sign, tone} = transferSign(row, glyphs);
	const share = transferShare(row);
	const room = inner - 15;
	const left = row.speed > 0 && row.state === 'running' ? shortDuration((row.size - row.done) / row.speed) : '';
	const why = row.message ?? (row.state === 'running' ? row.bottleneck?.text : undefined);
	return [
		[['  '], [cut(theme.text(row.name), inner - 4, ellipsis, 'middle'), 'bold']],
		[['  '], ...bar(share, Math.max(1, inner - 11), glyphs, tone), [`${Math.floor(share * 100)}%`.padStart(6)]],
		field('State', [
			[`${sign} ${row.state}`, tone],
			[row.direction === 'down' ? ' download' : ' upload', 'muted'],
			[`   ${formatBytes(row.done)}`],
			[` of ${formatBytes(row.size)}`, 'muted'],
			[row.files ? `   ${grouped(row.files.done)} of ${grouped(row.files.total)} files` : ''],
		]),
		...(row.state === 'running'
			? [field('Speed', [[speed(row.speed)], [left === '' ? '' : `   ${left} left`, 'muted']])]
			: []),
		...(why
			? [field('Because', [[cut(theme.text(why), room, ellipsis), row.state === 'failed' ? 'error' : 'warn']])]
			: []),
		...(row.path ? [field('File', [[cut(theme.text(shortFolder(row.path)), room, ellipsis, 'middle')]])] : []),
		field('Content ID', [[cut(row.content, room, ellipsis), 'muted']]),
	];
}

/** The map of pieces with its legend: each source's share, speed and state. */
function sources(
	theme: Theme,
	inner: number,
	details: TransferDetails,
	stripRows: number,
	legendRows: number,
): DialogRow[] {
	const {glyphs} = theme;
	const width = inner - 4;
	const strip = pieceStrip(theme, details.map, width, stripRows).map(line => `  ${line}  `);
	let there = 0;
	let before = 0;
	for (const source of details.map) {
		if (source !== 0) there++;
		if (source === 255) before++;
	}
	const total = details.sources.reduce((sum, source) => sum + source.bytes, 0);
	const nameWidth = Math.max(8, Math.min(20, inner - 46));
	const legend = details.sources.slice(0, legendRows).map((source, index): Span[] => {
		const {sign, tone} = sourceSign(theme, index + 1);
		const share = total > 0 ? Math.round((source.bytes / total) * 100) : 0;
		const words = source.message ?? (source.state === 'active' ? '' : source.state);
		return [
			['  '],
			[`${sign}${sign} `, tone],
			[fitCells(theme.text(source.name), nameWidth, {ellipsis: glyphs.ellipsis})],
			[` ${shortId(source.peer)}`, 'muted'],
			[`${share}%`.padStart(6)],
			[fitCells(shortBytes(source.bytes), 7, {align: 'right'}), 'muted'],
			[fitCells(source.speed > 0 ? speed(source.speed) : '', 10, {align: 'right'})],
			[
				words === '' ? '' : `  ${cut(theme.text(words), Math.max(0, inner - nameWidth - 42), glyphs.ellipsis)}`,
				stateTones[source.state],
			],
		];
	});
	const hidden = details.sources.length - legend.length;
	const counted: Span[] = [
		['  '],
		[grouped(there), 'count'],
		[` of ${grouped(details.pieces)} ${details.row.files ? 'files' : 'pieces'}`],
		[before > 0 ? `   ${sourceSign(theme, 255).sign} ${grouped(before)} from before` : '', 'muted'],
		[hidden > 0 ? `   and ${hidden} more sources` : '', 'muted'],
	];
	return [blank, ...strip, counted, ...legend];
}

/** One transfer: the map of its pieces by source, what holds it up, how fast it was, and what happened to it. */
export function TransferOverlay({overlay}: {overlay: Extract<Overlay, {kind: 'transfer'}>}) {
	const {theme, context} = useUi();
	const [size, transfers, peers] = usePicked(state => [state.size, state.peer?.transfers, state.peer?.peers]);
	const {glyphs} = theme;
	const width = Math.min(104, size.columns - 2);
	const inner = dialogInner(size, width);
	const {details} = overlay;
	const row = transfers?.rows.find(candidate => candidate.key === overlay.key) ?? details?.row;
	if (!row) {
		return <Dialog title="Transfer" width={width} padded rows={[[['  It is no longer in the list', 'muted']]]} />;
	}
	const rows: DialogRow[] = head(theme, inner, {direction: 'down', ...row});
	const hints = hintSpans(footerHints(context.store.get(), glyphs).hints);
	// What is left of the terminal's height goes to the map, the sources, the speed and the log, in this order.
	let room = size.rows - 2 - rows.length - 1;
	if (details && room >= 4) {
		const stripRows = room >= 20 ? 4 : room >= 12 ? 2 : 1;
		const part = sources(theme, inner, details, stripRows, Math.max(1, Math.min(8, room - stripRows - 2)));
		rows.push(...part);
		room -= part.length;
		if (details.speedHistory.length > 1 && room >= 3) {
			const graph = sparkline(details.speedHistory, inner - 24, glyphs);
			const highest = Math.max(...details.speedHistory);
			rows.push(blank, [
				['  speed  ', 'muted'],
				[graph, 'down'],
				[`  ${speed(highest)} max`, 'muted'],
			]);
			room -= 2;
		}
		const log = details.log.slice(-Math.max(0, Math.min(6, room - 2)));
		if (log.length > 0 && room >= 3) {
			rows.push(blank);
			for (const {time, text} of log)
				rows.push([[`  ${clock(time)} `, 'muted'], [cut(theme.text(text), inner - 12, glyphs.ellipsis)]]);
		}
	} else if (row.peers.length > 0 && room >= 2) {
		const nameOf = (id: string) => {
			const known = peers?.rows.find(peer => peer.id === id);
			return known ? `${theme.text(known.name)} ${shortId(id)}` : shortId(id);
		};
		rows.push(field('With', [[cut(row.peers.map(nameOf).join(', '), inner - 15, glyphs.ellipsis)]]));
	}
	rows.push(blank, hints);
	const painted = rows
		.slice(0, size.rows - 2)
		.map(line => (Array.isArray(line) ? paintLine(theme, inner, line as readonly Span[]) : (line as PaneRow)));
	return <Dialog title="Transfer" width={width} rows={painted} />;
}
