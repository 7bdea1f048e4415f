// The sheet that takes painted rows past Ink: what it draws is what Ink would have drawn.
import {Writable} from 'node:stream';
import {Box, render} from 'ink';
import {describe, expect, test, vi} from 'vitest';
import {SettingsController} from '../../source/store/settings-controller.ts';
import {createUiStore} from '../../source/store/ui-store.ts';
import {Rows} from '../../source/tui/components/row.tsx';
import {UiContext, usePicked} from '../../source/tui/components/ui-context.ts';
import {type Cells, parseRow} from '../../source/tui/terminal/cell-row.ts';
import {composeRow, piecesOf} from '../../source/tui/terminal/compose.ts';
import {FramePainter} from '../../source/tui/terminal/frame-painter.ts';
import {Sheet} from '../../source/tui/terminal/sheet.ts';
import type {ScreenStream} from '../../source/tui/terminal/terminal-modes.ts';
import {createTheme} from '../../source/tui/theme.ts';
import {fixedTime} from '../helpers/tui-fixture-data.ts';
import {drawn, drawnBySheet} from '../helpers/tui-render.ts';
import {screens} from '../helpers/tui-screens.ts';

const theme = createTheme({theme: 'dark', ascii: false, noColor: false, letters: 'all'});
const shown = ({text, style}: Cells) => `${text.join('')} in styles ${Array.from(style).join(' ')}`;

describe.each([
	[40, 12],
	[60, 22],
	[80, 24],
	[120, 36],
	[201, 60],
])('%ix%i', (columns, rows) => {
	test.each(Object.keys(screens))('%s is drawn as Ink draws it', name => {
		vi.useFakeTimers({now: fixedTime, toFake: ['Date']});
		try {
			const store = screens[name]!(columns, rows);
			const plain = drawn(store, {noColor: false}).map(line => shown(parseRow(line, columns)));
			expect(drawnBySheet(store, {noColor: false}).map(shown)).toEqual(plain);
		} finally {
			vi.useRealTimers();
		}
	});
});

describe('composing', () => {
	const compose = (lines: string[], columns: number, sheet: Sheet) =>
		piecesOf(lines, sheet).map(pieces => composeRow(pieces, columns).text.join(''));
	const signOf = (sheet: Sheet, rows: string[], left?: number) => sheet.sign(sheet.open(), rows, left);

	test('what lies above covers the rest, of a wide character as a whole, and what it covers goes on beside it', () => {
		const sheet = new Sheet();
		const [left, right] = [signOf(sheet, ['日本語日本語', 'second']), signOf(sheet, ['abcdefgh', 'ijklmnop'])];
		const lines = [left + ' '.repeat(11) + right, ' '.repeat(20) + signOf(sheet, ['[dialog]'], 5)];
		expect(compose(lines, 20, sheet)).toEqual(['日本語日本語abcdefgh', 'secon[dialog]jklmnop']);
		expect(compose([lines[0] + signOf(sheet, ['[dialog]'], 5)], 20, sheet)).toEqual(['日本 [dialog]bcdefgh']);
	});

	test('what is too wide is cut, what is too high as well', () => {
		const sheet = new Sheet();
		expect(compose([`    ${signOf(sheet, ['12345日', 'below'])}`], 10, sheet)).toEqual(['    12345 ']);
	});

	test('a line that Ink draws by itself stays as it is', () => {
		expect(compose(['an error', ''], 10, new Sheet())).toEqual(['an error  ', ' '.repeat(10)]);
	});

	test('the sign of what is gone draws nothing, and is used again as another', () => {
		const sheet = new Sheet();
		const place = sheet.open();
		const sign = sheet.sign(place, ['one'], undefined);
		expect(compose([sign], 4, sheet)).toEqual(['one ']);
		sheet.close(place);
		expect(compose([sign], 4, sheet)).toEqual(['    ']);
		expect(sheet.open()).toBe(place);
		expect(sheet.sign(place, ['two'], undefined)).not.toBe(sign);
	});
});

test('however often a row changes before it is drawn, the last of it is drawn', async () => {
	let written = '';
	const stream = Object.assign(
		new Writable({
			write(chunk, _encoding, done) {
				written += String(chunk);
				done();
			},
		}),
		{isTTY: true, columns: 40, rows: 5},
	) as unknown as ScreenStream;
	const sheet = new Sheet();
	const store = createUiStore({columns: 40, rows: 5});
	const nothing = () => {};
	const app = {quit: nothing, suspend: nothing, repaint: nothing, copy: nothing, show: nothing, submitForm: nothing};
	const context = {store, app, settings: new SettingsController(store, async () => {})};
	const instance = render(
		<UiContext value={{theme, context, sheet, onMenu: nothing}}>
			<Box width={40} height={5}>
				<Counter />
			</Box>
		</UiContext>,
		{stdout: new FramePainter(stream, sheet) as unknown as NodeJS.WriteStream, patchConsole: false, interactive: true},
	);
	for (const changes of [1, 2, 3, 4, 8, 16, 31]) {
		for (let change = 1; change <= changes; change++)
			store.dispatch({type: 'resize', size: {columns: 100 * changes + change, rows: 5}});
		const last = String(100 * changes + changes);
		await vi.waitFor(() => expect(screenOf(written)).toContain(`turn ${last}.`), 60_000);
	}
	instance.unmount();
});

function Counter() {
	const [{columns}] = usePicked(state => [state.size]);
	return <Rows y={1} rows={[`turn ${columns}.`]} />;
}

/** Row 2 of what was written: the painter writes cells, each run after where it begins. */
function screenOf(written: string): string {
	const row: string[] = [];
	for (const [, column = '1', text = ''] of written.matchAll(/\u001b\[2(?:;(\d+))?H([^\u001b]*)/g)) {
		for (const [at, character] of [...text].entries()) row[Number(column) - 1 + at] = character;
	}
	return row.join('');
}
