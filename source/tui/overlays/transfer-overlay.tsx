import {shortId} from '../../core/format.ts';
import type {Overlay} from '../../store/state.ts';
import {Dialog, dialogInner} from '../components/dialog.tsx';
import type {PaneRow} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {clock} from '../draw/format.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {cut} from '../draw/width.ts';
import {footerHints} from '../keys/hints.ts';
import {type DialogRow, field, headRows, sourceRows, speedRows} from './transfer-parts.tsx';

const blank: readonly Span[] = [['']];

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
		return (
			<Dialog title="Transfer" width={width} padded rows={[[['  It is no longer in the list', 'muted']]]} hints={[]} />
		);
	}
	const isShort = size.rows < 16;
	const rows: DialogRow[] = headRows(theme, inner, {direction: 'down', ...row}, isShort);
	const {hints} = footerHints(context.store.get(), glyphs);
	// What is left of the terminal's height goes to the map, the sources, the speed and the log, in this order.
	let room = size.rows - 2 - rows.length - (isShort ? 1 : 2);
	if (details && room >= 3) {
		const stripRows = room >= 26 ? 6 : room >= 18 ? 4 : room >= 10 ? 2 : 1;
		const legendRows = Math.max(1, Math.min(8, room - stripRows - (isShort ? 0 : 3)));
		const part = sourceRows(theme, inner, details, stripRows, legendRows, isShort);
		const kept = part.slice(0, Math.max(0, room));
		rows.push(...kept);
		room -= kept.length;
		if (details.speedHistory.length > 1 && room >= 3) {
			const graph = speedRows(theme, inner, details.speedHistory, room >= 9 ? 3 : 1);
			rows.push(blank, ...graph);
			room -= graph.length + 1;
		}
		const log = details.log.slice(-Math.max(0, Math.min(6, room - 1)));
		if (log.length > 0 && room >= 2) {
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
	if (!isShort) rows.push(blank);
	const painted = rows
		.slice(0, size.rows - 3)
		.map(line => (Array.isArray(line) ? paintLine(theme, inner, line as readonly Span[]) : (line as PaneRow)));
	return <Dialog title="Transfer" width={width} rows={painted} hints={hints} />;
}
