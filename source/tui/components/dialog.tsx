import type {Size} from '../../store/state.ts';
import type {Span} from '../draw/line.ts';
import {paintLine} from '../draw/line.ts';
import {cells} from '../draw/width.ts';
import {runCommand} from '../keys/commands.ts';
import type {Hint} from '../keys/hints.ts';
import {PaneFrame, type PaneRow, type Scroll} from './pane-frame.tsx';
import {usePicked, useUi} from './ui-context.ts';
import {useHitArea} from './use-hit-area.ts';

type DialogProps = {
	title: string;
	/** Wished size; the terminal may be smaller. */
	width: number;
	rows: readonly (readonly Span[] | PaneRow)[];
	/** Whether there is an empty row above and below, where there is room for them. */
	padded?: boolean;
	bottom?: readonly Span[];
	scroll?: Scroll;
	/** Last row: what can be done, by key or by click. */
	hints: readonly Hint[];
	/** Called with the row that was clicked, counted from 0. */
	onRow?: (row: number) => void;
};

/** Cells inside a dialog of this wish. */
export function dialogInner(size: Size, width: number): number {
	return Math.min(width, size.columns - 2) - 2;
}

/** A box in the middle of the screen, over everything else. */
export function Dialog({title, width, rows, padded = false, bottom = [], scroll, hints, onRow}: DialogProps) {
	const {theme, context} = useUi();
	const [size] = usePicked(state => [state.size]);
	const outer = dialogInner(size, width) + 2;
	const line = hintLine(hints, outer - 2);
	const all: DialogProps['rows'] = hints.length > 0 ? [...rows, line.spans] : rows;
	const isPadded = padded && all.length + 4 <= size.rows - 2;
	const height = Math.min(size.rows, all.length + 2 + (isPadded ? 2 : 0));
	const painted = all.map(row =>
		Array.isArray(row) ? paintLine(theme, outer - 2, row as readonly Span[]) : (row as PaneRow),
	);
	const shift = isPadded ? 1 : 0;
	const rect = {
		x: Math.floor((size.columns - outer) / 2),
		y: Math.max(0, Math.floor((size.rows - height) / 2)),
		width: outer,
		height,
	};
	useHitArea(
		rect,
		(x, y) => {
			const row = y - 1 - shift;
			const hint = hints.length > 0 && row === all.length - 1 ? line.at(x - 1) : undefined;
			if (hint?.command) runCommand(hint.command, context);
			else if (row >= 0 && row < rows.length) onRow?.(row);
		},
		true,
	);
	return (
		<PaneFrame
			rect={rect}
			title={[[title, 'bold']]}
			bottom={bottom}
			focused
			above
			rows={isPadded ? [' '.repeat(outer - 2), ...painted] : painted}
			{...(scroll && {scroll: {...scroll, from: scroll.from + shift}})}
		/>
	);
}

/** Hints as a line of at most `width` cells, `⏎ start   space toggle`, and what lies under each cell of it. */
function hintLine(hints: readonly Hint[], width: number): {spans: Span[]; at(x: number): Hint | undefined} {
	const spans: Span[] = [['  ']];
	const places: {from: number; to: number; hint: Hint}[] = [];
	let used = 2;
	for (const hint of hints) {
		const from = used;
		used += cells(hint.key) + 1 + cells(hint.label);
		// What does not fit is left out whole.
		if (used > width) break;
		places.push({from, to: used, hint});
		spans.push([places.length > 1 ? '   ' : ''], [hint.key, 'key'], [` ${hint.label}`]);
		used += 3;
	}
	return {spans, at: x => places.find(({from, to}) => x >= from && x < to)?.hint};
}
