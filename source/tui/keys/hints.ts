// The footer's hints and the help's columns, from the table of keys.
import {panesOf} from '../../store/layout.ts';
import {currentTransfer} from '../../store/selectors.ts';
import type {UiState} from '../../store/state.ts';
import type {Glyphs} from '../draw/glyphs.ts';
import type {CommandId} from './commands.ts';
import {activeContexts, bindingsOf} from './dispatch.ts';
import type {Binding, Context} from './table.ts';

/** A key as it is written, and what it does; a click on it runs the command. */
export type Hint = {key: string; label: string; command?: CommandId};

const names: Record<string, string> = {
	escape: 'esc',
	pageup: 'pgup',
	pagedown: 'pgdn',
	backspace: '⌫',
	'shift+tab': 'S-tab',
	left: '←',
	right: '→',
	up: '↑',
	down: '↓',
	enter: '⏎',
};

/** How a binding's keys are written on this terminal. */
export function keySign(binding: Binding, glyphs: Glyphs, panes = 5): string {
	const sign = binding.sign ?? binding.keys.map(key => names[key] ?? key).join(' ');
	const numbered = sign.replace('1-5', `1-${panes}`);
	if (!glyphs.ascii) return numbered;
	return numbered
		.replace('⏎', glyphs.enter)
		.replace('↑↓', glyphs.upDown)
		.replace('←→', glyphs.leftRight)
		.replace('⌫', 'Bksp')
		.replace('←', 'Left')
		.replace('→', 'Right')
		.replace('↑', 'Up')
		.replace('↓', 'Down');
}

/** The hints for what is focused now, most useful first. `?` is apart: it stands at the right. */
export function footerHints(state: UiState, glyphs: Glyphs): {hints: Hint[]; help?: Hint} {
	const panes = panesOf(state).length;
	const hints: Hint[] = [];
	let help: Hint | undefined;
	for (const context of activeContexts(state)) {
		for (const binding of bindingsOf(context)) {
			if (binding.hint === undefined || (binding.command === 'form.found' && !state.form?.found.length)) continue;
			const isPaused = binding.command === 'transfer.pause' && currentTransfer(state)?.state === 'paused';
			const label = isPaused ? 'resume' : binding.hint;
			const hint = {key: keySign(binding, glyphs, panes), label, command: binding.command};
			if (binding.command === 'help.open') help = hint;
			else if (!hints.some(known => known.key === hint.key)) hints.push(hint);
		}
	}
	return {hints, ...(help && {help})};
}

/** A titled part of the help. */
export type HelpGroup = {title: string; hints: Hint[]};

const groups: readonly {title: string; contexts: readonly Context[]; screen: 'both' | 'peer' | 'server'}[] = [
	{title: 'GLOBAL', contexts: ['global', 'base'], screen: 'both'},
	{title: 'MOVE', contexts: ['list'], screen: 'both'},
	{title: 'SEARCH', contexts: ['search'], screen: 'peer'},
	{title: 'TRANSFERS', contexts: ['transfers'], screen: 'peer'},
	{title: 'PEERS', contexts: ['peers', 'browse'], screen: 'peer'},
	{title: 'LOG', contexts: ['log', 'tail'], screen: 'peer'},
	{title: 'SHARES', contexts: ['shares'], screen: 'peer'},
	{title: 'REQUESTS', contexts: ['requests', 'tail'], screen: 'server'},
	{title: 'PEERS', contexts: ['members', 'server'], screen: 'server'},
];

/** What the mouse does; Shift leaves it to the terminal, which selects text. */
const mouseHelp: HelpGroup = {
	title: 'MOUSE',
	hints: [
		{key: 'click', label: 'focus, choose'},
		{key: 'click again', label: 'open'},
		{key: 'wheel', label: 'scroll what is under it'},
		{key: 'shift drag', label: 'select text'},
	],
};

/** The help of the screen that is shown. Bindings with one sign are one line. */
export function helpGroups(state: UiState, glyphs: Glyphs): HelpGroup[] {
	const screen = state.screen === 'server' ? 'server' : 'peer';
	const panes = panesOf(state).length;
	const mouse: HelpGroup[] = state.settings.mouse ? [mouseHelp] : [];
	const keys = groups
		.filter(group => group.screen === 'both' || group.screen === screen)
		.map(({title, contexts}) => {
			const hints: Hint[] = [];
			for (const binding of contexts.flatMap(context => bindingsOf(context))) {
				const key = keySign(binding, glyphs, panes);
				if (!hints.some(known => known.key === key)) hints.push({key, label: binding.label});
			}
			return {title, hints};
		});
	return [...keys, ...mouse];
}
