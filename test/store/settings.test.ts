import {describe, expect, test} from 'vitest';
import {P2pError} from '../../source/core/errors.ts';
import {
	defaultSettings,
	parseSetting,
	settingEntries,
	settingText,
	steppedSetting,
} from '../../source/store/settings.ts';
import {SettingsController} from '../../source/store/settings-controller.ts';
import {fixturePeer} from '../helpers/tui-fixture-engine.ts';
import {storeWith} from '../helpers/tui-render.ts';

const entryOf = (id: string) => {
	const entry = settingEntries.find(candidate => candidate.id === id);
	if (!entry) throw new Error(`no setting ${id}`);
	return entry;
};

describe('values', () => {
	test('limits step through round numbers to none and back', () => {
		const down = entryOf('limitDown');
		const at = (limitDown: number | null) => ({...defaultSettings, limitDown});
		expect(steppedSetting(at(null), down, 1)).toBeUndefined();
		expect(steppedSetting(at(null), down, -1)).toBe(500e6);
		expect(steppedSetting(at(500e6), down, 1)).toBeNull();
		expect(steppedSetting(at(3e6), down, 1)).toBe(5e6);
		expect(steppedSetting(at(3e6), down, -1)).toBe(2e6);
		expect(steppedSetting(at(100e3), down, -1)).toBeUndefined();
	});

	test('counts stay in their range', () => {
		expect(steppedSetting({...defaultSettings, slots: 1}, entryOf('slots'), -1)).toBeUndefined();
		expect(steppedSetting({...defaultSettings, running: 100}, entryOf('running'), 1)).toBeUndefined();
	});

	test.each([
		['limitDown', '5M', 5e6],
		['limitUp', ' 1.5MB/s ', 1.5e6],
		['limitUp', 'none', null],
		['limitDown', '', null],
		['slots', '12', 12],
		['name', ' Zoë ', 'Zoë'],
	])('%s takes %j', (id, typed, value) => {
		expect(parseSetting(entryOf(id), typed)).toBe(value);
	});

	test.each([
		['limitDown', 'fast'],
		['limitDown', '12'],
		['slots', '0'],
		['slots', '1e3'],
		['running', '101'],
		['name', ''],
		['name', 'a\u202eb'],
		['mouse', 'on'],
	])('%s refuses %j', (id, typed) => {
		expect(() => parseSetting(entryOf(id), typed)).toThrow(P2pError);
	});

	test('every value can be read', () => {
		const texts = settingEntries.map(entry => settingText({...defaultSettings, limitDown: 5e6, name: 'me'}, entry));
		expect(texts).toEqual(['auto', '5M/s', 'none', '8', '4', 'me', 'on', 'on', 'on', 'on']);
	});
});

describe('changing', () => {
	const open = (save: (changes: object) => Promise<void>) => {
		const engine = fixturePeer();
		const store = storeWith(80, 24, engine.snapshot());
		const controller = new SettingsController(store, save);
		controller.peer = engine;
		store.dispatch({type: 'overlay', overlay: {kind: 'settings', index: 0, value: ''}});
		return {engine, store, controller};
	};

	test('a typed limit goes to the engine and is kept', async () => {
		const saved: object[] = [];
		const {engine, store, controller} = open(async changes => void saved.push(changes));
		store.dispatch({type: 'settings/move', by: 1});
		controller.enter();
		expect(store.get().focus.textMode).toBe('settings');
		store.dispatch({type: 'settings/value', value: '2M'});
		await controller.commit();
		expect(store.get().settings.limitDown).toBe(2e6);
		expect(store.get().focus.textMode).toBeUndefined();
		expect(engine.calls).toContainEqual(['setLimits', {down: 2e6}]);
		expect(saved).toEqual([{limitDown: 2e6}]);
	});

	test('a wrong value is told in place and changes nothing', async () => {
		const {store, controller} = open(async () => {});
		store.dispatch({type: 'settings/move', by: 1});
		controller.enter();
		store.dispatch({type: 'settings/value', value: 'fast'});
		await controller.commit();
		expect(store.get().focus.overlay).toMatchObject({kind: 'settings', error: expect.stringContaining('Not a limit')});
		expect(store.get().settings.limitDown).toBeNull();
	});

	test('what cannot be kept is as it was', async () => {
		const {store, controller} = open(async () => {
			throw new P2pError('not-writable', 'The disk is read-only');
		});
		controller.step(1);
		expect(store.get().settings.theme).toBe('dark');
		await expect.poll(() => store.get().settings.theme).toBe('auto');
		expect(store.get().focus.overlay).toMatchObject({error: 'The disk is read-only'});
	});
});
