import {formatBytes, shortDuration, shortId} from '../../core/format.ts';
import type {Overlay} from '../../store/state.ts';
import {Dialog, dialogInner, hintSpans} from '../components/dialog.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {speed} from '../draw/format.ts';
import {bar} from '../draw/graph.ts';
import type {Span} from '../draw/line.ts';
import {cut} from '../draw/width.ts';
import {footerHints} from '../keys/hints.ts';
import {transferShare, transferSign} from '../panes/transfers-pane.tsx';

/** One transfer: how far it is, who is on the other side, and what holds it up. */
export function TransferOverlay({overlay}: {overlay: Extract<Overlay, {kind: 'transfer'}>}) {
	const {theme, context} = useUi();
	const [size, transfers, peers] = usePicked(state => [state.size, state.peer?.transfers, state.peer?.peers]);
	const {glyphs} = theme;
	const width = size.columns >= 110 ? 92 : 70;
	const inner = dialogInner(size, width);
	const row = transfers?.rows.find(candidate => candidate.key === overlay.key);
	if (!row) {
		return (
			<Dialog title="Transfer" width={width} padded rows={[[['  It is no longer in the list', 'muted']] as Span[]]} />
		);
	}
	const {sign, tone} = transferSign(row, glyphs);
	const share = transferShare(row);
	const field = (name: string, spans: readonly Span[]): Span[] => [[`  ${name.padEnd(11)}`, 'muted'], ...spans];
	const room = inner - 15;
	const nameOf = (id: string) => {
		const known = peers?.rows.find(peer => peer.id === id);
		return known ? `${theme.text(known.name)} ${shortId(id)}` : shortId(id);
	};
	const left =
		row.speed > 0 && row.state === 'running' ? `  ${shortDuration((row.size - row.done) / row.speed)} left` : '';
	const rows: Span[][] = [
		[['  '], [cut(theme.text(row.name), inner - 4, glyphs.ellipsis, 'middle'), 'bold']],
		[['']],
		[['  '], ...bar(share, inner - 11, glyphs, tone), [`${Math.floor(share * 100)}%`.padStart(6)]],
		[['']],
		field('State', [
			[`${sign} ${row.state}`, tone],
			[row.direction === 'down' ? '  download' : '  upload', 'muted'],
		]),
		field('Bytes', [[formatBytes(row.done)], [` of ${formatBytes(row.size)}`, 'muted']]),
		field('Speed', [[speed(row.speed)], [left, 'muted']]),
		field('Content ID', [[cut(row.content, room, glyphs.ellipsis)]]),
		...(row.path ? [field('File', [[cut(theme.text(row.path), room, glyphs.ellipsis, 'middle')]])] : []),
		...(row.message
			? [
					field('Why', [
						[cut(theme.text(row.message), room, glyphs.ellipsis), row.state === 'failed' ? 'error' : 'warn'],
					]),
				]
			: []),
		...row.peers
			.slice(0, Math.max(1, size.rows - 18))
			.map((peer, index) =>
				field(index === 0 ? (row.direction === 'down' ? 'From' : 'To') : '', [
					[cut(nameOf(peer), room, glyphs.ellipsis)],
				]),
			),
		[['']],
		hintSpans(footerHints(context.store.get(), glyphs).hints),
	];
	return <Dialog title="Transfer" width={width} padded rows={rows} />;
}
