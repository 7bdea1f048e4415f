// A painted row taken apart into cells, and the shortest bytes that turn one row on the screen into another.
import {cells, isNarrow} from '../draw/width.ts';

/** Attributes of a cell: the palette's colour in the lower byte (0: the terminal's own), one bit for each other one. */
type Style = number;
const bold = 1 << 8;
const dim = 1 << 9;
const underline = 1 << 10;
const inverse = 1 << 11;
/** What shows on a blank. */
const shownOnBlank = underline | inverse;

/** Cells side by side. A wide character is in its first cell; the one after it holds nothing. */
export type Cells = {readonly text: readonly string[]; readonly style: ArrayLike<Style>};
/** Cells of one row of the screen. */
export type CellRow = {readonly text: string[]; readonly style: Uint16Array};

const sgr = /\u001b\[([\d;]*)m/g;
const segmenter = new Intl.Segmenter();

function styled(style: Style, codes: string): Style {
	let next = style;
	for (const part of codes.split(';')) {
		const code = Number(part);
		if (code === 0) next = 0;
		else if (code === 1) next |= bold;
		else if (code === 2) next |= dim;
		else if (code === 4) next |= underline;
		else if (code === 7) next |= inverse;
		else if (code === 22) next &= ~(bold | dim);
		else if (code === 24) next &= ~underline;
		else if (code === 27) next &= ~inverse;
		else if (code === 39) next &= ~0xff;
		else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next = (next & ~0xff) | code;
	}
	return next;
}

/** A painted text as cells, as many as it takes. */
export function parseCells(line: string): Cells {
	const text: string[] = [];
	const style: Style[] = [];
	let current: Style = 0;
	const put = (character: string, width: number) => {
		const shown = character === ' ' ? current & shownOnBlank && current : current;
		text.push(character);
		style.push(shown);
		for (let rest = 1; rest < width; rest++) {
			text.push('');
			style.push(shown);
		}
	};
	const putAll = (run: string) => {
		if (isNarrow(run)) for (const character of run) put(character, 1);
		else for (const {segment} of segmenter.segment(run)) put(segment, cells(segment));
	};
	let from = 0;
	for (const match of line.matchAll(sgr)) {
		if (match.index > from) putAll(line.slice(from, match.index));
		current = styled(current, match[1] ?? '');
		from = match.index + match[0].length;
	}
	if (from < line.length) putAll(line.slice(from));
	return {text, style};
}

/** An empty row. */
export function blankRow(columns: number): CellRow {
	return {text: new Array<string>(columns).fill(' '), style: new Uint16Array(columns)};
}

/** Puts cells into a row; what does not fit is dropped, and of a wide character that is half covered nothing stays. */
export function layCells(row: CellRow, piece: Cells, left: number): void {
	const columns = row.text.length;
	const size = piece.text.length;
	let end = Math.min(columns, left + size);
	// A wide character has no half.
	if (end - left < size) while (end > left && piece.text[end - left] === '') end--;
	if (end <= left) return;
	for (let at = left; at > 0 && row.text[at] === ''; at--) row.text[at - 1] = ' ';
	for (let at = end; at < columns && row.text[at] === ''; at++) row.text[at] = ' ';
	for (let at = left; at < end; at++) {
		row.text[at] = piece.text[at - left] as string;
		row.style[at] = piece.style[at - left] as Style;
	}
}

/** A painted text as a row of exactly `columns` cells. */
export function parseRow(line: string, columns: number): CellRow {
	const row = blankRow(columns);
	layCells(row, parseCells(line), 0);
	return row;
}

const turns = new Map<number, string>();

/** The escape sequence from one style to another. */
function turn(from: Style, to: Style): string {
	if (from === to) return '';
	const key = (from << 12) | to;
	const known = turns.get(key);
	if (known !== undefined) return known;
	const gone = from & ~to;
	const weight = gone & (bold | dim) ? bold | dim : 0;
	const kept = weight ? from & ~weight : from;
	const codes: number[] = [];
	if (weight) codes.push(22);
	if (gone & underline) codes.push(24);
	if (gone & inverse) codes.push(27);
	for (const [bit, code] of [
		[bold, 1],
		[dim, 2],
		[underline, 4],
		[inverse, 7],
	] as const)
		if (to & bit && !(kept & bit)) codes.push(code);
	if ((from & 0xff) !== (to & 0xff)) codes.push(to & 0xff || 39);
	const sequence = to === 0 ? '\u001b[m' : `\u001b[${codes.join(';')}m`;
	turns.set(key, sequence);
	return sequence;
}

/** Equal cells between two changes that are written again rather than jumped over: a jump takes four bytes or more. */
const bridged = 3;

const isBlank = ({text, style}: Cells, at: number) => text[at] === ' ' && style[at] === 0;

/**
 * What changes a row on the screen from `before` (undefined: nobody knows) to `after`; begins and ends with the
 * terminal's own style. Widths that terminals disagree about move nothing: after each such character the cursor is put
 * where it belongs.
 * @param row counted from 1
 */
export function changeRow(before: Cells | undefined, after: Cells, row: number): string {
	const columns = after.text.length;
	const differs = (at: number) =>
		before === undefined || before.text[at] !== after.text[at] || before.style[at] !== after.style[at];
	// Blanks up to the end are erased at once.
	let end = columns;
	while (end > 0 && isBlank(after, end - 1)) end--;
	let isErased = false;
	for (let at = end; at < columns && !isErased; at++) isErased = differs(at);

	let bytes = '';
	let place = -1;
	let style: Style = 0;
	const goTo = (at: number) => {
		if (place === at) return;
		if (place === -1) bytes += at === 0 ? `\u001b[${row}H` : `\u001b[${row};${at + 1}H`;
		else bytes += at - place === 1 ? '\u001b[C' : `\u001b[${at - place}C`;
		place = at;
	};
	const write = (at: number) => {
		const next = after.style[at] ?? 0;
		const character = after.text[at] ?? ' ';
		bytes += turn(style, next);
		style = next;
		bytes += character;
		place = at + 1;
	};
	for (let at = 0; at < end; at++) {
		if (!differs(at)) continue;
		// A cell that a wide character covers is drawn with it.
		let from = at;
		while (from > 0 && after.text[from] === '') from--;
		if (place >= 0 && from > place && from - place <= bridged && isPlainBetween(after, place, from, style)) {
			for (let between = place; between < from; between++) write(between);
		}
		goTo(from);
		if (isNarrow(after.text[from] ?? '')) {
			write(from);
			continue;
		}
		let to = from;
		while (to < end && !isNarrow(after.text[to] ?? '', true)) to++;
		// Whatever its width is to this terminal: nothing of the old row stays below, and the next cell is where it was.
		bytes += turn(style, 0);
		style = 0;
		bytes += `\u001b[${to - from}X`;
		for (let wide = from; wide < to; wide++) if (after.text[wide] !== '') write(wide);
		bytes += `\u001b[${to + 1}G`;
		place = to;
		at = to - 1;
	}
	if (style !== 0) bytes += '\u001b[m';
	if (isErased) {
		goTo(end);
		bytes += '\u001b[K';
	}
	return bytes;
}

function isPlainBetween({text, style}: Cells, from: number, to: number, current: Style): boolean {
	for (let at = from; at < to; at++) if (style[at] !== current || !isNarrow(text[at] ?? '')) return false;
	return true;
}
