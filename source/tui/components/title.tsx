import {Rows} from './row.tsx';
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
		<Rows
			x={Math.max(0, Math.floor((columns - width) / 2))}
			y={y}
			rows={lines.map(line => theme.paint(line, 'accent'))}
		/>
	);
}
