// The settings screen: choosing a line, typing a value, and what changed.
import type {Action} from './actions.ts';
import {entriesFor, type SettingEntry, settingText} from './settings.ts';
import type {UiState} from './state.ts';

/** The setting under the cursor of the open settings screen. */
export function currentSetting(state: UiState): SettingEntry | undefined {
	const {overlay} = state.focus;
	if (overlay?.kind !== 'settings') return undefined;
	return entriesFor(state.screen === 'server' ? 'server' : 'peer')[overlay.index];
}

/** Handles `settings/…`; undefined for what is not theirs. */
export function reduceSettings(state: UiState, action: Action): UiState | undefined {
	const {overlay} = state.focus;
	switch (action.type) {
		case 'settings/loaded':
			return {...state, settings: {...state.settings, ...action.settings}};
		case 'settings/changed': {
			const settings = {...state.settings, [action.entry.id]: action.value};
			const pendingSettings = action.entry.nextStart
				? [...new Set([...state.pendingSettings, action.entry.id])]
				: state.pendingSettings;
			return {...state, settings, pendingSettings};
		}
		case 'settings/move': {
			if (overlay?.kind !== 'settings') return state;
			const count = entriesFor(state.screen === 'server' ? 'server' : 'peer').length;
			const index = (overlay.index + action.by + count) % count;
			return {...state, focus: {pane: state.focus.pane, overlay: {kind: 'settings', index, value: ''}}};
		}
		case 'settings/type': {
			const entry = currentSetting(state);
			if (overlay?.kind !== 'settings' || !entry) return state;
			const value = settingText(state.settings, entry).replace(/\/s$/, '');
			return {...state, focus: {pane: state.focus.pane, textMode: 'settings', overlay: {...overlay, value}}};
		}
		case 'settings/value':
			if (overlay?.kind !== 'settings') return state;
			return {...state, focus: {...state.focus, overlay: {...overlay, value: action.value, error: undefined}}};
		case 'settings/failed':
			if (overlay?.kind !== 'settings') return state;
			return {...state, focus: {...state.focus, overlay: {...overlay, error: action.message}}};
		default:
			return undefined;
	}
}
