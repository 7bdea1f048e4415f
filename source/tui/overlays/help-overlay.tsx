import {useEffect} from 'react';
import type {Overlay} from '../../store/state.ts';
import {Dialog, dialogInner} from '../components/dialog.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import type {Span} from '../draw/line.ts';
import {cells, fitCells} from '../draw/width.ts';
import {type HelpGroup, helpGroups} from '../keys/hints.ts';

/** Lines of one group: its title, its keys, and an empty line. */
function groupLines({title, hints}: HelpGroup, width: number, ellipsis: string): Span[][] {
	const keyWidth = Math.max(width >= 36 ? 17 : 12, ...hints.map(hint => cells(hint.key) + 1));
	return [
		[[fitCells(` ${title}`, width), 'bold']],
		...hints.map(({key, label}): Span[] => [
			[' '],
			[fitCells(key, keyWidth), 'key'],
			[fitCells(label, Math.max(0, width - keyWidth - 1), {ellipsis})],
		]),
		[[' '.repeat(width)]],
	];
}

/** All keys of this screen, from the table that the keys themselves come from. */
export function HelpOverlay({overlay}: {overlay: Extract<Overlay, {kind: 'help'}>}) {
	const {theme, context} = useUi();
	const [size] = usePicked(state => [state.size]);
	const width = 80;
	const inner = dialogInner(size, width);
	const columns = inner >= 64 ? 2 : 1;
	const columnWidth = Math.floor(inner / columns);
	const groups = helpGroups(context.store.get(), theme.glyphs);
	const halves: Span[][][] = [[], []];
	const total = groups.reduce((sum, group) => sum + group.hints.length + 2, 0);
	for (const group of groups) {
		const lines = groupLines(group, columnWidth, theme.glyphs.ellipsis);
		const into = columns === 1 || (halves[0] ?? []).length + lines.length / 2 <= total / 2 ? 0 : 1;
		halves[into]?.push(...lines);
	}
	const height = Math.max(...halves.map(half => half.length)) - 1;
	const all = Array.from({length: height}, (_, index): Span[] => [
		...(halves[0]?.[index] ?? [[' '.repeat(columnWidth)]]),
		...(halves[1]?.[index] ?? []),
	]);
	const visible = Math.min(height, size.rows - 4);
	const top = Math.max(0, Math.min(overlay.top, height - visible));
	// Scrolling past the end is not remembered.
	useEffect(() => {
		if (overlay.top !== top) context.store.dispatch({type: 'overlay/scroll', by: top});
	});
	return (
		<Dialog
			title="Keys"
			width={width}
			rows={all.slice(top, top + visible)}
			bottom={[
				[height > visible ? `${theme.glyphs.upDown} more  ` : '', 'muted'],
				['esc', 'key'],
				[' close', 'muted'],
			]}
			scroll={{from: 0, rows: visible, top, total: height}}
			hints={[]}
		/>
	);
}
