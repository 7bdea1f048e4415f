// Draws one state of the screens as text, without a terminal.
import {renderToString} from 'ink';
import {createElement} from 'react';
import stringWidth from 'string-width';
import type {PeerSnapshot, ServerSnapshot} from '../../source/engine/messages.ts';
import type {Action} from '../../source/store/actions.ts';
import {SettingsController} from '../../source/store/settings-controller.ts';
import {createUiStore, type UiStore} from '../../source/store/ui-store.ts';
import {App} from '../../source/tui/app.tsx';
import type {CellRow} from '../../source/tui/terminal/cell-row.ts';
import {composeRow, piecesOf} from '../../source/tui/terminal/compose.ts';
import {columnsBeside} from '../../source/tui/terminal/frame-painter.ts';
import {Sheet} from '../../source/tui/terminal/sheet.ts';
import {createTheme, type Look} from '../../source/tui/theme.ts';

const nothing = () => {};

/** A store that shows an engine's snapshot at a size. */
export function storeWith(columns: number, rows: number, snapshot?: PeerSnapshot | ServerSnapshot): UiStore {
	const store = createUiStore({columns, rows});
	if (snapshot) {
		store.dispatch({type: 'snapshot', snapshot});
		store.dispatch({type: 'screen', screen: snapshot.mode});
	}
	return store;
}

/** The rows of the screen, with their escape codes, as Ink draws them by itself. */
export function drawn(store: UiStore, look: Look = {}): string[] {
	return render(store, look, store.get().size.columns);
}

/** The rows of the screen as cells, as they are drawn in a terminal: by way of a sheet. */
export function drawnBySheet(store: UiStore, look: Look = {}): CellRow[] {
	// Ink takes everything down again before its text is there.
	const sheet = Object.assign(new Sheet(), {close() {}});
	const {columns} = store.get().size;
	const lines = render(store, look, columns + columnsBeside, sheet);
	return piecesOf(lines, sheet).map(pieces => composeRow(pieces, columns));
}

function render(store: UiStore, look: Look, columns: number, sheet?: Sheet): string[] {
	const theme = createTheme({theme: 'dark', ascii: false, noColor: true, letters: 'all', ...look});
	const app = {quit: nothing, suspend: nothing, repaint: nothing, copy: nothing, show: nothing, submitForm: nothing};
	const settings = new SettingsController(store, async () => {});
	const ui = {theme, context: {store, app, settings}, onMenu: nothing, ...(sheet && {sheet})};
	return renderToString(createElement(App, {ui}), {columns}).split('\n');
}

/** The rows without escape codes. */
export function drawnText(store: UiStore, look: Look = {}): string[] {
	return drawn(store, look).map(line => line.replace(/\u001b\[[\d;]*m/g, ''));
}

/** Widths of all rows. */
export const widths = (lines: readonly string[]) => lines.map(line => stringWidth(line));

/** Does several actions. */
export function dispatchAll(store: UiStore, actions: readonly Action[]): void {
	for (const action of actions) store.dispatch(action);
}
