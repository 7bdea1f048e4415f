import type {Toast} from '../../store/state.ts';
import {paintLine, type Span, spanCells} from '../draw/line.ts';
import {footerHints} from '../keys/hints.ts';
import type {Theme, Tone} from '../theme.ts';
import {Row} from './row.tsx';
import {usePicked, useUi} from './ui-context.ts';

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
export function Footer({columns}: {columns: number}) {
	const {theme, context} = useUi();
	const [toast] = usePicked(state => [state.toast, state.focus, state.screen, state.browse === undefined]);
	if (toast) return <Row text={paintLine(theme, columns, toastSpans(toast, theme))} />;
	const {hints, help} = footerHints(context.store.get(), theme.glyphs);
	const right: Span[] = help
		? [
				[`${help.key} `, 'key'],
				[`${help.label} `, 'muted'],
			]
		: [];
	const room = columns - spanCells(right) - 2;
	const spans: Span[] = [[' ']];
	for (const {key, label} of hints) {
		const next: Span[] = [
			[key, 'key'],
			[` ${theme.glyphs.ascii ? label.replace('…', '') : label}  `, 'muted'],
		];
		if (spanCells(spans) + spanCells(next) - 2 > room) break;
		spans.push(...next);
	}
	const space = columns - spanCells(spans) - spanCells(right);
	return <Row text={paintLine(theme, columns, [...spans, [' '.repeat(Math.max(0, space))], ...right])} />;
}
