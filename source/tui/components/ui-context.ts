// How components reach the state, the theme and what keys can do.
import type {SuspendTerminal} from 'ink';
import {createContext, use, useRef, useSyncExternalStore} from 'react';
import type {MenuChoice} from '../../store/menu.ts';
import type {UiState} from '../../store/state.ts';
import type {CommandContext} from '../keys/commands.ts';
import type {KeyStream} from '../terminal/key-stream.ts';
import type {Sheet} from '../terminal/sheet.ts';
import type {Look, Theme} from '../theme.ts';

/** Everything that all screens share. Only the theme changes during a run. */
export type Ui = {
	theme: Theme;
	/** How it looks for a theme that was chosen in the settings; the first theme stays where this is absent. */
	lookFor?(theme: 'auto' | 'dark' | 'light'): Required<Look>;
	/** Takes painted rows past Ink; without one Ink draws them itself, slower. */
	sheet?: Sheet;
	/** What commands work on; the state among it. `peer` is there once a peer runs. */
	context: CommandContext;
	/** Absent where keys come from Ink alone, as in tests of single components. */
	keys?: Pick<KeyStream, 'current'>;
	/** Called once Ink runs, with its way to hand the terminal over. */
	onReady?(suspendTerminal: SuspendTerminal): void;
	/** Called when an entry of the start menu was chosen. */
	onMenu(choice: MenuChoice): void;
};

export const UiContext = createContext<Ui | undefined>(undefined);

/** The shared things. */
export function useUi(): Ui {
	const ui = use(UiContext);
	if (!ui) throw new Error('A screen is drawn outside of its context');
	return ui;
}

const same = (a: readonly unknown[], b: readonly unknown[]) =>
	a.length === b.length && a.every((value, index) => Object.is(value, b[index]));

/** Values picked from the state; the component is drawn again only when one of them is another. */
export function usePicked<T extends readonly unknown[]>(pick: (state: UiState) => T): T {
	const {store} = useUi().context;
	const last = useRef<T>(undefined);
	return useSyncExternalStore(store.subscribe, () => {
		const next = pick(store.get());
		if (!last.current || !same(last.current, next)) last.current = next;
		return last.current;
	});
}
