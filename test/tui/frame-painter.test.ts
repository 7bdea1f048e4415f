// What the painter writes makes a real terminal show exactly the frame, whatever was there before.
import xterm from '@xterm/headless';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {paintLine, type Span} from '../../source/tui/draw/line.ts';
import {changeRow, parseRow} from '../../source/tui/terminal/cell-row.ts';
import {FramePainter} from '../../source/tui/terminal/frame-painter.ts';
import type {ScreenStream} from '../../source/tui/terminal/terminal-modes.ts';
import {createTheme, type Tone} from '../../source/tui/theme.ts';

const theme = createTheme({theme: 'dark', ascii: false, noColor: false, letters: 'all'});
const columns = 40;

/** A terminal, and what is written to it. */
function terminalOf(rows: number) {
	const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true, scrollback: 0});
	let written = '';
	const stream = {
		...{isTTY: true, columns, rows, writable: true},
		write: (text: string) => {
			written += text;
			terminal.write(text);
			return true;
		},
	} as unknown as ScreenStream;
	const settled = () => new Promise<void>(resolve => terminal.write('', resolve));
	/** Text and attributes of each cell. */
	const cellsOf = () =>
		Array.from({length: rows}, (_, row) => {
			const line = terminal.buffer.active.getLine(row);
			return Array.from({length: columns}, (_, column) => {
				const cell = line?.getCell(column);
				const text = cell?.getChars() || (cell?.getWidth() === 0 ? '' : ' ');
				const shows = text !== ' ' || cell?.isInverse();
				return [text, shows ? [cell?.getFgColor(), cell?.isBold() ? 1 : 0, cell?.isInverse() ? 1 : 0] : []];
			});
		});
	return {terminal, stream, settled, cellsOf, written: () => written};
}

const tones: Tone[] = ['plain', 'bold', 'muted', 'accent', 'key', 'down', 'warn', 'alert', 'selected'];
/** Letters that all terminals draw alike: of one cell, and of two. */
const word = fc.string({unit: fc.constantFrom(...'abc  é─━│▐⣿日本語한'), maxLength: 14});
const span = fc.tuple(word, fc.constantFrom(...tones)) as fc.Arbitrary<Span>;
const line = fc.array(span, {maxLength: 6}).map(spans => paintLine(theme, columns, spans).trimEnd());

test('from any frame to any other the terminal shows what was meant', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.array(line, {minLength: 3, maxLength: 3}), {minLength: 2, maxLength: 5}),
			async frames => {
				const [once, steps] = [terminalOf(3), terminalOf(3)];
				const painter = new FramePainter(steps.stream);
				for (const frame of frames) painter.write(frame.join('\n'));
				new FramePainter(once.stream).write(frames.at(-1)?.join('\n') ?? '');
				await Promise.all([once.settled(), steps.settled()]);
				expect(steps.cellsOf()).toEqual(once.cellsOf());
				once.terminal.dispose();
				steps.terminal.dispose();
			},
		),
		{numRuns: 150},
	);
});

test('no name, however hostile, moves what stands right of it', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.oneof(fc.string({unit: 'grapheme', maxLength: 30}), fc.string({unit: 'binary', maxLength: 30})),
			fc.string({unit: 'grapheme', maxLength: 30}),
			async (first, second) => {
				const {terminal, stream, settled, cellsOf} = terminalOf(2);
				const painter = new FramePainter(stream);
				for (const name of [first, second]) {
					const row = paintLine(theme, columns - 1, [['│', 'accent'], [theme.text(name)]]) + theme.paint('│', 'accent');
					painter.write(`${row}\n${'-'.repeat(columns)}`);
				}
				await settled();
				const [row, below] = cellsOf();
				expect(row?.[0]?.[0]).toBe('│');
				expect(row?.[columns - 1]?.[0]).toBe('│');
				expect(below?.map(([text]) => text).join('')).toBe('-'.repeat(columns));
				terminal.dispose();
			},
		),
		{numRuns: 300},
	);
});

describe('bytes', () => {
	test('an equal frame writes nothing, a changed number only itself', () => {
		const {stream, written} = terminalOf(2);
		const painter = new FramePainter(stream);
		painter.write(`${theme.paint('speed', 'muted')} 41 of 90\nbelow`);
		const before = written().length;
		painter.write(`${theme.paint('speed', 'muted')} 41 of 90\nbelow`);
		expect(written().length).toBe(before);
		painter.write(`${theme.paint('speed', 'muted')} 42 of 90\nbelow`);
		expect(written().slice(before)).toBe('\u001b[?2026h\u001b[1;8H2\u001b[?2026l');
	});

	test('a row that became shorter is erased to its end', () => {
		expect(changeRow(parseRow('abcdef', 10), parseRow('ab', 10), 3)).toBe('\u001b[3;3H\u001b[K');
	});

	test('what Ink erases, or another program drew, is drawn whole', () => {
		const {stream, written} = terminalOf(2);
		const painter = new FramePainter(stream);
		painter.write('one\ntwo');
		let before = written().length;
		painter.write('\u001b[2K\u001b[1A\u001b[2K\u001b[Gone\ntwo');
		expect(written().length, 'erasing its own frame first is all Ink does').toBe(before);
		painter.write('\u001b[?1049h');
		before = written().length;
		painter.write('one\ntwo');
		expect(written().slice(before)).toContain('one');
	});

	test('other sequences pass as they are', () => {
		const {stream, written} = terminalOf(2);
		const painter = new FramePainter(stream);
		painter.write('\u001b[?25l');
		painter.write('\u001b[?1049h');
		expect(written()).toBe('\u001b[?25l\u001b[?1049h');
	});
});
