import type {Size} from '../../store/state.ts';
import type {Span} from '../draw/line.ts';
import {paintLine} from '../draw/line.ts';
import {PaneFrame, type PaneRow, type Scroll} from './pane-frame.tsx';
import {usePicked, useUi} from './ui-context.ts';

type DialogProps = {
	title: string;
	/** Wished size; the terminal may be smaller. */
	width: number;
	rows: readonly (readonly Span[] | PaneRow)[];
	/** Whether there is an empty row above and below, where there is room for them. */
	padded?: boolean;
	bottom?: readonly Span[];
	scroll?: Scroll;
};

/** Cells inside a dialog of this wish. */
export function dialogInner(size: Size, width: number): number {
	return Math.min(width, size.columns - 2) - 2;
}

/** A box in the middle of the screen, over everything else. */
export function Dialog({title, width, rows, padded = false, bottom = [], scroll}: DialogProps) {
	const {theme} = useUi();
	const [size] = usePicked(state => [state.size]);
	const outer = dialogInner(size, width) + 2;
	const isPadded = padded && rows.length + 4 <= size.rows - 2;
	const height = Math.min(size.rows, rows.length + 2 + (isPadded ? 2 : 0));
	const painted = rows.map(row =>
		Array.isArray(row) ? paintLine(theme, outer - 2, row as readonly Span[]) : (row as PaneRow),
	);
	const shift = isPadded ? 1 : 0;
	return (
		<PaneFrame
			rect={{
				x: Math.floor((size.columns - outer) / 2),
				y: Math.max(0, Math.floor((size.rows - height) / 2)),
				width: outer,
				height,
			}}
			title={[[title, 'bold']]}
			bottom={bottom}
			focused
			rows={isPadded ? [' '.repeat(outer - 2), ...painted] : painted}
			{...(scroll && {scroll: {...scroll, from: scroll.from + shift}})}
		/>
	);
}

/** Hints as a line: `⏎ start   space toggle`. */
export function hintSpans(hints: readonly {key: string; label: string}[], indent = '  '): Span[] {
	return [[indent], ...hints.flatMap(({key, label}) => [[key, 'key'], [` ${label}   `]] as const)];
}
