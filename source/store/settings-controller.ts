import {errorLine} from '../core/errors.ts';
import type {LimitsRequest, PeerEngine} from '../engine/messages.ts';
import {currentSetting} from './reduce-settings.ts';
import {parseSetting, type SettingEntry, type Settings, steppedSetting} from './settings.ts';
import type {UiStore} from './ui-store.ts';

/** Writes changed settings down for the next start. Rejects with a P2pError. */
export type SaveSettings = (changes: Partial<Settings>) => Promise<void>;

/** What each setting is called among the engine's limits. */
const limitNames = {limitDown: 'down', limitUp: 'up', slots: 'slots', running: 'running'} as const;

/** Changing settings: they take effect at once where they can, and are there at the next start. */
export class SettingsController {
	readonly #store: UiStore;
	readonly #save: SaveSettings;
	/** The engine whose limits are changed, once it runs. */
	peer?: PeerEngine;

	constructor(store: UiStore, save: SaveSettings) {
		this.#store = store;
		this.#save = save;
	}

	/** The next value of the chosen setting. */
	step(by: 1 | -1): void {
		const entry = currentSetting(this.#store.get());
		if (!entry) return;
		const value = steppedSetting(this.#store.get().settings, entry, by);
		if (value !== undefined) void this.#change(entry, value);
		else if (entry.kind === 'text') this.#store.dispatch({type: 'settings/type'});
	}

	/** Enter: what is typed is typed, what is switched is switched. */
	enter(): void {
		const entry = currentSetting(this.#store.get());
		if (entry?.kind === 'switch' || entry?.kind === 'choice') this.step(1);
		else if (entry) this.#store.dispatch({type: 'settings/type'});
	}

	/** Takes what was typed. */
	async commit(): Promise<void> {
		const {overlay} = this.#store.get().focus;
		const entry = currentSetting(this.#store.get());
		if (overlay?.kind !== 'settings' || !entry) return;
		try {
			const value = parseSetting(entry, overlay.value);
			this.#store.dispatch({type: 'text', mode: undefined});
			await this.#change(entry, value);
		} catch (error) {
			this.#store.dispatch({type: 'settings/failed', message: errorLine(error)});
		}
	}

	async #change(entry: SettingEntry, value: Settings[keyof Settings]): Promise<void> {
		const before = this.#store.get().settings[entry.id];
		this.#store.dispatch({type: 'settings/changed', entry, value});
		try {
			if (entry.id in limitNames) {
				const name = limitNames[entry.id as keyof typeof limitNames];
				await this.peer?.commands.setLimits({[name]: value} as LimitsRequest);
			}
			await this.#save({[entry.id]: value});
		} catch (error) {
			this.#store.dispatch({type: 'settings/changed', entry, value: before});
			this.#store.dispatch({type: 'settings/failed', message: errorLine(error)});
		}
	}
}
