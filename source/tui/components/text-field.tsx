import {Box} from 'ink';
import TextInput from 'ink-text-input';
import {useRef} from 'react';
import {lengthAfter} from '../../store/edit-text.ts';
import {cells, fitCells, safeText} from '../draw/width.ts';
import {setFieldText} from '../keys/commands.ts';
import type {Theme} from '../theme.ts';
import {useUi} from './ui-context.ts';

/**
 * A field in exactly `width` cells, painted. The cursor stays visible in a text that is longer than the field.
 * @param behind how many characters of `value` stand right of the cursor
 */
export function paintField(theme: Theme, value: string, behind: number, width: number): string {
	if (width <= 0) return '';
	const at = value.length - Math.min(behind, value.length);
	const before = safeText(value.slice(0, at));
	const after = value.slice(at);
	const under = after.slice(0, lengthAfter(after));
	const cursor = under === '' ? ' ' : safeText(under);
	const rest = safeText(after.slice(under.length));
	const beforeCells = cells(before);
	const total = beforeCells + cells(safeText(after)) + 1;
	const hidden = Math.max(0, Math.min(total - width, beforeCells - Math.floor((width * 2) / 3)));
	const left = endOf(before, Math.max(0, beforeCells - hidden));
	const room = width - cells(left) - cells(cursor);
	// A wide character under the cursor may find no room at the edge.
	if (room < 0) return fitCells(left, width, {ellipsis: ''});
	return left + theme.paint(cursor, 'selected') + fitCells(rest, room, {ellipsis: ''});
}

/** The end of a text in exactly `width` cells. */
function endOf(text: string, width: number): string {
	let end = text;
	while (end !== '' && cells(end) > width) end = end.slice(lengthAfter(end));
	return ' '.repeat(width - cells(end)) + end;
}

/**
 * What takes the typed text of a field; it draws nothing. Ink's field holds what lies left of the cursor and takes what
 * is typed there; moving and deleting is ours, since Ink's knows no Home, End and Delete, and loses its place when the
 * text changes under it.
 */
export function FieldInput({value, behind}: {value: string; behind: number}) {
	const {context} = useUi();
	const at = value.length - Math.min(behind, value.length);
	const before = value.slice(0, at);
	// Ink's field is made anew whenever its text changed by anything but typing.
	const typed = useRef({text: before, generation: 0});
	if (typed.current.text !== before) typed.current = {text: before, generation: typed.current.generation + 1};
	return (
		<Box display="none">
			<TextInput
				key={typed.current.generation}
				value={before}
				showCursor={false}
				onChange={text => {
					typed.current = {...typed.current, text};
					setFieldText(context, text + value.slice(at));
				}}
			/>
		</Box>
	);
}
