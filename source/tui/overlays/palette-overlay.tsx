import {Box} from 'ink';
import SelectInput from 'ink-select-input';
import type {Overlay} from '../../store/state.ts';
import {PaneFrame} from '../components/pane-frame.tsx';
import {Row} from '../components/row.tsx';
import {TextField} from '../components/text-field.tsx';
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
	// The window of the list is where Ink's select list has it: it turns so that the chosen one is the last visible.
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
	const titleWidth = Math.max(8, inner - 4 - 11 - 9);
	const items = entries.map((entry, index) => {
		const isChosen = index === overlay.index;
		const label = paintLine(theme, inner, [
			[isChosen ? ` ${glyphs.pointer} ` : '   ', 'accent'],
			[fitCells(entry.title, titleWidth, {ellipsis: glyphs.ellipsis}), isChosen ? 'bold' : 'plain'],
			[` ${fitCells(entry.where, 10)}`, 'muted'],
			[fitCells(entry.key, 9), 'key'],
		]);
		return {key: entry.command, value: entry.command, label};
	});
	return (
		<>
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
				rows={[
					{
						node: (
							<>
								<Row text={theme.paint(' : ', 'key')} />
								<TextField value={overlay.query} width={inner - 3} />
							</>
						),
					},
					{rule: []},
					...(items.length === 0 ? [paintLine(theme, inner, [['   No command is called that', 'muted']])] : []),
				]}
			/>
			{items.length > 0 && (
				<Box position="absolute" marginLeft={x + 1} marginTop={y + 3} width={inner}>
					<SelectInput
						key={`${overlay.query}\n${overlay.index}`}
						items={items}
						isFocused={false}
						initialIndex={overlay.index}
						limit={visible}
						indicatorComponent={NoIndicator}
						itemComponent={PaintedItem}
					/>
				</Box>
			)}
		</>
	);
}

function NoIndicator() {
	return null;
}

/** A label that is painted already. */
function PaintedItem({label}: {label: string}) {
	return <Row text={label} />;
}
