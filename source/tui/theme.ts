// Colours by meaning. Only the terminal's own palette is used, so that every colour scheme stays itself.
import {type Glyphs, glyphsFor} from './draw/glyphs.ts';
import {cells, safeText} from './draw/width.ts';

/** What a piece of text means. */
export type Tone =
	| 'plain'
	| 'bold'
	| 'muted'
	| 'accent'
	| 'key'
	| 'count'
	| 'down'
	| 'up'
	| 'ok'
	| 'warn'
	| 'error'
	| 'alert'
	| 'selected';

export type Theme = {
	name: 'dark' | 'light' | 'mono';
	glyphs: Glyphs;
	/** `text` in escape codes of its tone. */
	paint(text: string, tone?: Tone): string;
	/** A name from the network or a disk as this terminal can show it: harmless, and of a known width. */
	text(name: string): string;
};

/**
 * SGR parameters of each tone; empty: as it is. Muted is faint, not bright black, which is the background itself in
 * Solarized; light has no green and no yellow, which few palettes make dark enough for white: see the contrast test.
 */
const codes: Record<Theme['name'], Record<Tone, string>> = {
	dark: {
		plain: '',
		bold: '1',
		muted: '2',
		accent: '96',
		key: '1;96',
		count: '36',
		down: '36',
		up: '95',
		ok: '32',
		warn: '1;33',
		error: '91',
		alert: '1;91',
		selected: '7',
	},
	light: {
		plain: '',
		bold: '1',
		muted: '2',
		accent: '34',
		key: '1;34',
		count: '34',
		down: '34',
		up: '35',
		ok: '34',
		warn: '1',
		error: '31',
		alert: '1;31',
		selected: '7',
	},
	mono: {
		plain: '',
		bold: '1',
		muted: '2',
		accent: '',
		key: '1',
		count: '',
		down: '',
		up: '',
		ok: '',
		warn: '1',
		error: '1',
		alert: '1;4',
		selected: '7',
	},
};

/** Which letters the terminal can show in names: all, those of Latin scripts, or ASCII alone. */
type Letters = 'all' | 'latin' | 'ascii';

/** How the screens are to look. */
export type Look = {theme?: 'dark' | 'light'; ascii?: boolean; noColor?: boolean; letters?: Letters};

/** What the environment says where the settings leave it open. A locale that is not set tells nothing. */
export function lookFromEnvironment(look: Look, env: NodeJS.ProcessEnv): Required<Look> {
	const background = Number(env.COLORFGBG?.split(';').at(-1) || Number.NaN);
	const isLight = background === 7 || background >= 9;
	const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
	const isPoor = env.TERM === 'linux' || env.TERM === 'dumb' || env.TERM === 'vt100';
	const isOtherLocale = process.platform !== 'win32' && locale !== '' && !/utf-?8/i.test(locale);
	return {
		theme: look.theme ?? (isLight ? 'light' : 'dark'),
		ascii: look.ascii ?? (isPoor || isOtherLocale),
		noColor: look.noColor ?? (Boolean(env.NO_COLOR) || env.TERM === 'dumb'),
		letters: look.letters ?? (isOtherLocale || env.TERM === 'dumb' ? 'ascii' : isPoor ? 'latin' : 'all'),
	};
}

const segmenter = new Intl.Segmenter();

function withLetters(text: string, letters: Letters): string {
	if (letters === 'all') return text;
	const shown = letters === 'ascii' ? /^[ -~]+$/ : /^[ -~\u00a1-\u017f]+$/;
	if (shown.test(text)) return text;
	return Array.from(segmenter.segment(text), ({segment}) =>
		shown.test(segment) ? segment : '?'.repeat(cells(segment)),
	).join('');
}

/** What switches each attribute off again, by its SGR parameter. */
const closing = (code: string) =>
	code === '1' || code === '2' ? '22' : code === '7' ? '27' : code === '4' ? '24' : '39';

/**
 * The escape sequences around each tone, one attribute each and closed in reverse: that is how Ink writes them itself,
 * so that it finds a row as it would have written it and does not take it apart twice.
 */
function sequencesOf(table: Record<Tone, string>): Partial<Record<Tone, {open: string; close: string}>> {
	const sgr = (code: string) => `\u001b[${code}m`;
	const entries = Object.entries(table).filter(([, codes]) => codes !== '');
	return Object.fromEntries(
		entries.map(([tone, codes]) => {
			const parts = codes.split(';');
			return [tone, {open: parts.map(sgr).join(''), close: parts.toReversed().map(closing).map(sgr).join('')}];
		}),
	);
}

/** The theme for a look that is settled. */
export function createTheme({theme, ascii, noColor, letters}: Required<Look>): Theme {
	const name = noColor ? 'mono' : theme;
	const sequences = sequencesOf(codes[name]);
	return {
		name,
		glyphs: glyphsFor(ascii),
		paint(text, tone = 'plain') {
			const sequence = sequences[tone];
			return sequence === undefined || text === '' ? text : sequence.open + text + sequence.close;
		},
		text: text => withLetters(safeText(text), letters),
	};
}
