import {encode} from 'uqr';

/** Light modules around the code: two are enough for today's readers, and leave room in 80 columns. */
const border = 2;
/** Black on white whatever the terminal's own colours are: readers want dark on light. */
const blackOnWhite = '\u001b[38;5;16;48;5;231m';
const asciiLight = '\u001b[107m';
const asciiDark = '\u001b[40m';
const reset = '\u001b[0m';

/**
 * A QR code (ISO/IEC 18004) of a text as lines for a terminal, dark on light in dark and light terminals alike.
 * What is written in capitals, digits and `:/.-` makes a smaller one, so case must not matter in the text.
 *
 * @param options.isAscii two cells a module and ASCII characters only, else half blocks: two modules a cell
 * @param options.inColour without it the picture is dark on light in a light terminal and the other way round in a dark one
 * @returns undefined when it does not fit into `columns`
 */
export function qrCode(
	text: string,
	{columns, isAscii, inColour}: {columns: number; isAscii: boolean; inColour: boolean},
): string | undefined {
	const {data, size} = encode(text.toUpperCase(), {ecc: 'L', border});
	const isDark = (row: number, column: number) => data[row]?.[column] ?? false;
	const cells = [...Array(size).keys()];
	if (size * (isAscii ? 2 : 1) > columns) return undefined;
	if (isAscii) {
		return cells
			.map(row => {
				if (!inColour) return cells.map(column => (isDark(row, column) ? '##' : '  ')).join('');
				return cells.map(column => `${isDark(row, column) ? asciiDark : asciiLight}  `).join('') + reset;
			})
			.join('\n');
	}
	const lines: string[] = [];
	for (let row = 0; row < size; row += 2) {
		const line = cells
			.map(column => ' ▄▀█'[(isDark(row, column) ? 2 : 0) + (isDark(row + 1, column) ? 1 : 0)])
			.join('');
		lines.push(inColour ? `${blackOnWhite}${line}${reset}` : line);
	}
	return lines.join('\n');
}
