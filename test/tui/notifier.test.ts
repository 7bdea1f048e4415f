import {PassThrough} from 'node:stream';
import {describe, expect, test} from 'vitest';
import type {UiState} from '../../source/store/state.ts';
import {Notifier, notification, notifyStyle, windowTitle} from '../../source/tui/terminal/notifier.ts';
import {fixturePeer} from '../helpers/tui-fixture-engine.ts';
import {storeWith} from '../helpers/tui-render.ts';

function open(env: NodeJS.ProcessEnv = {TERM: 'xterm-256color'}) {
	const stream = new PassThrough();
	const notifier = new Notifier(stream, env);
	const engine = fixturePeer();
	const store = storeWith(80, 24, engine.snapshot());
	let now = 0;
	const follow = (change: (state: UiState) => UiState = state => state) => {
		now += 2000;
		notifier.follow(change(store.get()), now);
		return String(stream.read() ?? '');
	};
	return {stream, notifier, engine, store, follow};
}

const withSettings = (change: Partial<UiState['settings']>) => (state: UiState) => ({
	...state,
	settings: {...state.settings, ...change},
});

describe('notices', () => {
	test('a download that ended rings once and notifies', () => {
		const {follow, store} = open();
		follow();
		store.dispatch({type: 'toast', kind: 'ok', text: 'a.iso is verified', isNews: true});
		const written = follow();
		expect(written).toBe('\u0007\u001b]9;p2p-tui: a.iso is verified\u0007');
		expect(follow()).toBe('');
		store.dispatch({type: 'toast', kind: 'info', text: 'Copied'});
		expect(follow()).toBe('');
	});

	test('the end of a download is news, told from one snapshot to the next', () => {
		const {store, engine} = open();
		const before = structuredClone(engine.snapshot());
		store.dispatch({type: 'snapshot', snapshot: before});
		const done = before.transfers.rows.map(row => (row.state === 'verifying' ? {...row, state: 'done' as const} : row));
		store.dispatch({type: 'snapshot', snapshot: {...before, transfers: {...before.transfers, rows: done}}});
		expect(store.get().toast).toMatchObject({kind: 'ok', isNews: true});
	});

	test.each(['bell', 'notify', 'title'] as const)('%s can be switched off', setting => {
		const {follow, store} = open();
		const signs = {bell: '\u0007', notify: '\u001b]9;', title: '\u001b]2;'};
		store.dispatch({type: 'toast', kind: 'ok', text: 'done', isNews: true});
		const all = {bell: false, notify: false, title: false};
		expect(
			open()
				.follow(withSettings({...all, [setting]: true}))
				.includes(signs.title),
		).toBe(setting === 'title');
		expect(follow(withSettings({...all, [setting]: true}))).toContain(signs[setting]);
		const {follow: again, store: other} = open();
		other.dispatch({type: 'toast', kind: 'ok', text: 'done', isNews: true});
		expect(again(withSettings(all))).toBe('');
	});

	test('the title tells the progress, and is given back as it was', () => {
		const {follow, notifier, stream} = open();
		expect(follow()).toBe('\u001b[22;2t\u001b]2;49% 3 downloads - p2p-tui\u0007');
		expect(follow()).toBe('');
		notifier.giveBack();
		expect(String(stream.read())).toBe('\u001b]2;\u0007\u001b[23;2t');
		notifier.giveBack();
		expect(stream.read()).toBeNull();
	});

	test.each(['dumb', 'linux', ''])('nothing is sent to TERM=%s', TERM => {
		const {follow, store} = open({TERM});
		store.dispatch({type: 'toast', kind: 'ok', text: 'done', isNews: true});
		expect(follow()).toBe('');
	});

	test('hostile names cannot leave the sequence', () => {
		const text = notification('osc777', 'p2p-tui', 'a;b\u0007\u001b]0;owned', false);
		expect(text.slice(0, -1)).not.toMatch(/\u0007/);
		expect(text.split('\u001b')).toHaveLength(2);
		expect(text.split(';')).toHaveLength(4);
	});

	test('tmux passes it through', () => {
		expect(notification('osc9', 'a', 'b', true)).toBe('\u001bPtmux;\u001b\u001b]9;a: b\u0007\u001b\\');
		expect(notifyStyle({TERM: 'xterm', VTE_VERSION: '7600'})).toBe('osc777');
		expect(notifyStyle({TERM: 'foot'})).toBe('osc777');
	});

	test('without downloads the title is the name', () => {
		expect(windowTitle(storeWith(80, 24, fixturePeer({state: 'empty'}).snapshot()).get())).toBe('p2p-tui');
	});
});
