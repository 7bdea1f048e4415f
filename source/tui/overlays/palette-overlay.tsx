import type {Overlay} from '../../store/state.ts';
import {PaneFrame} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {useHitArea} from '../components/use-hit-area.ts';
import {paintLine} from '../draw/line.ts';
import {fitCells} from '../draw/width.ts';
import {runCommand} from '../keys/commands.ts';
import {paletteEntries} from '../keys/palette.ts';

/** Every command by name; what is typed narrows them down. */
export function PaletteOverlay({overlay}: {overlay: Extract<Overlay, {kind: 'palette'}>}) {
	const {theme, context} = useUi();
	const [size] = usePicked(state => [state.size]);
	const {glyphs} = theme;
	const outer = Math.min(62, size.columns - 2);
	const inner = outer - 2;
	const entries = paletteEntries(context.store.get(), overlay.query);
	const visible = Math.max(1, Math.min(10, size.rows - 6));
	const x = Math.floor((size.columns - outer) / 2);
	const y = Math.max(0, Math.floor((size.rows - visible - 4) / 2));
	const top = Math.max(0, overlay.index - visible + 1);
	useHitArea(
		{x, y, width: outer, height: visible + 4},
		(_, row) => {
			const index = top + row - 3;
			if (row < 3 || row >= 3 + visible || index >= entries.length) return;
			context.store.dispatch({type: 'palette/move', by: index - overlay.index, count: entries.length});
			runCommand('palette.run', context);
		},
		true,
	);
	// Where there is little room the name is what matters.
	const where = inner >= 50 ? 11 : 0;
	const titleWidth = Math.max(8, inner - 4 - where - 9);
	const rows = entries.slice(top, top + visible).map((entry, at) => {
		const isChosen = top + at === overlay.index;
		return paintLine(theme, inner, [
			[isChosen ? ` ${glyphs.pointer} ` : '   ', 'accent'],
			[fitCells(entry.title, titleWidth, {ellipsis: glyphs.ellipsis}), isChosen ? 'bold' : 'plain'],
			[where > 0 ? ` ${fitCells(entry.where, where - 1)}` : '', 'muted'],
			[fitCells(entry.key, 9), 'key'],
		]);
	});
	return (
		<PaneFrame
			rect={{x, y, width: outer, height: visible + 4}}
			title={[['Command', 'bold']]}
			bottom={[
				[glyphs.enter, 'key'],
				[' run  ', 'muted'],
				['esc', 'key'],
				[' close', 'muted'],
			]}
			focused
			above
			rows={[
				{before: theme.paint(' : ', 'key'), field: overlay.query, width: inner - 3},
				{rule: []},
				...(rows.length > 0 ? rows : [paintLine(theme, inner, [['   No command is called that', 'muted']])]),
			]}
			scroll={{from: 2, rows: visible, top, total: entries.length}}
		/>
	);
}
