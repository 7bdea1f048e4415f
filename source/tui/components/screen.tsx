import {Box} from 'ink';
import type {ReactNode} from 'react';
import {usePicked} from './ui-context.ts';

type ScreenProps = {
	/** Rows at the top. */ top?: ReactNode /** The last row. */;
	bottom?: ReactNode;
	children?: ReactNode;
};

/** The whole terminal: rows at the top, one at the bottom, and what is placed by its own position between. */
export function Screen({top, bottom, children}: ScreenProps) {
	const [{columns, rows}] = usePicked(state => [state.size]);
	return (
		<>
			<Box position="absolute" width={columns} flexDirection="column">
				{top}
			</Box>
			{children}
			<Box position="absolute" marginTop={rows - 1} width={columns} height={1}>
				{bottom}
			</Box>
		</>
	);
}
