import {expect, test} from 'vitest';
import {changeBetween, withChange} from '../../source/engine/snapshot-parts.ts';
import {logLine, requestRow} from '../helpers/tui-fixture-data.ts';
import {fixturePeer, fixtureServer} from '../helpers/tui-fixture-engine.ts';

const copy = <T>(value: T) => structuredClone(value);

test('equal snapshots do not cross', () => {
	const before = fixturePeer().snapshot();
	expect(changeBetween(before, copy(before))).toBeUndefined();
});

test('only the parts that changed cross, and the others stay the same objects', () => {
	const before = fixturePeer().snapshot();
	const after = {...copy(before), down: {...before.down, now: 12}};
	const change = changeBetween(before, after);
	expect(Object.keys(change?.parts ?? {})).toEqual(['down']);
	expect(change?.log).toBeUndefined();
	const there = withChange(before, copy(change!));
	expect(there).toEqual(after);
	expect(there.transfers).toBe(before.transfers);
	expect(there.log).toBe(before.log);
});

test('of the log the new lines cross, and those that fell out at the other end go', () => {
	const lines = (from: number, to: number) => Array.from({length: to - from}, (_, at) => logLine(from + at));
	const before = {...fixturePeer().snapshot(), log: lines(1, 500)};
	const after = {...copy(before), log: lines(3, 503)};
	const change = changeBetween(before, after);
	expect(change?.log?.added.map(line => line.seq)).toEqual([500, 501, 502]);
	expect(withChange(before, copy(change!))).toEqual(after);
	const emptied = {...copy(before), log: []};
	expect(withChange(before, copy(changeBetween(before, emptied)!)).log).toEqual([]);
});

test('a server has its requests for a log', () => {
	const before = {...fixtureServer({now: 0}).snapshot(), log: [] as ReturnType<typeof requestRow>[]};
	const after = {...copy(before), log: [requestRow(1), requestRow(2)]};
	expect(withChange(before, copy(changeBetween(before, after)!))).toEqual(after);
});
