import {Box, Text} from 'ink';
import {memo, useEffect, useRef} from 'react';
import {usePicked, useUi} from './ui-context.ts';

/** What Ink draws for painted rows: one sign where there is a sheet, else the rows themselves. */
function useDrawn(rows: readonly string[], left?: number): string {
	const {sheet} = useUi();
	const place = useRef<number>(undefined);
	useEffect(() => {
		const {current} = place;
		return () => {
			if (current !== undefined) sheet?.close(current);
		};
	}, [sheet]);
	if (!sheet) return rows.join('\n');
	place.current ??= sheet.open();
	return sheet.sign(place.current, rows, left);
}

/** One painted row where Ink's layout puts it. */
export const Row = memo(function Row({text}: {text: string}) {
	return <Text wrap="truncate-end">{useDrawn([text])}</Text>;
});

type RowsProps = {
	x?: number;
	y: number;
	rows: readonly string[];
	/** Whether they lie above everything else. */
	above?: boolean;
};

/** Painted rows of exact widths, one below the other at a place of the screen: a single text node. */
export function Rows({x = 0, y, rows, above = false}: RowsProps) {
	const {sheet} = useUi();
	const [columns] = usePicked(state => [state.size.columns]);
	const drawn = useDrawn(rows, above ? x : undefined);
	// Beside the screen a sign cannot cover the sign of rows that it hides only in part.
	return (
		<Box position="absolute" marginLeft={above && sheet ? columns : x} marginTop={y}>
			<Text wrap="truncate-end">{drawn}</Text>
		</Box>
	);
}
