// One key, from the terminal to what it does.

import {paneTitles} from '../../store/tabs.ts';
import {glyphsFor} from '../draw/glyphs.ts';
import {type KeyEvent, pasteText} from '../terminal/parse-keys.ts';
import {type CommandContext, runCommand, setFieldText} from './commands.ts';
import {paneForKey, resolveKey} from './dispatch.ts';
import {handleMouse} from './handle-mouse.ts';
import {keySign} from './hints.ts';

/** Does what the key is bound to now; says so when it is only bound elsewhere. */
export function handleKey(event: KeyEvent, context: CommandContext): void {
	const {store} = context;
	if (event.kind === 'mouse') {
		handleMouse(event, context);
		return;
	}
	const state = store.get();
	if (event.kind === 'paste') {
		// A field takes a paste itself; elsewhere it can only be meant as a search.
		if (state.focus.textMode || state.focus.overlay || state.screen !== 'peer') return;
		runCommand('search.edit', context);
		setFieldText(context, pasteText(event.text));
		return;
	}
	const binding = resolveKey(state, event.chord);
	if (binding) {
		runCommand(binding.command, context);
		return;
	}
	if (state.focus.textMode) return;
	const other = paneForKey(state, event.chord);
	if (!other || other.pane === state.focus.pane) return;
	const key = keySign({...other.binding, keys: [event.chord]}, glyphsFor(false));
	store.dispatch({
		type: 'toast',
		kind: 'info',
		text: `${key} is "${other.binding.label}" in ${paneTitles[other.pane]}: press ${other.number} first`,
	});
}
