import {Box} from 'ink';
import TextInput from 'ink-text-input';
import {useRef} from 'react';
import {lengthAfter} from '../../store/edit-text.ts';
import {cells, safeText} from '../draw/width.ts';
import {setFieldText} from '../keys/commands.ts';
import {Row} from './row.tsx';
import {usePicked, useUi} from './ui-context.ts';

/**
 * The field that takes what is typed, in exactly `width` cells. Ink's field holds what lies left of the cursor and takes
 * what is typed there; moving and deleting is ours, since Ink's knows no Home, End and Delete, and loses its place when
 * the text changes under it. The cursor stays visible in a text that is longer than the field.
 */
export function TextField({value, width}: {value: string; width: number}) {
	const {context, theme} = useUi();
	const [behind] = usePicked(state => [Math.min(state.behind, value.length)]);
	const before = value.slice(0, value.length - behind);
	const after = value.slice(value.length - behind);
	// Ink's field is made anew whenever its text changed by anything but typing.
	const typed = useRef({text: before, generation: 0});
	if (typed.current.text !== before) typed.current = {text: before, generation: typed.current.generation + 1};
	const under = after.slice(0, lengthAfter(after));
	const beforeCells = cells(safeText(before));
	const total = beforeCells + cells(safeText(after)) + 1;
	const hidden = Math.max(0, Math.min(total - width, beforeCells - Math.floor((width * 2) / 3)));
	return (
		<Box width={width} height={1} overflow="hidden">
			<Box flexShrink={0} width={Math.max(width, total)} marginLeft={-hidden}>
				<TextInput
					key={typed.current.generation}
					value={before}
					showCursor={false}
					onChange={text => {
						typed.current = {...typed.current, text};
						setFieldText(context, text + after);
					}}
				/>
				<Row
					text={theme.paint(under === '' ? ' ' : safeText(under), 'selected') + safeText(after.slice(under.length))}
				/>
			</Box>
		</Box>
	);
}
