import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {countBits, hasBit, makeBitmap, setBit} from '../../source/download/bitmap.ts';
import {PieceScheduler} from '../../source/download/scheduler.ts';

const mebi = 1024 * 1024;
const pieceSize = 256 * 1024;
const fetcher = (source: string, speed = 0, silent = 0) => ({source, speed, silent});

test('bits', () => {
	const bits = makeBitmap(11, true);
	expect([...bits]).toEqual([0xff, 0xe0]);
	expect(countBits(bits)).toBe(11);
	expect(hasBit(bits, 11)).toBe(false);
	const one = makeBitmap(11);
	setBit(one, 8);
	expect([...one]).toEqual([0, 0x80]);
	expect(hasBit(one, 8)).toBe(true);
});

describe('runs', () => {
	test('are as long as the speed makes worth while, and no longer than 16 MiB', () => {
		const of = (speed: number) =>
			new PieceScheduler(4096, pieceSize, makeBitmap(4096)).next(fetcher('a', speed), 1)!.count;
		expect(of(100 * 1024)).toBe(1);
		expect(of(10 * mebi)).toBe(14);
		expect(of(1000 * mebi)).toBe(64);
	});

	test('get shorter near the end, by the share of the speed', () => {
		const scheduler = new PieceScheduler(40, pieceSize, makeBitmap(40));
		expect(scheduler.next(fetcher('a', 100 * mebi), 0.5)!.count).toBe(10);
		expect(scheduler.next(fetcher('a', 100 * mebi), 0.1)!.count).toBe(2);
	});

	test('keep to what the source has', () => {
		const scheduler = new PieceScheduler(40, pieceSize, makeBitmap(40));
		const available = makeBitmap(40);
		for (const piece of [7, 8, 20]) setBit(available, piece);
		expect(scheduler.next(fetcher('a', 100 * mebi), 1, available)).toEqual({first: 7, count: 2});
	});

	test('a failed run is free for others, but for what it brought', () => {
		const scheduler = new PieceScheduler(8, pieceSize, makeBitmap(8));
		const a = fetcher('a', 100 * mebi);
		scheduler.began(1, a, {first: 0, count: 4});
		scheduler.arrived(1, 0);
		scheduler.ended(1);
		expect(scheduler.unassigned).toBe(7);
		expect(scheduler.next(a, 1)).toEqual({first: 1, count: 4});
	});
});

describe('the end', () => {
	test('half of the slowest rest is raced by another source, once', () => {
		const scheduler = new PieceScheduler(8, pieceSize, makeBitmap(8));
		const [slow, fast] = [fetcher('slow', 100_000), fetcher('fast', 100 * mebi)];
		scheduler.began(1, slow, {first: 0, count: 8});
		expect(scheduler.next(fast, 1)).toEqual({first: 4, count: 4});
		scheduler.began(2, fast, {first: 4, count: 4});
		expect(scheduler.next(fast, 1)).toEqual({first: 0, count: 4});
	});

	test('a race that is won ends the loser', () => {
		const scheduler = new PieceScheduler(2, pieceSize, makeBitmap(2));
		const [slow, fast] = [fetcher('slow', 100_000), fetcher('fast', 100 * mebi)];
		scheduler.began(1, slow, {first: 0, count: 2});
		scheduler.began(2, fast, {first: 0, count: 2});
		expect(scheduler.arrived(2, 0)).toEqual({isNew: true, useless: []});
		expect(scheduler.arrived(1, 0)).toEqual({isNew: false, useless: []});
		expect(scheduler.arrived(2, 1)).toEqual({isNew: true, useless: [{run: 1, fetcher: slow}]});
		expect(scheduler.complete).toBe(true);
	});

	test('a slow source that raced itself, as it seemed stuck, does not keep a fast one away', () => {
		let now = 0;
		const scheduler = new PieceScheduler(1, pieceSize, makeBitmap(1), () => now);
		const stuck = fetcher('slow', 10_000, 1500);
		const [other, fast] = [fetcher('slow', 10_000), fetcher('fast', 100 * mebi)];
		scheduler.began(1, stuck, {first: 0, count: 1});
		now = 2000;
		expect(scheduler.next(other, 1)).toEqual({first: 0, count: 1});
		scheduler.began(2, other, {first: 0, count: 1});
		expect(scheduler.next(fetcher('slow', 10_000), 1)).toBeUndefined();
		expect(scheduler.next(fast, 1)).toEqual({first: 0, count: 1});
		scheduler.began(3, fast, {first: 0, count: 1});
		expect(scheduler.next(fetcher('faster', 200 * mebi), 1)).toBeUndefined();
		expect(scheduler.arrived(3, 0).useless.map(({run}) => run)).toEqual([1, 2]);
	});

	test('lanes of one source do not race each other, unless one is stuck', () => {
		let now = 0;
		const scheduler = new PieceScheduler(1, pieceSize, makeBitmap(1), () => now);
		scheduler.began(1, fetcher('a', 100_000, 5000), {first: 0, count: 1});
		expect(scheduler.next(fetcher('a', 100 * mebi), 1)).toBeUndefined();
		now = 3000;
		expect(scheduler.next(fetcher('a', 100 * mebi), 1)).toEqual({first: 0, count: 1});
	});
});

test('whatever happens, every piece comes in, and none is held by nobody', () => {
	const step = fc.record({who: fc.nat(3), what: fc.constantFrom('take', 'take', 'bring', 'bring', 'fail')});
	fc.assert(
		fc.property(fc.integer({min: 1, max: 60}), fc.array(step, {maxLength: 300}), (pieces, steps) => {
			const have = makeBitmap(pieces);
			const scheduler = new PieceScheduler(pieces, pieceSize, have);
			const fetchers = [0, 1, 2, 3].map(n => fetcher(`s${n}`, 10 ** n * 100_000));
			const runs = new Map<number, {who: number; left: number[]}>();
			let id = 0;
			const act = (who: number, what: string) => {
				const mine = [...runs].find(([, run]) => run.who === who);
				if (what === 'take' && !mine) {
					const range = scheduler.next(fetchers[who]!, 0.5);
					if (!range) return;
					runs.set(++id, {who, left: Array.from({length: range.count}, (_, i) => range.first + i)});
					scheduler.began(id, fetchers[who]!, range);
				} else if (mine && what === 'bring') {
					const piece = mine[1].left.shift()!;
					for (const {run} of scheduler.arrived(mine[0], piece).useless) {
						scheduler.ended(run);
						runs.delete(run);
					}
					if (mine[1].left.length === 0) {
						scheduler.ended(mine[0]);
						runs.delete(mine[0]);
					}
				} else if (mine && what === 'fail') {
					scheduler.ended(mine[0]);
					runs.delete(mine[0]);
				}
				const held = new Set([...runs.values()].flatMap(run => run.left.filter(piece => !hasBit(have, piece))));
				expect(scheduler.missing).toBe(pieces - countBits(have));
				expect(scheduler.unassigned).toBe(scheduler.missing - held.size);
			};
			for (const {who, what} of steps) act(who, what);
			for (let round = 0; !scheduler.complete && round < 1000; round++) {
				act(3, 'take');
				for (let i = 0; i < pieces; i++) act(3, 'bring');
				for (const who of [0, 1, 2]) act(who, 'bring');
			}
			expect(scheduler.complete).toBe(true);
			expect(countBits(have)).toBe(pieces);
		}),
	);
});
