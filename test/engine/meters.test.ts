import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {RequestEvent} from '../../source/core/events.ts';
import type {TransferFilter, TransferRow, TransferState} from '../../source/engine/messages.ts';
import {RateMeter} from '../../source/engine/rate-meter.ts';
import {RequestStats} from '../../source/engine/request-stats.ts';
import {createSnapshotSource} from '../../source/engine/snapshot-source.ts';
import {transferWindow} from '../../source/engine/transfer-window.ts';
import {waitFor} from '../helpers/wait-for.ts';

describe('RateMeter', () => {
	test('follows a steady speed, whenever it is read, and comes to rest', () => {
		fc.assert(
			fc.property(fc.array(fc.integer({min: 20, max: 900}), {minLength: 60, maxLength: 120}), steps => {
				const meter = new RateMeter();
				let time = 5;
				meter.sample(0, time);
				for (const step of steps) {
					time += step;
					meter.sample((time - 5) * 1000, time);
				}
				const {now, history} = meter.rate();
				if (time > 8000) expect(now).toBeCloseTo(1_000_000, -4);
				expect(history).toHaveLength(Math.min(60, Math.floor((time - 5) / 1000)));
				for (const second of history) expect(second).toBeCloseTo(1_000_000, 0);
				for (let i = 0; i < 200; i++) meter.sample((time - 5) * 1000, time + 500 * (i + 1));
				expect(meter.rate()).toEqual({now: 0, history: Array.from({length: 60}, () => 0)});
			}),
		);
	});

	test('a total that was reset is no negative speed', () => {
		const meter = new RateMeter();
		meter.sample(1000, 0);
		meter.sample(0, 1000);
		expect(meter.rate()).toEqual({now: 0, history: [0]});
	});
});

describe('RequestStats', () => {
	const request = (over: Partial<RequestEvent>): RequestEvent => ({
		verb: 'SEARCH',
		peer: 'guest',
		argument: '',
		result: 'ok',
		ok: true,
		ms: 1,
		...over,
	});

	test('tells rates, latencies, errors and the newest requests', () => {
		const stats = new RequestStats();
		for (let second = 0; second < 3; second++) {
			for (let i = 0; i < 99; i++) stats.add(request({ms: 2}), second);
			stats.add(request({verb: 'REGISTER', ms: 50, ok: false, result: 'refused'}), second);
			stats.tick();
		}
		const read = stats.read();
		expect(read.requests).toEqual({now: 100, history: [100, 100, 100]});
		expect(read.searches).toEqual({now: 99, history: [99, 99, 99], max: 99});
		expect(read.latency).toEqual({p50: 2, p99: 50, history: [50, 50, 50]});
		expect(read.errorShare).toBeCloseTo(0.01);
		expect(read.log.at(-1)).toMatchObject({seq: 300, verb: 'REGISTER', result: 'refused'});
	});

	test('keeps bounded history and log', () => {
		const stats = new RequestStats();
		for (let i = 0; i < 2000; i++) {
			stats.add(request({}), i);
			if (i % 4 === 0) stats.tick();
		}
		const read = stats.read();
		expect([read.requests.history.length, read.searches.history.length, read.log.length]).toEqual([60, 300, 500]);
		expect(read.log[0]?.seq).toBe(1501);
	});
});

test('transfers are shown running first, and counted by kind', () => {
	const row = (state: TransferState, direction: 'up' | 'down', key: string): TransferRow => ({
		key,
		direction,
		state,
		content: '',
		name: key,
		size: 1,
		done: 0,
		speed: 0,
		peers: [],
	});
	const rows = [
		row('done', 'down', 'a'),
		row('queued', 'down', 'b'),
		row('running', 'up', 'c'),
		row('running', 'down', 'd'),
		row('failed', 'down', 'e'),
		row('queued', 'down', 'f'),
		row('waiting', 'down', 'g'),
		row('paused', 'down', 'h'),
	];
	const downs = rows.filter(({direction}) => direction === 'down');
	const inState = (state: string) => downs.filter(row => row.state === state);
	const states = ['queued', 'waiting', 'running', 'verifying', 'paused', 'failed', 'done'] as const;
	const downloads = {
		counts: () =>
			Object.fromEntries(states.map(state => [state, inState(state).length])) as Record<
				(typeof states)[number],
				number
			>,
		inState: (state: string, offset: number, limit: number) => inState(state).slice(offset, offset + limit),
	};
	const ups = rows.filter(({direction}) => direction === 'up');
	const all = transferWindow(downloads, ups, {offset: 0, rows: 100});
	expect(all.rows.map(({name}) => name).join('')).toBe('dcegbfha');
	expect(all.counts).toEqual({down: 1, up: 1, waiting: 3, paused: 1, failed: 1, done: 1});
	for (let offset = 0; offset < 8; offset++)
		for (let count = 1; count < 9; count++)
			expect(transferWindow(downloads, ups, {offset, rows: count}).rows).toEqual(
				all.rows.slice(offset, offset + count),
			);
	const named = (filter: TransferFilter) =>
		transferWindow(downloads, ups, {offset: 0, rows: 100, filter})
			.rows.map(({name}) => name)
			.join('');
	expect([named('up'), named('down'), named('unfinished'), named('done')]).toEqual(['c', 'degbfha', 'dcgbfh', 'a']);
	expect(transferWindow(downloads, ups, {offset: 6, rows: 5})).toMatchObject({
		offset: 6,
		total: 8,
		rows: [{name: 'h'}, {name: 'a'}],
	});
	const none = {
		counts: () => ({...downloads.counts(), ...Object.fromEntries(states.map(state => [state, 0]))}),
		inState: () => [],
	};
	expect(transferWindow(none, [], {offset: 9, rows: 5})).toMatchObject({offset: 0, total: 0, rows: []});
});

test('snapshots come when something changed, however often it did, and not otherwise', async () => {
	let built = 0;
	const source = createSnapshotSource(() => ++built, {interval: 5});
	const seen: number[] = [];
	const off = source.subscribe(() => seen.push(source.snapshot()));
	for (let i = 0; i < 100; i++) source.touch();
	await waitFor('one snapshot', () => seen.length > 0);
	await new Promise(resolve => setTimeout(resolve, 60));
	expect(seen).toEqual([1]);
	source.touch();
	await waitFor('the next one', () => seen.length > 1);
	off();
	source.touch();
	await new Promise(resolve => setTimeout(resolve, 60));
	expect(seen).toEqual([1, 2]);
	expect(source.snapshot()).toBe(3);
	source.stop();
});
