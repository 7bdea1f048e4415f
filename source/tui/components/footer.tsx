import {currentTransfer} from '../../store/selectors.ts';
import type {Toast} from '../../store/state.ts';
import {paintLine, type Span, spanCells} from '../draw/line.ts';
import {runCommand} from '../keys/commands.ts';
import {footerHints, type Hint} from '../keys/hints.ts';
import type {Theme, Tone} from '../theme.ts';
import {Rows} from './row.tsx';
import {usePicked, useUi} from './ui-context.ts';
import {useHitArea} from './use-hit-area.ts';

function toastSpans(toast: Toast, theme: Theme): Span[] {
	const {glyphs} = theme;
	const kinds: Record<Toast['kind'], {sign: string; tone: Tone}> = {
		info: {sign: glyphs.bullet, tone: 'accent'},
		ok: {sign: glyphs.check, tone: 'ok'},
		warn: {sign: glyphs.warn, tone: 'warn'},
		error: {sign: glyphs.cross, tone: 'error'},
	};
	const {sign, tone} = kinds[toast.kind];
	return [[` ${sign} ${theme.text(toast.text)}`, tone]];
}

/** Last row: the keys of what is focused, or for some seconds what just happened. */
export function Footer({columns, above = false}: {columns: number; above?: boolean}) {
	const {theme, context} = useUi();
	const [toast, size, isOver] = usePicked(state => [
		state.toast,
		state.size,
		state.focus.overlay !== undefined,
		state.focus,
		state.screen,
		state.browse === undefined,
		currentTransfer(state)?.state,
		state.form?.found.length,
	]);
	const places: {from: number; to: number; hint: Hint}[] = [];
	useHitArea(
		{x: 0, y: size.rows - 1, width: columns, height: 1},
		x => {
			const hit = places.find(({from, to}) => x >= from && x < to)?.hint.command;
			if (hit) runCommand(hit, context);
		},
		isOver,
	);
	const y = size.rows - 1;
	if (toast) return <Rows y={y} rows={[paintLine(theme, columns, toastSpans(toast, theme))]} above={above} />;
	const {hints, help} = footerHints(context.store.get(), theme.glyphs);
	const right: Span[] = help
		? [
				[`${help.key} `, 'key'],
				[`${help.label} `, 'muted'],
			]
		: [];
	const room = columns - spanCells(right) - 2;
	const spans: Span[] = [[' ']];
	for (const hint of hints) {
		const {key, label} = hint;
		const next: Span[] = [
			[key, 'key'],
			[` ${theme.glyphs.ascii ? label.replace('…', '') : label}  `, 'muted'],
		];
		if (spanCells(spans) + spanCells(next) - 2 > room) break;
		const from = spanCells(spans);
		places.push({from, to: from + spanCells(next) - 2, hint});
		spans.push(...next);
	}
	if (help) places.push({from: columns - spanCells(right), to: columns, hint: help});
	const space = columns - spanCells(spans) - spanCells(right);
	const line = paintLine(theme, columns, [...spans, [' '.repeat(Math.max(0, space))], ...right]);
	return <Rows y={y} rows={[line]} above={above} />;
}
