// Clicks and the wheel: focus what is clicked, choose the row, open the chosen one, scroll what lies under the pointer.
import {targetAt} from '../../store/pointer.ts';
import type {KeyEvent} from '../terminal/parse-keys.ts';
import {type CommandContext, runCommand} from './commands.ts';
import {resolveKey} from './dispatch.ts';

/** Rows that one notch of the wheel moves. */
const wheelRows = 3;
/** Buttons as xterm's SGR mode numbers them: modifiers are further bits, a drag is bit 5. */
const buttons = {left: 0, wheelUp: 64, wheelDown: 65} as const;
const modifierBits = 4 | 8 | 16;

/** Does what a click or a turn of the wheel means now. */
export function handleMouse(event: Extract<KeyEvent, {kind: 'mouse'}>, context: CommandContext): void {
	const {store} = context;
	const state = store.get();
	const button = event.button & ~modifierBits;
	if (!event.pressed || !state.settings.mouse) return;
	if (button === buttons.wheelUp || button === buttons.wheelDown) {
		const isUp = button === buttons.wheelUp;
		// What lies over the panes is scrolled by its own keys.
		if (state.focus.overlay || (state.screen !== 'peer' && state.screen !== 'server')) {
			const binding = resolveKey(state, isUp ? 'up' : 'down');
			if (binding) runCommand(binding.command, context);
			return;
		}
		const target = targetAt(state, event.x, event.y);
		if (!target || target.kind === 'tab') return;
		store.dispatch({type: 'wheel', pane: target.pane, step: isUp ? 'up' : 'down', times: wheelRows});
		return;
	}
	if (button !== buttons.left) return;
	const {overlay} = state.focus;
	if (context.areas?.click(event.x, event.y, overlay !== undefined)) return;
	if (overlay) {
		// Beside what lies over the panes: it goes away, as with Esc.
		runCommand('overlay.close', context);
		return;
	}
	if (state.screen !== 'peer' && state.screen !== 'server') return;
	const target = targetAt(state, event.x, event.y);
	if (!target) return;
	if (target.kind === 'query') {
		runCommand('search.edit', context);
		return;
	}
	const wasFocused = state.focus.pane === target.pane;
	if (!wasFocused || state.focus.textMode) store.dispatch({type: 'pane', pane: target.pane});
	if (target.kind !== 'row') return;
	// A click on the row that is chosen already opens it, as Enter does.
	if (wasFocused && state.lists[target.list].index === target.row) {
		const binding = resolveKey(store.get(), 'enter');
		if (binding) runCommand(binding.command, context);
		return;
	}
	store.dispatch({type: 'cursor', list: target.list, index: target.row});
}
