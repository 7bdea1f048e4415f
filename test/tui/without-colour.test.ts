// Nothing is told by colour alone: without it the screens use none, and what differs still reads differently.
import {describe, expect, test} from 'vitest';
import type {LogLine, TransferRow} from '../../source/engine/messages.ts';
import type {Action} from '../../source/store/actions.ts';
import type {UiStore} from '../../source/store/ui-store.ts';
import {glyphsFor} from '../../source/tui/draw/glyphs.ts';
import {pieceStrip, sourceSign} from '../../source/tui/draw/piece-map.ts';
import {transferSign} from '../../source/tui/panes/transfers-pane.tsx';
import {createTheme} from '../../source/tui/theme.ts';
import {logLine, transferRows} from '../helpers/tui-fixture-data.ts';
import {fixturePeer} from '../helpers/tui-fixture-engine.ts';
import {dispatchAll, drawn, drawnText, storeWith} from '../helpers/tui-render.ts';
import {screens} from '../helpers/tui-screens.ts';

const looks = {
	'without colour': {noColor: true},
	'in ASCII without colour': {noColor: true, ascii: true, letters: 'ascii'},
} as const;

describe.each(Object.entries(looks))('%s', (_, look) => {
	test.each(Object.keys(screens))('%s uses no colour', name => {
		for (const [columns, rows] of [
			[40, 12],
			[120, 36],
		] as const) {
			const codes = [
				...drawn(screens[name]!(columns, rows), look)
					.join('\n')
					.matchAll(/\u001b\[([\d;]*)m/g),
			];
			const used = new Set(codes.flatMap(([, code]) => (code ?? '').split(';')));
			// Bold, faint, underlined, inverse, and their ends.
			for (const code of used) expect(['1', '2', '4', '7', '22', '24', '27', '39', '0', '']).toContain(code);
		}
	});

	const text = (store: UiStore) => drawnText(store, look).join('\n');
	const peerWith = (edit: (rows: TransferRow[]) => void, ...actions: Action[]) => {
		const engine = fixturePeer();
		engine.change(edit);
		const store = storeWith(120, 36, engine.snapshot());
		dispatchAll(store, actions);
		return store;
	};

	test('each state of a transfer has a sign and a word of its own', () => {
		const [row] = transferRows(1, []) as [TransferRow];
		const glyphs = glyphsFor('ascii' in look);
		const states = ['running', 'verifying', 'paused', 'done', 'failed', 'queued'] as const;
		const signs = states.map(state => transferSign({...row, state}, glyphs).sign);
		expect(new Set(signs).size).toBe(states.length);
		expect(transferSign({...row, direction: 'up'}, glyphs).sign).not.toBe(transferSign(row, glyphs).sign);
		const shown = [...states, 'waiting' as const].map(state =>
			text(peerWith(rows => Object.assign(rows[0] as TransferRow, {state}))),
		);
		expect(new Set(shown).size).toBe(shown.length);
	});

	test('levels of the log have signs', () => {
		const line = (level: LogLine['level']) => {
			const snapshot = {
				...fixturePeer().snapshot(),
				log: [{...logLine(1), kind: 'other' as const, level, text: 'same words'}],
			};
			return text(storeWith(120, 36, snapshot))
				.split('\n')
				.find(row => row.includes('same words'));
		};
		const shown = ['info', 'warn', 'error'].map(level => line(level as LogLine['level']));
		expect(new Set(shown).size).toBe(3);
	});

	test('online and offline, marked and unmarked, focused and not', () => {
		const peers = text(storeWith(120, 36, fixturePeer().snapshot()));
		const rows = peers.split('\n');
		const sign = (name: string) => rows.find(row => row.includes(name))?.match(/[│|#] (\S) +\d/)?.[1];
		expect(sign('studio')).not.toBe(sign('alice'));
		const search: Action[] = [{type: 'pane', pane: 'search'}];
		const before = screens.results!(120, 36);
		const marked = screens.results!(120, 36);
		dispatchAll(marked, [...search, {type: 'search/mark'}]);
		expect(text(marked)).not.toBe(text(before));
		const moved = screens.results!(120, 36);
		dispatchAll(moved, [{type: 'pane', pane: 'transfers'}]);
		expect(text(moved)).not.toBe(text(before));
	});

	test('the map of pieces tells sources, what is missing and what was there before apart', () => {
		const theme = createTheme({theme: 'dark', ascii: false, letters: 'all', ...look});
		const strip = pieceStrip(theme, Uint8Array.from([0, 1, 2, 3, 255]), 5, 1)
			.join('')
			.replace(/\u001b\[[\d;]*m/g, '');
		expect(new Set(strip).size).toBe(5);
		expect(new Set([1, 2, 3, 255].map(source => sourceSign(theme, source).sign)).size).toBe(4);
	});
});
