// Bars, sparklines and the braille graph.

import type {Tone} from '../theme.ts';
import type {Glyphs} from './glyphs.ts';
import type {Span} from './line.ts';

/** A progress bar of `width` cells; `share` from 0 to 1. Full only when everything is there. */
export function bar(share: number, width: number, glyphs: Glyphs, tone: Tone): Span[] {
	if (width < 1) return [];
	const clean = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
	const halves = clean === 1 ? width * 2 : Math.min(width * 2 - 1, Math.floor(clean * width * 2));
	const full = halves >> 1;
	const half = halves % 2 === 1 && !glyphs.ascii;
	return [
		[glyphs.barFull.repeat(full) + (half ? glyphs.barHalf : ''), tone],
		[glyphs.barEmpty.repeat(width - full - (half ? 1 : 0)), 'muted'],
	];
}

/** The last `width` samples as heights of one row, newest at the right. Nothing is drawn where nothing was measured. */
export function sparkline(samples: readonly number[], width: number, glyphs: Glyphs, ceiling?: number): string {
	const seen = samples.slice(-width);
	const highest = Math.max(ceiling ?? 0, ...seen);
	const heights = seen.map(sample => {
		if (!(sample > 0) || highest <= 0) return glyphs.spark[0] ?? ' ';
		const step = Math.ceil((sample / highest) * (glyphs.spark.length - 1));
		return glyphs.spark[Math.min(glyphs.spark.length - 1, Math.max(1, step))] ?? ' ';
	});
	return ' '.repeat(Math.max(0, width - heights.length)) + heights.join('');
}

/** Bits of a braille cell from the bottom up, left and right column. */
const dots = [
	[0x40, 0x80],
	[0x04, 0x20],
	[0x02, 0x10],
	[0x01, 0x08],
] as const;

/** `samples` shrunk or as they are to `count` values, each the highest of its part; missing ones at the left are 0. */
export function resample(samples: readonly number[], count: number): number[] {
	if (samples.length <= count) return [...new Array<number>(count - samples.length).fill(0), ...samples];
	return Array.from({length: count}, (_, index) => {
		const from = Math.floor((index * samples.length) / count);
		const to = Math.max(from + 1, Math.floor(((index + 1) * samples.length) / count));
		return Math.max(...samples.slice(from, to));
	});
}

/** A filled graph of `width` by `height` cells, top row first: braille dots, or columns of `#` in ASCII. */
export function areaGraph(samples: readonly number[], width: number, height: number, glyphs: Glyphs): string[] {
	const perCell = glyphs.braille ? {x: 2, y: 4} : {x: 1, y: 1};
	const values = resample(samples, width * perCell.x);
	const highest = Math.max(1e-9, ...values);
	const levels = values.map(value => (value > 0 ? Math.max(1, Math.round((value / highest) * height * perCell.y)) : 0));
	const rows: string[] = [];
	for (let row = height - 1; row >= 0; row--) {
		let text = '';
		for (let column = 0; column < width; column++) {
			if (!glyphs.braille) {
				text += (levels[column] ?? 0) > row ? '#' : ' ';
				continue;
			}
			let code = 0;
			for (let side = 0; side < 2; side++) {
				const level = levels[column * 2 + side] ?? 0;
				for (let dot = 0; dot < 4; dot++) if (level > row * 4 + dot) code |= dots[dot]?.[side] ?? 0;
			}
			text += code === 0 ? ' ' : String.fromCodePoint(0x2800 + code);
		}
		rows.push(text);
	}
	return rows;
}

/** One row of braille, two samples a cell, for the rates in the header. */
export function brailleLine(samples: readonly number[], width: number, glyphs: Glyphs): string {
	return glyphs.braille ? (areaGraph(samples, width, 1, glyphs)[0] ?? '') : sparkline(samples, width, glyphs);
}
