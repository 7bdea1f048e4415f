// How many cells a text takes, and texts cut or padded to an exact number of cells.
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import {displayText} from '../../core/display.ts';

const plain = /^[ -~]*$/;

/** Cells that a text without escape sequences takes. */
export function cells(text: string): number {
	return plain.test(text) ? text.length : stringWidth(text);
}

/** What terminals disagree about: joiners, variation selectors, regional indicators, skin tones, keycaps. */
const contested = /[\u200c\u200d\ufe00-\ufe0f\u20e3]|\p{Regional_Indicator}|\p{Emoji_Modifier}|[\u{e0100}-\u{e01ef}]/gu;
const contestedTest = /[\u200c\u200d\ufe00-\ufe0f\u20e3\u{1f1e6}-\u{1f1ff}\u{1f3fb}-\u{1f3ff}\u{e0100}-\u{e01ef}]/u;

/**
 * A name from the network or a disk as it may be drawn: harmless, and of a width that all terminals agree on. Emoji
 * built of several parts are shown by their parts, flags by their letters.
 */
export function safeText(text: string): string {
	if (plain.test(text)) return text;
	const harmless = displayText(text);
	if (!contestedTest.test(harmless)) return harmless;
	return harmless.replace(contested, part => {
		const code = part.codePointAt(0) ?? 0;
		return code >= 0x1f1e6 && code <= 0x1f1ff ? String.fromCharCode(code - 0x1f1e6 + 0x41) : '';
	});
}

/** `text` in at most `width` cells, with the ellipsis where something was left out. */
export function cut(text: string, width: number, ellipsis = '…', position: 'end' | 'middle' = 'end'): string {
	if (width <= 0) return '';
	if (plain.test(text)) {
		if (text.length <= width) return text;
		if (width <= ellipsis.length) return text.slice(0, width);
		if (position === 'end') return text.slice(0, width - ellipsis.length) + ellipsis;
		const tail = Math.floor((width - ellipsis.length) / 2);
		return text.slice(0, width - ellipsis.length - tail) + ellipsis + text.slice(text.length - tail);
	}
	return stringWidth(text) <= width ? text : cliTruncate(text, width, {position, truncationCharacter: ellipsis});
}

/** `text` in exactly `width` cells. */
export function fit(
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
