import type {Rect} from '../../store/layout.ts';
import type {Border} from '../draw/glyphs.ts';
import {paintLine, type Span, spanCells} from '../draw/line.ts';
import type {Theme, Tone} from '../theme.ts';
import {Rows} from './row.tsx';
import {FieldInput, paintField} from './text-field.tsx';
import {usePicked, useUi} from './ui-context.ts';

/** A text field between painted texts; it takes what is typed. `width` in cells is the field's alone. */
type FieldRow = {field: string; width: number; before: string; after?: string};

/** A row inside a pane: painted text of the inner width, a rule across it, or a text field of that width. */
export type PaneRow = string | {rule: readonly Span[]} | FieldRow;

/** Where a list stands, for the mark at its right side. */
export type Scroll = {
	/** First row of the pane that belongs to the list. */ from: number;
	rows: number;
	top: number;
	total: number;
};

type PaneFrameProps = {
	rect: Rect;
	/** The number that focuses it; none for what is no pane. */
	number?: number;
	title: readonly Span[];
	/** At the right of the upper border. */
	right?: readonly Span[];
	/** At the left and the right of the lower border. */
	bottomLeft?: readonly Span[];
	bottom?: readonly Span[];
	focused: boolean;
	rows: readonly PaneRow[];
	scroll?: Scroll;
	/** Whether it lies above everything else. */
	above?: boolean;
};

/** A border line with text set into it at both ends. */
export function borderLine(
	theme: Theme,
	width: number,
	corners: readonly [string, string],
	across: string,
	tone: Tone,
	left: readonly Span[],
	right: readonly Span[],
): string {
	const inner = width - 2;
	const room = inner - 4;
	const rightCells = spanCells(right) + (right.length > 0 ? 3 : 0);
	const leftCells = Math.min(spanCells(left), Math.max(0, room));
	const hasRight = right.length > 0 && leftCells + (left.length > 0 ? 3 : 0) + rightCells <= inner;
	const spans: Span[] = [];
	if (left.length > 0) spans.push([`${across} `, tone], ...fitted(theme, left, leftCells), [' ']);
	const used = spanCells(spans) + (hasRight ? rightCells : 0);
	spans.push([across.repeat(Math.max(0, inner - used)), tone]);
	if (hasRight) spans.push([' '], ...right, [' '], [across, tone]);
	return theme.paint(corners[0], tone) + paintLine(theme, inner, spans) + theme.paint(corners[1], tone);
}

/** A rule across the inside of a pane with text set into it. */
function ruleLine(theme: Theme, inner: number, across: string, tone: Tone, text: readonly Span[]): string {
	const spans: Span[] = text.length > 0 ? [[`${across} `, tone], ...text, [' ']] : [];
	const rest = Math.max(0, inner - spanCells(spans));
	return paintLine(theme, inner, [...spans, [across.repeat(rest), tone]]);
}

function fitted(theme: Theme, spans: readonly Span[], width: number): readonly Span[] {
	return spanCells(spans) <= width ? spans : [[paintless(spans, width, theme)]];
}

const paintless = (spans: readonly Span[], width: number, theme: Theme) =>
	spans
		.map(([text]) => text)
		.join('')
		.slice(0, Math.max(0, width - 1)) + theme.glyphs.ellipsis.slice(0, 1);

/** Which rows of the list's part carry the mark of its place. */
function thumb({rows, top, total}: Scroll): {from: number; to: number} | undefined {
	if (total <= rows || rows < 1) return undefined;
	const length = Math.max(1, Math.round((rows * rows) / total));
	const from = Math.round((top / (total - rows)) * (rows - length));
	return {from, to: from + length};
}

/** A numbered pane with titles and counts in its border; heavy when focused, so that focus shows without colour. */
export function PaneFrame({
	rect,
	number,
	title,
	right = [],
	bottomLeft = [],
	bottom = [],
	focused,
	rows,
	scroll,
	above = false,
}: PaneFrameProps) {
	const {theme} = useUi();
	const {glyphs} = theme;
	const border: Border = focused ? glyphs.heavy : glyphs.light;
	const tone: Tone = focused ? 'accent' : 'muted';
	const height = Math.max(0, rect.height - 2);
	const field = rows.find(row => typeof row === 'object' && 'field' in row) as FieldRow | undefined;
	const [behind] = usePicked(state => [field ? state.behind : 0]);
	const heading: Span[] = [...(number === undefined ? [] : [[`${number} `, 'key'] as const]), ...title];
	const mark = scroll && thumb(scroll);
	const inner = Math.max(0, rect.width - 2);
	const side = theme.paint(border.down, tone);
	const thumbSign = theme.paint(glyphs.thumb, tone);
	const blank = ' '.repeat(inner);
	const painted = [
		borderLine(theme, rect.width, [border.topLeft, border.topRight], border.across, tone, heading, right),
	];
	for (let index = 0; index < height; index++) {
		const row = rows[index] ?? blank;
		if (typeof row === 'object' && 'rule' in row) {
			const [left, right] = [theme.paint(border.joinLeft, tone), theme.paint(border.joinRight, tone)];
			painted.push(left + ruleLine(theme, inner, glyphs.rule, tone, row.rule) + right);
			continue;
		}
		const listRow = scroll ? index - scroll.from : -1;
		const isMarked = mark && listRow >= mark.from && listRow < mark.to && listRow < (scroll?.rows ?? 0);
		const text =
			typeof row === 'string' ? row : row.before + paintField(theme, row.field, behind, row.width) + (row.after ?? '');
		painted.push(side + text + (isMarked ? thumbSign : side));
	}
	const corners = [border.bottomLeft, border.bottomRight] as const;
	painted.push(borderLine(theme, rect.width, corners, border.across, tone, bottomLeft, bottom));
	return (
		<>
			<Rows x={rect.x} y={rect.y} rows={painted.slice(0, rect.height)} above={above} />
			{field && <FieldInput value={field.field} behind={behind} />}
		</>
	);
}
