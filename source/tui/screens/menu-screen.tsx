import {Box} from 'ink';
import SelectInput from 'ink-select-input';
import {menuBox} from '../../store/layout.ts';
import {foundRoom, type MenuEntry, menuEntries} from '../../store/menu.ts';
import {PaneFrame} from '../components/pane-frame.tsx';
import {Row, Rows} from '../components/row.tsx';
import {Title, titleHeight} from '../components/title.tsx';
import {Toaster} from '../components/toaster.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {useHitArea} from '../components/use-hit-area.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {cells, fitCells} from '../draw/width.ts';
import type {Theme} from '../theme.ts';

/** One entry with what it is about. */
function entryLine(theme: Theme, inner: number, entry: MenuEntry, labelWidth: number, isChosen: boolean): string {
	const {glyphs} = theme;
	const about = theme.text(entry.about);
	const label = theme.text(entry.label);
	const hasRoom = 6 + labelWidth + cells(about) <= inner;
	return paintLine(theme, inner, [
		[isChosen ? `  ${glyphs.pointer} ` : '    ', 'accent'],
		[
			fitCells(label, hasRoom ? labelWidth : inner - 5, {ellipsis: glyphs.ellipsis}),
			isChosen ? 'bold' : entry.choice.do === 'join' ? 'ok' : 'plain',
		],
		// Half of an explanation explains nothing.
		[hasRoom ? `  ${about}` : '', isChosen ? 'bold' : 'muted'],
	]);
}

/** The start menu: run a server, run a peer, join a server of this network, try the demo, quit. */
export function MenuScreen() {
	const {theme, onMenu, context} = useUi();
	const [size, chosen, found] = usePicked(state => [state.size, state.menu, state.found, state.repaints]);
	const {glyphs} = theme;
	const entries = menuEntries(found, foundRoom(size.rows));
	const index = Math.max(
		0,
		entries.findIndex(({key}) => key === chosen),
	);
	const tall = size.rows >= entries.length + 6;
	const box = menuBox(size, entries.length + (tall ? 4 : 2), titleHeight);
	const inner = box.width - 2;
	const longest = Math.max(...entries.map(({label}) => cells(theme.text(label))));
	const labelWidth = Math.min(Math.max(13, longest), Math.max(13, inner - 30));
	const hints: Span[] = [
		[glyphs.upDown, 'key'],
		[' choose  ', 'muted'],
		[glyphs.enter, 'key'],
		[' open  ', 'muted'],
		['q', 'key'],
		[' quit', 'muted'],
	];
	const hintWidth = Math.min(
		size.columns,
		hints.reduce((sum, [text]) => sum + text.length, 0),
	);
	const top = box.y + (tall ? 2 : 1);
	useHitArea({x: box.x + 1, y: top, width: inner, height: entries.length}, (_, row) => {
		const entry = entries[row];
		if (!entry) return;
		context.store.dispatch({type: 'menu', key: entry.key});
		onMenu(entry.choice);
	});
	return (
		<>
			{box.withTitle && <Title y={box.y - titleHeight - 1} columns={size.columns} />}
			<PaneFrame rect={box} title={[]} focused={false} rows={[]} />
			<Box position="absolute" marginLeft={box.x + 1} marginTop={top} width={inner}>
				<SelectInput
					// Made anew when servers come and go, so that the cursor stays with its entry.
					key={entries.map(({key}) => key).join('\n')}
					items={entries.map((entry, at) => ({
						key: entry.key,
						value: entry,
						label: entryLine(theme, inner, entry, labelWidth, at === index),
					}))}
					initialIndex={index}
					onHighlight={({value}) => context.store.dispatch({type: 'menu', key: value.key})}
					onSelect={({value}) => onMenu(value.choice)}
					indicatorComponent={NoIndicator}
					itemComponent={PaintedItem}
				/>
			</Box>
			<Rows
				x={Math.max(0, Math.floor((size.columns - hintWidth) / 2))}
				y={Math.min(size.rows - 1, box.y + box.height)}
				rows={[paintLine(theme, hintWidth, hints)]}
			/>
			<Toaster />
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
