import type {LogLine} from '../../engine/messages.ts';
import {listRows, type Rect} from '../../store/layout.ts';
import {logLines, tailWindow} from '../../store/selectors.ts';
import {PaneFrame, type PaneRow} from '../components/pane-frame.tsx';
import {filterRow, tailState} from '../components/tail-state.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {clock} from '../draw/format.ts';
import type {Glyphs} from '../draw/glyphs.ts';
import {paintLine} from '../draw/line.ts';
import type {Theme, Tone} from '../theme.ts';

/** The sign of a log line: its level where that matters, else what it is about. */
function lineSign(line: LogLine, glyphs: Glyphs): {sign: string; tone: Tone; textTone: Tone} {
	if (line.level === 'error') return {sign: glyphs.cross, tone: 'error', textTone: 'error'};
	if (line.level === 'warn') return {sign: glyphs.warn, tone: 'warn', textTone: 'warn'};
	switch (line.kind) {
		case 'down':
			return {sign: glyphs.down, tone: 'down', textTone: 'plain'};
		case 'up':
			return {sign: glyphs.up, tone: 'up', textTone: 'plain'};
		case 'done':
			return {sign: glyphs.check, tone: 'ok', textTone: 'plain'};
		case 'peer':
			return {sign: glyphs.on, tone: 'ok', textTone: 'plain'};
		case 'search':
			return {sign: '/', tone: 'accent', textTone: 'plain'};
		case 'share':
			return {sign: '+', tone: 'count', textTone: 'plain'};
		case 'server':
			return {sign: glyphs.bullet, tone: 'accent', textTone: 'plain'};
		case 'other':
			return {sign: glyphs.bullet, tone: 'muted', textTone: line.level === 'debug' ? 'muted' : 'plain'};
	}
}

function logRow(theme: Theme, inner: number, line: LogLine): string {
	const {sign, tone, textTone} = lineSign(line, theme.glyphs);
	return paintLine(theme, inner, [
		[inner >= 30 ? ` ${clock(line.time)} ` : ' ', 'muted'],
		[`${sign} `, tone],
		[theme.text(line.text), textTone],
	]);
}

/** Pane 4: what happens, as it happens. */
export function LogPane({rect}: {rect: Rect}) {
	const {theme, context} = useUi();
	const [log, focus] = usePicked(state => [
		state.log,
		state.focus,
		state.log.frozen ? undefined : state.peer?.log,
		state.zoom,
		state.size,
	]);
	const state = context.store.get();
	const isFocused = focus.pane === 'log' && !focus.overlay;
	const editing = isFocused && focus.textMode === 'filter';
	const inner = rect.width - 2;
	const visible = listRows(state, 'log') - (editing ? 1 : 0);
	const lines = logLines(state);
	const shown = tailWindow(lines, log.back, visible);
	const rows: PaneRow[] = shown.map(line => logRow(theme, inner, line));
	if (rows.length === 0) {
		const text =
			log.filter === '' && log.level !== 'error' && log.level !== 'warn'
				? '  Nothing happened yet'
				: '  No line passes the filter: esc shows all';
		rows.push(paintLine(theme, inner, [[text, 'muted']]));
	}
	if (editing) {
		while (rows.length < visible) rows.push(' '.repeat(inner));
		rows.push(filterRow(theme, log.filter, inner));
	}
	const newest = state.peer?.log.at(-1)?.seq ?? 0;
	const fresh = log.frozen ? newest - (log.frozen.at(-1)?.seq ?? 0) : 0;
	return (
		<PaneFrame
			rect={rect}
			number={4}
			title={[
				['Log', 'bold'],
				[log.level === 'info' ? '' : ` ${log.level}${log.level === 'debug' ? '' : ' up'}`, 'warn'],
				[log.filter === '' || editing ? '' : ` /${theme.text(log.filter)}`, 'accent'],
			]}
			right={tailState(theme, Boolean(log.frozen), fresh)}
			focused={isFocused}
			rows={rows}
			scroll={{
				from: 0,
				rows: visible,
				top: Math.max(0, lines.length - log.back - visible),
				total: isFocused ? lines.length : 0,
			}}
		/>
	);
}
