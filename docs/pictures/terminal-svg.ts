// Draws what stands on a terminal as an SVG picture, cell by cell, in the palette of a dark or light terminal.
import type {IBufferCell, Terminal} from '@xterm/headless';

/** Colours of one background: the page, the text, and the 16 of the palette. */
type Palette = {background: string; foreground: string; colours: string[]};

const palettes: Record<'dark' | 'light', Palette> = {
	dark: {
		background: '#11151c',
		foreground: '#d5dae3',
		colours: [
			...['#1d232e', '#e0606e', '#7ec77b', '#dcb862', '#5fa8f5', '#c38ae8', '#4fc1c9', '#aab2c0'],
			...['#5d6778', '#ff7a88', '#9be38f', '#f2d37c', '#82bfff', '#dba6ff', '#74dbe2', '#f2f5f9'],
		],
	},
	light: {
		background: '#fbfbf8',
		foreground: '#24292e',
		colours: [
			...['#24292e', '#b5202a', '#1a7f37', '#8a6100', '#0550ae', '#8250df', '#0b7285', '#8b949e'],
			...['#57606a', '#cf222e', '#1f883d', '#9a6700', '#0969da', '#a475f9', '#1b9aaa', '#d0d7de'],
		],
	},
};

const cell = {width: 8.4, height: 17, font: 14, baseline: 12.5, margin: 12};

/** The visible screen as an SVG document. */
export function terminalSvg(terminal: Terminal, theme: 'dark' | 'light'): string {
	const palette = palettes[theme];
	const width = terminal.cols * cell.width + 2 * cell.margin;
	const height = terminal.rows * cell.height + 2 * cell.margin;
	const parts: string[] = [];
	for (let y = 0; y < terminal.rows; y++) {
		for (const run of runsOf(terminal, y, palette)) parts.push(drawRun(run, y, palette));
	}
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(1)} ${height}" width="${width.toFixed(0)}" height="${height}">`,
		`<rect width="100%" height="100%" rx="8" fill="${palette.background}"/>`,
		`<g font-family="ui-monospace,'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="${cell.font}" xml:space="preserve">`,
		...parts,
		'</g>',
		'</svg>',
		'',
	].join('\n');
}

type Run = {x: number; columns: number; text: string; fill: string; ground: string; bold: boolean; dim: boolean};

/** Neighbouring cells of one look, put together. */
function runsOf(terminal: Terminal, y: number, palette: Palette): Run[] {
	const buffer = terminal.buffer.active;
	const line = buffer.getLine(buffer.viewportY + y);
	const runs: Run[] = [];
	for (let x = 0; line && x < terminal.cols; x++) {
		const at = line.getCell(x);
		if (!at || at.getWidth() === 0) continue;
		const look = lookOf(at, palette);
		const last = runs.at(-1);
		const alike =
			last &&
			last.fill === look.fill &&
			last.ground === look.ground &&
			last.bold === look.bold &&
			last.dim === look.dim;
		if (alike && at.getWidth() === 1 && last.columns === last.text.length) {
			last.text += at.getChars() || ' ';
			last.columns++;
		} else runs.push({x, columns: at.getWidth(), text: at.getChars() || ' ', ...look});
	}
	return runs;
}

function lookOf(at: IBufferCell, palette: Palette): Pick<Run, 'fill' | 'ground' | 'bold' | 'dim'> {
	const fore = at.isFgPalette()
		? colour(at.getFgColor(), palette)
		: at.isFgRGB()
			? hex(at.getFgColor())
			: palette.foreground;
	const back = at.isBgPalette()
		? colour(at.getBgColor(), palette)
		: at.isBgRGB()
			? hex(at.getBgColor())
			: palette.background;
	const inverse = at.isInverse() !== 0;
	return {fill: inverse ? back : fore, ground: inverse ? fore : back, bold: at.isBold() !== 0, dim: at.isDim() !== 0};
}

function drawRun({x, columns, text, fill, ground, bold, dim}: Run, y: number, palette: Palette): string {
	const left = cell.margin + x * cell.width;
	const top = cell.margin + y * cell.height;
	const width = columns * cell.width;
	let drawn = '';
	if (ground !== palette.background)
		drawn += `<rect x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${cell.height}" fill="${ground}"/>`;
	if (text.trim() === '') return drawn;
	const style = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}`;
	return `${drawn}<text x="${left.toFixed(1)}" y="${(top + cell.baseline).toFixed(1)}" textLength="${width.toFixed(1)}" lengthAdjust="spacingAndGlyphs" fill="${fill}"${style}>${escapeXml(text)}</text>`;
}

function escapeXml(text: string): string {
	return text.replace(/[&<>]/g, sign => ({'&': '&amp;', '<': '&lt;', '>': '&gt;'})[sign]!);
}

function hex(rgb: number): string {
	return `#${rgb.toString(16).padStart(6, '0')}`;
}

/** A colour of the 256: the palette's 16, the 6×6×6 cube, the greys. */
function colour(index: number, palette: Palette): string {
	if (index < 16) return palette.colours[index]!;
	if (index >= 232) return hex((8 + 10 * (index - 232)) * 0x010101);
	const step = (n: number) => (n === 0 ? 0 : 55 + 40 * n);
	const cube = index - 16;
	return hex((step(Math.floor(cube / 36)) << 16) | (step(Math.floor(cube / 6) % 6) << 8) | step(cube % 6));
}
