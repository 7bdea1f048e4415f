import {Box} from 'ink';
import TextInput from 'ink-text-input';
import {cells, safeText} from '../draw/width.ts';
import {setFieldText} from '../keys/commands.ts';
import {useUi} from './ui-context.ts';

/** The field that takes what is typed, in exactly `width` cells; its end stays visible when the text is longer. */
export function TextField({value, width}: {value: string; width: number}) {
	const {context} = useUi();
	const hidden = Math.max(0, cells(safeText(value)) + 1 - width);
	return (
		<Box width={width} height={1} overflow="hidden">
			<Box flexShrink={0} width={cells(value) + 1} marginLeft={-hidden}>
				<TextInput value={value} onChange={text => setFieldText(context, text)} />
			</Box>
		</Box>
	);
}
