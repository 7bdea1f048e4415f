// From a key to its binding, by what is focused.
import {panesOf} from '../../store/layout.ts';
import type {PaneId, UiState} from '../../store/state.ts';
import type {KeyReceiver} from '../terminal/key-stream.ts';
import {type Binding, bindings, type Context} from './table.ts';

const paneContexts: Record<PaneId, readonly Context[]> = {
	search: ['search', 'list'],
	transfers: ['transfers', 'list'],
	peers: ['peers', 'list'],
	shares: ['shares', 'list'],
	log: ['log', 'tail', 'list'],
	requests: ['requests', 'server', 'tail', 'list'],
	members: ['members', 'server', 'list'],
	rates: ['server'],
};

/** The contexts whose keys hold now, the nearest first. */
export function activeContexts(state: UiState): readonly Context[] {
	const {overlay, textMode, pane} = state.focus;
	if (overlay?.kind === 'settings' && textMode) return ['settingsText', 'field', 'base'];
	if (overlay) return textMode ? [overlay.kind, 'field', 'base'] : [overlay.kind, 'base'];
	if (state.screen === 'menu') return ['menu', 'base'];
	if (state.screen === 'form') return state.form?.busy ? ['base'] : ['form', 'field', 'base'];
	if (state.screen === 'starting' || state.screen === 'stopping') return ['starting', 'base'];
	if (textMode) return ['text', 'field', 'base'];
	const contexts = pane === 'peers' && state.browse ? (['browse', 'list'] as const) : paneContexts[pane];
	return [...contexts, 'global', 'base'];
}

const byContext = Map.groupBy(bindings, binding => binding.where);

/** The bindings of a context, in the table's order. */
export function bindingsOf(context: Context): readonly Binding[] {
	return byContext.get(context) ?? [];
}

/** The binding that a key has now. */
export function resolveKey(state: UiState, chord: string): Binding | undefined {
	for (const context of activeContexts(state)) {
		const found = bindingsOf(context).find(binding => binding.keys.includes(chord));
		if (found) return found;
	}
	return undefined;
}

/** Who besides the app takes keys now. */
export function keyReceiver(state: UiState): KeyReceiver {
	if (state.focus.textMode) return 'text';
	return state.screen === 'menu' ? 'select' : 'app';
}

/** Which other pane a key would do something in, to say so when it does nothing here. */
export function paneForKey(
	state: UiState,
	chord: string,
): {binding: Binding; pane: PaneId; number: number} | undefined {
	if (activeContexts(state).at(-2) !== 'global') return undefined;
	for (const [index, pane] of panesOf(state).entries()) {
		for (const context of paneContexts[pane]) {
			if (context === 'list' || context === 'tail' || context === 'server') continue;
			const binding = bindingsOf(context).find(candidate => candidate.keys.includes(chord));
			if (binding) return {binding, pane, number: index + 1};
		}
	}
	return undefined;
}
