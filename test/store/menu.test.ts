import {describe, expect, test} from 'vitest';
import {launchRequest, openForm, withFound, withNextFound, withValue} from '../../source/store/form.ts';
import {foundRoom, menuEntries} from '../../source/store/menu.ts';
import {reducer} from '../../source/store/reducer.ts';
import {initialState} from '../../source/store/state.ts';

const defaults = {serverPort: 45_000, peerPort: 25_000};
const open = {address: '10.0.0.5:45001', name: 'classroom', private: false};
const closed = {address: '10.0.0.8:45000', name: 'home lab', private: true};

describe('start menu', () => {
	test('lists the servers that were found between what is always there', () => {
		const labels = menuEntries([open, closed], 5).map(({label, about}) => `${label}|${about}`);
		expect(labels).toEqual([
			'Run server|index of peers and files',
			'Run peer|search, share, transfer',
			'Join classroom|10.0.0.5:45001',
			'Join home lab|10.0.0.8:45000, by invite',
			'Try the demo|a server and peers on this machine',
			'Quit|',
		]);
	});

	test('as many as there is room for', () => {
		const many = Array.from({length: 40}, (_, at) => ({...open, address: `10.0.0.${at}:45000`}));
		for (const rows of [8, 12, 24, 60]) expect(menuEntries(many, foundRoom(rows)).length).toBeLessThanOrEqual(rows - 2);
		expect(menuEntries(many, -3)).toHaveLength(4);
	});

	test('the cursor stays with its entry while servers come and go', () => {
		let state = reducer(initialState({columns: 80, rows: 24}), {type: 'menu', key: 'demo'});
		state = reducer(state, {type: 'found', servers: [open]});
		expect(state.menu).toBe('demo');
		state = reducer(state, {type: 'menu', key: `join ${open.address}`});
		state = reducer(state, {type: 'found', servers: [closed, open]});
		expect(state.menu).toBe(`join ${open.address}`);
		state = reducer(state, {type: 'found', servers: [closed]});
		expect(state.menu).toBe('peer');
	});
});

describe('prompt', () => {
	test('an empty field means the first open server that was found', () => {
		const form = withFound(openForm('peer', defaults), [closed, open]);
		expect(launchRequest(form)).toEqual({mode: 'peer', server: '10.0.0.5:45001'});
		expect(launchRequest(withFound(form, []))).toEqual({mode: 'peer', server: '127.0.0.1:45000'});
	});

	test('what was said before stays', () => {
		const form = withFound(openForm('peer', {...defaults, server: '10.9.9.9'}), [open]);
		expect(launchRequest(form)).toEqual({mode: 'peer', server: '10.9.9.9:45000'});
	});

	test('^n takes one after the other, over what was typed', () => {
		let form = withValue(withFound(openForm('peer', defaults), [open, closed]), 'somewh');
		const taken = [1, 2, 3].map(() => {
			form = withNextFound(form);
			return form.fields[0]?.value;
		});
		expect(taken).toEqual([open.address, closed.address, open.address]);
		expect(withNextFound(form, 1).fields[0]?.value).toBe(closed.address);
		const none = openForm('server', defaults);
		expect(withNextFound(none)).toBe(none);
	});
});
