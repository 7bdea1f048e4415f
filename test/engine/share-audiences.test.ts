import {expect, test} from 'vitest';
import {ShareAudiences} from '../../source/engine/share-audiences.ts';
import type {Catalog} from '../../source/share/catalog.ts';
import {add, TestCatalog} from '../helpers/index.ts';

const [alice, bob] = ['aa'.repeat(32), 'bb'.repeat(32)];

/** Shares called like their folders, with rules that a test changes. */
function setUp(rules: Record<string, string[]>, names: string[]) {
	const list = () => names.map(name => ({name, folder: `/${name}`, files: 2, bytes: 10}));
	const audiences = new ShareAudiences({audience: folder => rules[folder]}, list);
	const catalog = new TestCatalog([
		add('open/1'),
		add('mine/1'),
		add('off/1'),
		add('open/2'),
		add('mine/2'),
		add('off/2'),
	]);
	return {audiences, catalog, log: audiences.announced(catalog as unknown as Catalog)};
}

const pathsOf = ({changes}: {changes: {path: string}[]}) => changes.map(({path}) => path);

test('who may see what: everybody, those named, nobody; and nothing of a share that is not open yet', () => {
	const {audiences} = setUp({'/mine': [alice], '/off': []}, ['open', 'mine', 'off']);
	const sees = (caller: string | undefined) =>
		['open/1', 'mine/1', 'mine', 'off/1', 'later/1'].filter(path => audiences.mayRead(caller, path));
	expect(sees(alice)).toEqual(['open/1', 'mine/1', 'mine']);
	expect(sees(bob)).toEqual(['open/1']);
	expect(sees(undefined)).toEqual(['open/1']);
	expect(audiences.totals(alice)).toEqual({files: 4, bytes: 20});
	expect(audiences.totals(undefined)).toEqual({files: 2, bytes: 10});
	expect(setUp({}, ['open']).audiences.totals(undefined)).toBeUndefined();
});

test('an index server hears of what is for everybody alone, page by page, and of nothing that is taken out of the rest', () => {
	const {catalog, log} = setUp({'/mine': [alice], '/off': []}, ['open', 'mine', 'off']);
	expect(log.epoch).not.toBe(catalog.epoch);
	expect(log.epoch).toMatch(/^[0-9a-f]{32}$/);
	const seen: string[] = [];
	for (let at = 0, last = false; !last; ) {
		const page = log.changesSince(at, 2);
		expect(page.epoch).toBe(log.epoch);
		seen.push(...pathsOf(page));
		({to: at, last} = page);
	}
	expect(seen).toEqual(['open/1', 'open/2']);
	const before = log.version;
	catalog.change({op: 'remove', path: 'mine/1'});
	catalog.change({op: 'remove', path: 'open/1'});
	expect(pathsOf(log.changesSince(before, 10))).toEqual(['open/1']);
	expect(log.canContinueFrom({epoch: log.epoch, version: before})).toBe(true);
	expect(log.canContinueFrom({epoch: catalog.epoch, version: before})).toBe(false);
	expect(log.canContinueFrom(null)).toBe(false);
});

test('hiding a share, opening it, and taking it back while it is hidden each make servers take the whole list anew', async () => {
	const rules: Record<string, string[]> = {};
	const names = ['open', 'mine', 'off'];
	const {catalog, log} = setUp(rules, names);
	expect(log.epoch).toBe(catalog.epoch);
	expect(pathsOf(log.changesSince(0, 10))).toHaveLength(6);
	rules['/mine'] = [];
	const hidden = log.epoch;
	expect(hidden).not.toBe(catalog.epoch);
	// Its files leave the catalog after the share has left the list: no server hears of them.
	names.splice(1, 1);
	catalog.change({op: 'remove', path: 'mine/1'});
	expect(log.epoch).toBe(hidden);
	expect(pathsOf(log.changesSince(0, 10)).some(path => path.startsWith('mine'))).toBe(false);
	names.push('mine');
	delete rules['/mine'];
	expect(log.epoch).toBe(catalog.epoch);
});
