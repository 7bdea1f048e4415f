// Whether every tone can be read: the contrast of WCAG 2.2 between what a theme writes and the backgrounds of the
// terminals that people have, worked out from the palettes that those document.
import {expect, test} from 'vitest';
import {createTheme, type Tone} from '../../source/tui/theme.ts';

/** The sixteen colours, what text has where no colour is said, and the background. */
type Palette = {
	name: string;
	of: 'dark' | 'light';
	colours: string;
	text: string;
	background: string;
	/** The Linux console shows bold text in the bright colour. */
	boldIsBright?: true;
};

// xterm: XTerm-col.ad; VGA: the Linux kernel's drivers/tty/vt; Windows: Campbell, the console's own scheme.
const xterm =
	'000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff';
const vga =
	'000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff';
const campbell =
	'0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc 767676 e74856 16c60c f9f1a5 3b78ff b4009e 61d6d6 f2f2f2';
// Solarized, by its own table: the bright colours are its greys, and bright black is the dark background.
const solarized =
	'073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3';
const palettes: Palette[] = [
	{name: 'xterm', of: 'dark', colours: xterm, text: 'e5e5e5', background: '000000'},
	{name: 'VGA', of: 'dark', colours: vga, text: 'aaaaaa', background: '000000', boldIsBright: true},
	{name: 'Campbell', of: 'dark', colours: campbell, text: 'cccccc', background: '0c0c0c'},
	{name: 'Solarized', of: 'dark', colours: solarized, text: '839496', background: '002b36'},
	{name: 'xterm', of: 'light', colours: xterm, text: '000000', background: 'ffffff'},
	{name: 'VGA', of: 'light', colours: vga, text: '000000', background: 'ffffff'},
	{name: 'Campbell', of: 'light', colours: campbell, text: '0c0c0c', background: 'f2f2f2'},
	{name: 'Solarized', of: 'light', colours: solarized, text: '657b83', background: 'fdf6e3'},
];

const channel = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

/** Relative luminance, WCAG 2.2. @param colour six hexadecimal digits */
function luminance(colour: string): number {
	const [red = 0, green = 0, blue = 0] = [0, 2, 4].map(at =>
		channel(Number.parseInt(colour.slice(at, at + 2), 16) / 255),
	);
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** From 1 to 21. */
function contrast(a: string, b: string): number {
	const [low = 0, high = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
	return (high + 0.05) / (low + 0.05);
}

/** The middle between two colours, as terminals draw faint text: two parts of the text and one of the background. */
const faint = (text: string, background: string) =>
	[0, 2, 4]
		.map(at => [text, background].map(colour => Number.parseInt(colour.slice(at, at + 2), 16)))
		.map(([over = 0, under = 0]) =>
			Math.round((2 * over + under) / 3)
				.toString(16)
				.padStart(2, '0'),
		)
		.join('');

/** The colour that the theme's own escape sequences for a tone come to. */
function colourOf(tone: Tone, {of: theme, colours, text, background, boldIsBright}: Palette): string {
	const {paint} = createTheme({theme, ascii: false, noColor: false, letters: 'all'});
	const opened = paint('x', tone).split('x')[0] ?? '';
	const codes = opened.split('\u001b[').slice(1).map(Number.parseFloat);
	const colour = codes.find(code => code >= 30);
	if (colour === undefined) return codes.includes(2) ? faint(text, background) : text;
	const isBright = colour >= 90 || (boldIsBright && codes.includes(1));
	return colours.split(' ')[(colour % 10) + (isBright ? 8 : 0)] ?? text;
}

const tones: Tone[] = ['plain', 'bold', 'accent', 'key', 'count', 'down', 'up', 'ok', 'warn', 'error', 'alert'];

/**
 * WCAG's 4.5 for text. Campbell has no magenta that reaches it, and Solarized wants less contrast: its plain text has
 * 4.1 on its own light background, so 3 (WCAG's large text and shapes) is what its colours are held to.
 */
const wanted = (tone: Tone, {name}: Palette) =>
	name === 'Solarized' || (name === 'Campbell' && tone === 'up') ? 3 : 4.5;

test.each(palettes)('$name, $of: every tone of text can be read', palette => {
	const ratios = tones.map(tone => ({tone, ratio: contrast(colourOf(tone, palette), palette.background)}));
	expect(ratios.filter(({tone, ratio}) => ratio < wanted(tone, palette))).toEqual([]);
});

test.each(palettes)('$name, $of: borders and what is muted are seen', palette => {
	const ratio = contrast(colourOf('muted', palette), palette.background);
	expect(ratio).toBeGreaterThanOrEqual(palette.name === 'Solarized' ? 2.3 : 3);
	// Never so faint that what is bright black elsewhere vanishes in the background.
	expect(ratio).toBeLessThan(contrast(palette.text, palette.background));
});
