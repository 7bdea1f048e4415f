// One row of the screen: spans of text with a tone each, painted into a string of an exact width.
import type {Theme, Tone} from '../theme.ts';
import {cells, cut} from './width.ts';

/** A piece of a row. Its text is drawn as it is: names go through `safeText` first. */
export type Span = readonly [text: string, tone?: Tone];

/** `spans` as an escape-coded string of exactly `width` cells: cut where too long, padded where short. */
export function paintLine(theme: Theme, width: number, spans: readonly Span[], selected = false): string {
	let left = width;
	let result = '';
	for (const [text, tone] of spans) {
		if (left <= 0) break;
		if (text === '') continue;
		let piece = text;
		let size = cells(text);
		if (size > left) {
			piece = cut(text, left, theme.glyphs.ellipsis);
			size = cells(piece);
		}
		left -= size;
		result += selected ? piece : theme.paint(piece, tone);
	}
	if (left > 0) result += ' '.repeat(left);
	return selected ? theme.paint(result, 'selected') : result;
}

/** Cells that spans take together. */
export function spanCells(spans: readonly Span[]): number {
	return spans.reduce((sum, [text]) => sum + cells(text), 0);
}

/** `left` and `right` at the two ends of `width` cells; `left` is cut where both do not fit. */
export function spread(theme: Theme, left: readonly Span[], right: readonly Span[], width: number): Span[] {
	const rightCells = spanCells(right);
	const room = width - rightCells;
	const spans: Span[] = [];
	let used = 0;
	for (const [text, tone] of left) {
		if (used >= room) break;
		const piece = cut(text, room - used, theme.glyphs.ellipsis);
		used += cells(piece);
		spans.push([piece, tone]);
	}
	return [...spans, [' '.repeat(Math.max(0, room - used))], ...right];
}
