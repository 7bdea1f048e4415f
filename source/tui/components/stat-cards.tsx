import {shortBytes} from '../../core/format.ts';
import type {ServerSnapshot} from '../../engine/messages.ts';
import {grouped} from '../draw/format.ts';
import {sparkline} from '../draw/graph.ts';
import type {Span} from '../draw/line.ts';
import {paintLine} from '../draw/line.ts';
import type {Theme} from '../theme.ts';
import {PaneFrame} from './pane-frame.tsx';
import {usePicked, useUi} from './ui-context.ts';

type Card = {title: string; value: Span[]; below: Span[]};

function cardsOf(server: ServerSnapshot | undefined, inner: number, {glyphs}: Theme): Card[] {
	const {counts, requests, latency} = server ?? {};
	const joined = counts?.joinedLastMinute ?? 0;
	return [
		{
			title: 'Peers',
			value: [
				[grouped(counts?.online ?? 0), 'bold'],
				[` of ${grouped(counts?.peers ?? 0)}`, 'muted'],
			],
			below: [
				[`+${grouped(joined)}`, joined > 0 ? 'ok' : 'muted'],
				[' last min', 'muted'],
			],
		},
		{
			title: 'Files',
			value: [[grouped(counts?.files ?? 0), 'bold']],
			below: [[shortBytes(counts?.bytes ?? 0), 'muted']],
		},
		{
			title: 'Requests/s',
			value: [[grouped(requests?.now ?? 0), 'bold']],
			below: [[sparkline(requests?.history ?? [], inner, glyphs), 'down']],
		},
		{
			title: 'Latency',
			value:
				inner >= 22
					? [
							['p50 ', 'muted'],
							[(latency?.p50 ?? 0).toFixed(1), 'bold'],
							['  p99 ', 'muted'],
							[(latency?.p99 ?? 0).toFixed(1), 'bold'],
							[' ms', 'muted'],
						]
					: [[`${(latency?.p50 ?? 0).toFixed(1)} / ${(latency?.p99 ?? 0).toFixed(1)} ms`, 'bold']],
			below: [[sparkline(latency?.history ?? [], inner, glyphs), 'ok']],
		},
	];
}

/** The server's figures, in four cards across. */
export function StatCards({y, width, height}: {y: number; width: number; height: number}) {
	const {theme} = useUi();
	const [server] = usePicked(state => [state.server]);
	const base = Math.floor(width / 4);
	return [0, 1, 2, 3].map(index => {
		const x = index * base;
		const cardWidth = index === 3 ? width - 3 * base : base;
		const inner = cardWidth - 4;
		const card = cardsOf(server, inner, theme)[index];
		if (!card) return null;
		const rows = [card.value, card.below]
			.slice(0, height - 2)
			.map(spans => paintLine(theme, cardWidth - 2, [[' '], ...spans]));
		return (
			<PaneFrame
				key={card.title}
				rect={{x, y, width: cardWidth, height}}
				title={[[card.title]]}
				focused={false}
				rows={rows}
			/>
		);
	});
}
