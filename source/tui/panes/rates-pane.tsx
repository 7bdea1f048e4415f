import type {Rect} from '../../store/layout.ts';
import {PaneFrame} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {grouped, speed} from '../draw/format.ts';
import {areaGraph} from '../draw/graph.ts';
import {paintLine, spread} from '../draw/line.ts';

/** Pane 3 of a server: searches a second over five minutes, and what the process carries. */
export function RatesPane({rect}: {rect: Rect}) {
	const {theme} = useUi();
	const [searches, traffic, loopDelay, isFocused] = usePicked(state => [
		state.server?.searches,
		state.server?.traffic,
		state.server?.loopDelay ?? 0,
		state.focus.pane === 'rates' && !state.focus.overlay,
	]);
	const inner = rect.width - 2;
	const height = Math.max(1, rect.height - 4);
	const history = searches?.history ?? [];
	// Five minutes wide: what was not yet measured stays empty at the left.
	const samples = [...new Array<number>(Math.max(0, 300 - history.length)).fill(0), ...history.slice(-300)];
	const rows = areaGraph(samples, inner - 2, height, theme.glyphs).map(line =>
		paintLine(theme, inner, [[' '], [line, 'down']]),
	);
	rows.push(
		paintLine(theme, inner, spread(theme, [[' -5 min', 'muted']], [['now ', 'muted']], inner)),
		paintLine(theme, inner, [
			[' in ', 'muted'],
			[speed(traffic?.in ?? 0)],
			['  out ', 'muted'],
			[speed(traffic?.out ?? 0)],
			['  loop ', 'muted'],
			[`${loopDelay.toFixed(1)} ms`, loopDelay > 20 ? 'warn' : 'plain'],
		]),
	);
	return (
		<PaneFrame
			rect={rect}
			number={3}
			title={[['Rates', 'bold']]}
			right={[
				['searches', 'down'],
				[` ${grouped(searches?.now ?? 0)}/s now, ${grouped(searches?.max ?? 0)}/s max`, 'muted'],
			]}
			focused={isFocused}
			rows={rows}
		/>
	);
}
