import {Box} from 'ink';
import {Row} from './row.tsx';
import {useUi} from './ui-context.ts';

const unicode = ['┏━┓┏━┓┏━┓  ╺┳╸╻ ╻╻', '┣━┛┏━┛┣━┛╺━ ┃ ┃ ┃┃', '╹  ┗━╸╹     ╹ ┗━┛╹'];
const ascii = [' __  __  __   ___      ', '|__)  _)|__) __|  |  | |', '|    /__|       |  \\_/ |'];

/** Rows of the big title. */
export const titleHeight = 3;

/** The program's name, large. */
export function Title({y, columns}: {y: number; columns: number}) {
	const {theme} = useUi();
	const lines = theme.glyphs.ascii ? ascii : unicode;
	const width = Math.max(...lines.map(line => line.length));
	return (
		<Box
			position="absolute"
			marginTop={y}
			marginLeft={Math.max(0, Math.floor((columns - width) / 2))}
			flexDirection="column"
		>
			{lines.map(line => (
				<Row key={line} text={theme.paint(line, 'accent')} />
			))}
		</Box>
	);
}
