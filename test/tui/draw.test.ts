import fc from 'fast-check';
import stringWidth from 'string-width';
import {describe, expect, test} from 'vitest';
import {clock, grouped, roundTrip, uptime} from '../../source/tui/draw/format.ts';
import {glyphsFor} from '../../source/tui/draw/glyphs.ts';
import {areaGraph, bar, resample, sparkline} from '../../source/tui/draw/graph.ts';
import {paintLine, type Span, spread} from '../../source/tui/draw/line.ts';
import {pieceStrip, sourceSign} from '../../source/tui/draw/piece-map.ts';
import {cells, cut, fitCells, safeText} from '../../source/tui/draw/width.ts';
import {createTheme, lookFromEnvironment} from '../../source/tui/theme.ts';

const theme = createTheme({theme: 'dark', ascii: false, noColor: false, letters: 'all'});
const plain = (text: string) => text.replace(/\u001b\[[\d;]*m/g, '');
const signs = glyphsFor(false);
const names = fc.string({
	unit: fc.constantFrom(
		'a',
		'Z',
		' ',
		'é',
		'e\u0301',
		'日',
		'한',
		'🎵',
		'👨‍👩‍👧',
		'🇩🇪',
		'❤️',
		'\u202e',
		'\u001b[31m',
		'\t',
		'\n',
		'\u200b',
		'ن',
		'\ud800',
		'👍🏽',
		'1️⃣',
		'ﾊﾟ',
		'\u0000',
	),
});

describe('widths', () => {
	test('a fitted text has exactly its width, whatever is in it', () => {
		fc.assert(
			fc.property(names, fc.nat(40), fc.constantFrom('end' as const, 'middle' as const), (name, width, position) => {
				expect(cells(fitCells(safeText(name), width, {position}))).toBe(width);
			}),
		);
	});

	test('a painted line has exactly its width, and no escape codes of a name', () => {
		fc.assert(
			fc.property(fc.array(names, {maxLength: 5}), fc.nat(60), fc.boolean(), (texts, width, selected) => {
				const spans: Span[] = texts.map((text, index) => [theme.text(text), index % 2 ? 'muted' : 'plain']);
				const line = plain(paintLine(theme, width, spans, selected));
				expect(stringWidth(line)).toBe(width);
				for (const bad of ['\u001b', '\u202e', '\u200d', '\ufe0f', '\t', '\u0000']) expect(line).not.toContain(bad);
			}),
		);
	});

	test('what all terminals agree on stays as it is', () => {
		for (const name of ['plain.txt', 'Grüße.txt', '日本語.iso', '한국어', 'e\u0301', '🎵.flac'])
			expect(safeText(name)).toBe(name);
		expect(safeText('a\u202egpj.exe')).toBe('a\ufffdgpj.exe');
		expect(safeText('🇩🇪 👨‍👩‍👧')).toBe('DE 👨👩👧');
	});

	test('cutting keeps the end where it is asked to', () => {
		expect(cut('ubuntu-24.04-desktop.iso', 12)).toBe('ubuntu-24.0…');
		expect(cut('ubuntu-24.04-desktop.iso', 12, '…', 'middle')).toBe('ubuntu…p.iso');
		expect(cut('abc', 2, '…')).toBe('a…');
		expect(cut('日本語', 5)).toBe('日本…');
		expect(cut('abc', 0)).toBe('');
	});

	test('spread puts two texts at the two ends', () => {
		expect(plain(paintLine(theme, 12, spread(theme, [['left']], [['right', 'muted']], 12)))).toBe('left   right');
		expect(plain(paintLine(theme, 8, spread(theme, [['left']], [['right']], 8)))).toBe('le…right');
	});
});

describe('graphs', () => {
	test('a bar is as long as its share, and full only when all is there', () => {
		const text = (share: number, width = 10) =>
			bar(share, width, signs, 'down')
				.map(([part]) => part)
				.join('');
		expect(text(0)).toBe('──────────');
		expect(text(0.55)).toBe('━━━━━╸────');
		expect(text(0.999)).toBe('━━━━━━━━━╸');
		expect(text(1)).toBe('━━━━━━━━━━');
		expect(text(Number.NaN)).toBe('──────────');
		expect(text(7)).toBe('━━━━━━━━━━');
		for (let share = 0; share <= 1; share += 0.01) expect(cells(text(share, 7))).toBe(7);
	});

	test('a sparkline shows the newest samples at the right; nothing where nothing was measured', () => {
		expect(sparkline([0, 1, 2, 4], 6, signs)).toBe('  ▁▃▅█');
		expect(sparkline([9, 9, 0, 1, 2, 4], 4, signs)).toBe('▁▃▅█');
		expect(sparkline([], 3, signs)).toBe('   ');
		expect(sparkline([0, 4], 2, glyphsFor(true))).toBe('_#');
	});

	test('the area graph fills from below', () => {
		expect(areaGraph([0, 0, 8, 8], 2, 2, signs)).toEqual([' ⣿', ' ⣿']);
		expect(areaGraph([1, 8], 1, 1, signs)).toEqual(['⣸']);
		expect(areaGraph([1, 4], 2, 2, glyphsFor(true))).toEqual([' #', '##']);
	});

	test('shrinking keeps the peaks', () => {
		expect(resample([0, 9, 0, 0, 0, 5], 3)).toEqual([9, 0, 5]);
		expect(resample([1, 2], 4)).toEqual([0, 0, 1, 2]);
	});
});

describe('the map of pieces', () => {
	const mono = createTheme({theme: 'dark', ascii: false, noColor: true, letters: 'all'});
	const strip = (map: number[], width: number, rows = 1) =>
		pieceStrip(mono, Uint8Array.from(map), width, rows).map(plain);
	test('a cell a piece: letters for sources, others for what is missing or was there', () => {
		expect(strip([255, 1, 1, 2, 0, 3], 6)).toEqual(['=aab·c']);
	});
	test('many pieces a cell: the source of most of them, a capital where some are missing', () => {
		expect(strip([1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0, 0], 3)).toEqual(['aB·']);
	});
	test('fewer pieces than cells fill the width; many take more rows', () => {
		expect(strip([1, 2], 6)).toEqual(['aaabbb']);
		expect(strip(new Array<number>(40).fill(1), 10, 4)).toEqual([
			'aaaaaaaaaa',
			'aaaaaaaaaa',
			'aaaaaaaaaa',
			'aaaaaaaaaa',
		]);
		expect(strip(new Array<number>(15).fill(1), 10, 4)).toEqual(['aaaaaaaaaa', 'aaaaaaaaaa']);
		expect(strip([], 4)).toEqual(['····']);
	});
	test('with colour each source has its own, and past those a letter', () => {
		const signs = Array.from({length: 9}, (_, index) => sourceSign(theme, index + 1));
		expect(new Set(signs.map(({sign, tone}) => sign + tone)).size).toBe(9);
	});
});

test('numbers and times', () => {
	expect(grouped(1_204_331)).toBe('1,204,331');
	expect(roundTrip(undefined)).toBe('-');
	expect(roundTrip(0.3)).toBe('<1ms');
	expect(roundTrip(71.6)).toBe('72ms');
	expect(uptime(8049)).toBe('2:14:09');
	expect(uptime(86_400 * 3 + 7260)).toBe('3d 02:01');
	expect(clock(new Date(2026, 2, 1, 9, 5, 7).getTime())).toBe('09:05:07');
});

describe('the look', () => {
	const look = (env: NodeJS.ProcessEnv) => lookFromEnvironment({}, env);
	test('the environment decides what is left open', () => {
		expect(look({TERM: 'xterm', LANG: 'en_US.UTF-8'})).toEqual({
			theme: 'dark',
			ascii: false,
			noColor: false,
			letters: 'all',
		});
		expect(look({COLORFGBG: '0;15'}).theme).toBe('light');
		expect(look({COLORFGBG: '15;0'}).theme).toBe('dark');
		expect(look({COLORFGBG: '12;8'}).theme).toBe('dark');
		expect(look({COLORFGBG: 'default;default'}).theme).toBe('dark');
		expect(look({LC_ALL: 'C'})).toMatchObject({ascii: true, letters: 'ascii'});
		expect(look({LANG: 'de_DE.ISO-8859-1'}).ascii).toBe(true);
		expect(look({LANG: 'de_DE.utf8', TERM: 'linux'})).toMatchObject({ascii: true, letters: 'latin'});
		expect(look({TERM: 'dumb'})).toMatchObject({ascii: true, noColor: true});
		expect(look({NO_COLOR: '1'}).noColor).toBe(true);
		expect(look({NO_COLOR: ''}).noColor).toBe(false);
	});
	test('settings win', () => {
		expect(
			lookFromEnvironment(
				{theme: 'dark', ascii: false, noColor: false},
				{COLORFGBG: '0;15', TERM: 'dumb', NO_COLOR: '1'},
			),
		).toMatchObject({
			theme: 'dark',
			ascii: false,
			noColor: false,
		});
	});
	test('without colour only bold, dim, underline and inverse are left', () => {
		const mono = createTheme({theme: 'dark', ascii: false, noColor: true, letters: 'all'});
		for (const tone of [
			'accent',
			'key',
			'down',
			'up',
			'ok',
			'warn',
			'error',
			'alert',
			'muted',
			'count',
			'selected',
		] as const)
			expect(mono.paint('x', tone)).toMatch(/^(\u001b\[[1247]m)*x(\u001b\[2[247]m)*$/);
	});
	test('a terminal of few letters shows names of the same width', () => {
		const poor = createTheme({theme: 'dark', ascii: true, noColor: false, letters: 'ascii'});
		expect(poor.text('Grüße 日本.txt')).toBe('Gr??e ????.txt');
		expect(createTheme({theme: 'dark', ascii: true, noColor: false, letters: 'latin'}).text('Grüße 日本.txt')).toBe(
			'Grüße ????.txt',
		);
	});
});
