// How many cells a text takes, and texts cut or padded to an exact number of cells.
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import {displayText} from '../../core/display.ts';

const plain = /^[ -~]*$/;
/** Signs of one cell that the screens draw with, and Latin letters: worth not asking the width tables for. */
const narrow = /^[ -~\u00a1-\u00ac\u00ae-\u024f•…‖‹›←-↓⏎─-╿▀-▟▲▸▾○◉◌●✓✗\u2800-\u28ff]*$/;

/** Whether each character of a text takes one cell in every terminal. An empty text does unless `isEmptyWide`. */
export function isNarrow(text: string, isEmptyWide = false): boolean {
	return text === '' ? !isEmptyWide : narrow.test(text);
}

/** Cells that a text without escape sequences takes. */
export function cells(text: string): number {
	return narrow.test(text) ? text.length : stringWidth(text);
}

/** What terminals disagree about: joiners, variation selectors, keycaps, regional indicators, skin tones. */
const contestedRanges = [
	[0x200c, 0x200d],
	[0x20e3, 0x20e3],
	[0xfe00, 0xfe0f],
	[0x1f1e6, 0x1f1ff],
	[0x1f3fb, 0x1f3ff],
	[0xe0100, 0xe01ef],
] as const;
const isContested = (code: number) => contestedRanges.some(([from, to]) => code >= from && code <= to);
/** Fillers and others that draw nothing: some terminals give them a cell or two. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu;

/** Regional indicators stand for letters; the other contested characters only change their neighbours. */
const withoutContested = (code: number) =>
	code >= 0x1f1e6 && code <= 0x1f1ff ? String.fromCharCode(code - 0x1f1e6 + 0x41) : '';

function makeSafe(text: string): string {
	let agreed = '';
	for (const character of displayText(text).replace(invisible, '')) {
		const code = character.codePointAt(0) ?? 0;
		agreed += isContested(code) ? withoutContested(code) : character;
	}
	return agreed;
}

/** The names seen last: a row is drawn many times, and looking at every character is the dearest part of it. */
const known = new Map<string, string>();
const maxKnown = 2000;

/**
 * A name from the network or a disk as it may be drawn: harmless, and of a width that all terminals agree on. Emoji
 * built of several parts are shown by their parts, flags by their letters.
 */
export function safeText(text: string): string {
	if (plain.test(text)) return text;
	const found = known.get(text);
	if (found !== undefined) return found;
	if (known.size >= maxKnown) known.clear();
	const safe = makeSafe(text);
	known.set(text, safe);
	return safe;
}

/** `text` in at most `width` cells, with the ellipsis where something was left out. */
export function cut(text: string, width: number, ellipsis = '…', position: 'end' | 'middle' = 'end'): string {
	if (width <= 0) return '';
	if (narrow.test(text)) {
		if (text.length <= width) return text;
		if (width <= ellipsis.length) return text.slice(0, width);
		if (position === 'end') return text.slice(0, width - ellipsis.length) + ellipsis;
		const tail = Math.floor((width - ellipsis.length) / 2);
		return text.slice(0, width - ellipsis.length - tail) + ellipsis + text.slice(text.length - tail);
	}
	return cells(text) <= width ? text : cliTruncate(text, width, {position, truncationCharacter: ellipsis});
}

/** `text` in exactly `width` cells. */
export function fitCells(
	text: string,
	width: number,
	{
		align = 'left',
		ellipsis = '…',
		position = 'end',
	}: {align?: 'left' | 'right'; ellipsis?: string; position?: 'end' | 'middle'} = {},
): string {
	const short = cut(text, width, ellipsis, position);
	const space = ' '.repeat(Math.max(0, width - cells(short)));
	return align === 'left' ? short + space : space + short;
}

/** Words of a long text in lines of at most `width` cells. */
export function wrapped(text: string, width: number, ellipsis: string): string[] {
	const lines: string[] = [];
	let line = '';
	for (const word of text.split(' ')) {
		if (line !== '' && cells(line) + 1 + cells(word) > width) {
			lines.push(line);
			line = '';
		}
		line += (line === '' ? '' : ' ') + word;
	}
	return [...lines, line].map(part => cut(part, width, ellipsis, 'middle'));
}
