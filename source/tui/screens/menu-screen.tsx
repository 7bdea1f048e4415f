import {Box} from 'ink';
import SelectInput from 'ink-select-input';
import {PaneFrame} from '../components/pane-frame.tsx';
import {Row} from '../components/row.tsx';
import {Title, titleHeight} from '../components/title.tsx';
import {Toaster} from '../components/toaster.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {fitCells} from '../draw/width.ts';

const entries = [
	{value: 'server', label: 'Run server', about: 'index of peers and files'},
	{value: 'peer', label: 'Run peer', about: 'search, share, transfer'},
	{value: 'demo', label: 'Try the demo', about: 'a server and peers on this machine'},
	{value: 'quit', label: 'Quit', about: ''},
] as const;

/** Where the start menu's box lies. */
export function menuBox({columns, rows}: {columns: number; rows: number}, height: number) {
	const width = Math.min(58, columns - 2);
	const withTitle = rows >= height + titleHeight + 4 && columns >= 40;
	const block = height + (withTitle ? titleHeight + 1 : 0) + 1;
	const y = Math.max(0, Math.floor((rows - block) / 2)) + (withTitle ? titleHeight + 1 : 0);
	return {x: Math.floor((columns - width) / 2), y, width, height, withTitle};
}

/** The start menu: run a server, run a peer, try the demo, quit. */
export function MenuScreen() {
	const {theme, onMenu, context} = useUi();
	const [size, index, zoom] = usePicked(state => [state.size, state.menuIndex, state.repaints]);
	void zoom;
	const {glyphs} = theme;
	const tall = size.rows >= 10;
	const box = menuBox(size, entries.length + (tall ? 4 : 2));
	const inner = box.width - 2;
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
	return (
		<>
			{box.withTitle && <Title y={box.y - titleHeight - 1} columns={size.columns} />}
			<PaneFrame rect={box} title={[]} focused={false} rows={[]} />
			<Box position="absolute" marginLeft={box.x + 1} marginTop={box.y + (tall ? 2 : 1)} width={inner}>
				<SelectInput
					items={entries.map(({value, label}) => ({key: value, value, label}))}
					initialIndex={index}
					onHighlight={({value}) =>
						context.store.dispatch({type: 'menu', index: entries.findIndex(entry => entry.value === value)})
					}
					onSelect={({value}) => onMenu(value)}
					indicatorComponent={NoIndicator}
					itemComponent={MenuItem}
				/>
			</Box>
			<Box
				position="absolute"
				marginTop={Math.min(size.rows - 1, box.y + box.height)}
				marginLeft={Math.max(0, Math.floor((size.columns - hintWidth) / 2))}
			>
				<Row text={paintLine(theme, hintWidth, hints)} />
			</Box>
			<Toaster />
		</>
	);
}

/** One entry with what it is about. */
function MenuItem({label, isSelected = false}: {label: string; isSelected?: boolean}) {
	const {theme} = useUi();
	const [size] = usePicked(state => [state.size]);
	const entry = entries.find(candidate => candidate.label === label);
	const spans: Span[] = [
		[isSelected ? `  ${theme.glyphs.pointer} ` : '    ', 'accent'],
		[fitCells(label, 15), isSelected ? 'bold' : 'plain'],
		[entry?.about ?? '', isSelected ? 'bold' : 'muted'],
	];
	return <Row text={paintLine(theme, Math.min(58, size.columns - 2) - 2, spans)} />;
}

function NoIndicator() {
	return null;
}
