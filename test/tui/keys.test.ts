import {describe, expect, test} from 'vitest';
import {glyphsFor} from '../../source/tui/draw/glyphs.ts';
import {activeContexts, bindingsOf, keyReceiver, paneForKey, resolveKey} from '../../source/tui/keys/dispatch.ts';
import {footerHints, helpGroups} from '../../source/tui/keys/hints.ts';
import {paletteEntries} from '../../source/tui/keys/palette.ts';
import {bindings} from '../../source/tui/keys/table.ts';
import {fixturePeer, fixtureServer} from '../helpers/tui-fixture-engine.ts';
import {storeWith} from '../helpers/tui-render.ts';

const peer = () => storeWith(120, 36, fixturePeer().snapshot());
const signs = glyphsFor(false);

describe('the table', () => {
	test('no context binds a key twice', () => {
		for (const context of new Set(bindings.map(binding => binding.where))) {
			const chords = bindingsOf(context).flatMap(binding => binding.keys);
			expect(new Set(chords).size, context).toBe(chords.length);
		}
	});

	test('has every key of the design', () => {
		const store = peer();
		const at = (pane: 'search' | 'transfers' | 'peers' | 'log' | 'shares', chord: string) => {
			store.dispatch({type: 'pane', pane});
			return resolveKey(store.get(), chord)?.command;
		};
		for (const chord of [
			'1',
			'2',
			'3',
			'4',
			'5',
			'tab',
			'shift+tab',
			'z',
			'/',
			':',
			'?',
			'escape',
			'ctrl+l',
			'ctrl+z',
			'q',
			'ctrl+c',
		])
			for (const pane of ['search', 'transfers', 'peers', 'log', 'shares'] as const)
				expect(at(pane, chord), `${pane} ${chord}`).toBeDefined();
		for (const chord of ['up', 'down', 'j', 'k', 'pageup', 'pagedown', 'ctrl+u', 'ctrl+d', 'g', 'G'])
			for (const pane of ['search', 'transfers', 'peers', 'log', 'shares'] as const)
				expect(at(pane, chord), `${pane} ${chord}`).toBeDefined();
		for (const chord of ['left', 'right', 'h', 'l', 'space', 'enter', 'd', 'b', 's', 'S'])
			expect(at('search', chord), chord).toBeDefined();
		expect([at('transfers', 'p'), at('transfers', 'r'), at('transfers', 'x')]).toEqual([
			'transfer.pause',
			'transfer.retry',
			'transfer.cancel',
		]);
		expect([at('peers', 'enter'), at('peers', 'y')]).toEqual(['peers.browse', 'peers.copy']);
		expect([at('shares', 'a'), at('shares', 'r'), at('shares', 'x')]).toEqual([
			'share.add',
			'share.rescan',
			'share.remove',
		]);
		expect([at('log', 'space'), at('log', 'G'), at('log', 'f')]).toEqual(['tail.pause', 'tail.follow', 'log.level']);
	});

	test('a key of a pane does not work in a text field or under an overlay', () => {
		const store = peer();
		store.dispatch({type: 'text', mode: 'search'});
		expect(resolveKey(store.get(), 'q')).toBeUndefined();
		expect(resolveKey(store.get(), '2')).toBeUndefined();
		expect(keyReceiver(store.get())).toBe('text');
		store.dispatch({type: 'overlay', overlay: {kind: 'help', top: 0}});
		expect(resolveKey(store.get(), 'd')).toBeUndefined();
		expect(resolveKey(store.get(), 'ctrl+c')?.command).toBe('app.quitNow');
		expect(activeContexts(store.get())).toEqual(['help', 'base']);
	});

	test('while a peer is browsed, Enter opens folders and Esc leads back', () => {
		const store = peer();
		store.dispatch({type: 'pane', pane: 'peers'});
		store.dispatch({type: 'browse/open', peer: 'x', name: 'x', path: ''});
		expect(resolveKey(store.get(), 'enter')?.command).toBe('browse.enter');
		expect(resolveKey(store.get(), 'escape')?.command).toBe('browse.close');
	});
});

describe('hints', () => {
	test('the footer names the keys of the focused pane first, and help apart', () => {
		const store = peer();
		const {hints, help} = footerHints(store.get(), signs);
		expect(hints.slice(0, 6).map(({key, label}) => ({key, label}))).toEqual([
			{key: '/', label: 'search'},
			{key: '↑↓', label: 'file'},
			{key: '←→', label: 'peer'},
			{key: 'space', label: 'mark'},
			{key: '⏎', label: 'get…'},
			{key: 'd', label: 'get now'},
		]);
		expect(help).toMatchObject({key: '?', label: 'help'});
		store.dispatch({type: 'pane', pane: 'shares'});
		expect(footerHints(store.get(), signs).hints[0]).toMatchObject({key: 'a', label: 'add folder'});
	});

	test('in ASCII no sign is left that is not', () => {
		const store = peer();
		for (const group of helpGroups(store.get(), glyphsFor(true)))
			for (const {key} of group.hints) expect(key).toMatch(/^[ -~]+$/);
	});

	test('the help of a server has no downloads, and three panes', () => {
		const server = storeWith(120, 36, fixtureServer().snapshot());
		const groups = helpGroups(server.get(), signs);
		expect(groups.map(group => group.title)).toEqual(['GLOBAL', 'MOVE', 'REQUESTS', 'PEERS', 'MOUSE']);
		expect(groups[0]?.hints.some(hint => hint.key === '1-3')).toBe(true);
	});

	test('a key of another pane is found there', () => {
		const store = peer();
		expect(paneForKey(store.get(), 'a')).toMatchObject({pane: 'shares', number: 5});
		expect(paneForKey(store.get(), 'Q')).toBeUndefined();
	});
});

describe('palette', () => {
	test('what starts with the words comes first', () => {
		const entries = paletteEntries(peer().get(), 'so');
		expect(entries[0]?.title).toMatch(/^sort/);
	});
	test('every entry has a command, none is there twice', () => {
		const entries = paletteEntries(peer().get(), '');
		expect(new Set(entries.map(entry => entry.command)).size).toBe(entries.length);
		expect(entries.length).toBeGreaterThan(20);
	});
	test('a server offers nothing of a peer', () => {
		const entries = paletteEntries(storeWith(120, 36, fixtureServer().snapshot()).get(), '');
		expect(entries.map(entry => entry.where)).not.toContain('transfers');
		expect(entries.map(entry => entry.title)).toContain('show requests');
	});
	test('nothing fits what is called nothing', () => {
		expect(paletteEntries(peer().get(), 'qqqq')).toEqual([]);
	});
});
