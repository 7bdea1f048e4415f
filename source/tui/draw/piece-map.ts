// Where a file's bytes come from, as a strip: one cell stands for a run of pieces, its sign or colour for their source.
import type {Theme, Tone} from '../theme.ts';

/** Missing, and there from before or from this machine; every other number is a source, counted from 1. */
const missing = 0;
const local = 255;

/** Colours of sources in the order of the legend. */
const sourceTones: readonly Tone[] = ['down', 'up', 'ok', 'warn', 'count', 'accent', 'error'];
const letters = 'abcdefghijklmnopqrstuvwxyz';

/** How a source is drawn: by colour where there is colour, by letter otherwise. */
export function sourceSign(theme: Theme, source: number): {sign: string; tone: Tone} {
	const hasColour = theme.name !== 'mono' && !theme.glyphs.ascii;
	if (source === local) return {sign: hasColour ? '█' : '=', tone: 'muted'};
	const tone = sourceTones[(source - 1) % sourceTones.length] ?? 'plain';
	// Where colours run out, letters go on telling sources apart.
	const isLetter = !hasColour || source > sourceTones.length;
	return {sign: isLetter ? (letters[(source - 1) % letters.length] ?? '?') : '█', tone};
}

/** What a run of pieces is: the source of most of it, and whether some of it is missing. */
function runOf(map: Uint8Array, from: number, to: number): {source: number; isWhole: boolean} {
	const counts = new Map<number, number>();
	for (let piece = from; piece < to; piece++) {
		const source = map[piece] ?? missing;
		counts.set(source, (counts.get(source) ?? 0) + 1);
	}
	const absent = counts.get(missing) ?? 0;
	counts.delete(missing);
	let best = missing;
	for (const [source, count] of counts) if (count > (counts.get(best) ?? 0)) best = source;
	return {source: best, isWhole: absent === 0};
}

/** The strip in rows of `width` cells, painted; at most `rows` rows, fewer when there are fewer pieces. */
export function pieceStrip(theme: Theme, map: Uint8Array, width: number, rows: number): string[] {
	const used = Math.max(1, Math.min(rows, Math.ceil(map.length / width)));
	const total = used * width;
	const lines: string[] = [];
	for (let row = 0; row < used; row++) {
		let line = '';
		let run = '';
		let tone: Tone = 'plain';
		for (let column = 0; column < width; column++) {
			const cell = row * width + column;
			const from = Math.floor((cell * map.length) / total);
			const to = Math.max(from + 1, Math.floor(((cell + 1) * map.length) / total));
			const {source, isWhole} = runOf(map, from, to);
			const drawn =
				source === missing ? {sign: theme.glyphs.ascii ? '.' : '·', tone: 'muted' as Tone} : sourceSign(theme, source);
			const sign = drawn.sign === '█' && !isWhole ? '▒' : isWhole ? drawn.sign : drawn.sign.toUpperCase();
			if (drawn.tone !== tone) {
				line += theme.paint(run, tone);
				run = '';
				tone = drawn.tone;
			}
			run += sign;
		}
		lines.push(line + theme.paint(run, tone));
	}
	return lines;
}
