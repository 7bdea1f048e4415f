import fc from 'fast-check';
import {expect, test} from 'vitest';
import {type Clock, RateLimit} from '../../source/upload/rate-limit.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** A clock that moves when told, calling what is due on its way. */
function handClock() {
	let now = 0;
	const timers = new Set<{at: number; call: () => void}>();
	const clock: Clock = {
		now: () => now,
		after(milliseconds, call) {
			const timer = {at: now + milliseconds, call};
			timers.add(timer);
			return () => timers.delete(timer);
		},
	};
	/** Moves on, millisecond by millisecond, letting promises run after each. */
	const advance = async (milliseconds: number) => {
		for (let step = 0; step < milliseconds; step++) {
			now++;
			for (const timer of [...timers]) {
				if (timer.at > now) continue;
				timers.delete(timer);
				timer.call();
			}
			for (let turn = 0; turn < 4; turn++) await Promise.resolve();
		}
	};
	return {clock, advance, waiting: () => timers.size};
}

/** Somebody who takes as much as there is until stopped; what was taken is counted. */
function taker(limit: RateLimit, peer: string, signal = new AbortController().signal) {
	const counter = {bytes: 0};
	const run = async () => {
		for (;;) {
			const bytes = limit.slice(1_000_000);
			await limit.take(bytes, peer, signal);
			counter.bytes += bytes;
		}
	};
	run().catch(() => undefined);
	return counter;
}

test('never more than the rate and one burst, and no less than the rate', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.integer({min: 1000, max: 50_000_000}),
			fc.integer({min: 500, max: 3000}),
			fc.integer({min: 1, max: 5}),
			async (rate, milliseconds, peers) => {
				const {clock, advance} = handClock();
				const limit = new RateLimit(rate, clock);
				const counters = Array.from({length: peers}, (_, n) => taker(limit, String(n)));
				await advance(milliseconds);
				const taken = counters.reduce((sum, {bytes}) => sum + bytes, 0);
				const due = (rate * milliseconds) / 1000;
				const burst = Math.max(4096, rate / 4);
				expect(taken).toBeLessThanOrEqual(due + burst);
				// The slice that is being saved up for, and a millisecond of rounding a slice.
				expect(taken).toBeGreaterThanOrEqual(due * 0.9 - burst);
			},
		),
		{numRuns: 30},
	);
});

test('peers get equal shares, whatever number of connections each has', async () => {
	const {clock, advance} = handClock();
	const limit = new RateLimit(1_000_000, clock);
	const greedy = Array.from({length: 9}, () => taker(limit, 'greedy'));
	const modest = taker(limit, 'modest');
	await advance(5000);
	const ratio = greedy.reduce((sum, {bytes}) => sum + bytes, 0) / modest.bytes;
	expect(ratio).toBeGreaterThan(0.9);
	expect(ratio).toBeLessThan(1.1);
});

test('a change is felt at once, also by those who wait', async () => {
	const {clock, advance, waiting} = handClock();
	const limit = new RateLimit(10, clock);
	const signal = new AbortController().signal;
	const bytes = limit.slice(1_000_000);
	let done = 0;
	const first = limit.take(bytes, 'a', signal)?.then(() => done++);
	const second = limit.take(bytes, 'a', signal)?.then(() => done++);
	await advance(1000);
	expect(done).toBe(0);
	limit.set(1_000_000);
	await advance(100);
	expect(done).toBe(2);
	limit.set(10);
	const third = limit.take(limit.slice(1_000_000), 'b', signal);
	limit.set(undefined);
	await Promise.all([first, second, third]);
	expect(limit.take(1_000_000_000, 'b', signal)).toBeUndefined();
	expect(waiting()).toBe(0);
});

test('who hangs up no longer waits, and is not charged', async () => {
	const {clock, advance} = handClock();
	const limit = new RateLimit(8192, clock);
	const controller = new AbortController();
	const gone = taker(limit, 'gone', controller.signal);
	const stays = taker(limit, 'stays');
	controller.abort(new Error('hung up'));
	await advance(4000);
	expect(gone.bytes).toBe(0);
	expect(stays.bytes).toBeGreaterThanOrEqual(24_576);
	await expect(limit.take(10, 'gone', controller.signal)).rejects.toThrow('hung up');
});

test('an upload takes the time that the limit asks for', async () => {
	const {server, catalog, port} = await uploadServer({limit: 400_000});
	const bytes = someBytes(300_000);
	const {content} = await catalog.write('1.bin', bytes);
	const before = performance.now();
	const answer = await fetchFrom(port, `/v1/files/${content}`);
	// A quarter of a second of it may come in the first burst.
	expect(performance.now() - before).toBeGreaterThan(((300_000 - 100_000) / 400_000) * 1000 - 20);
	expect(answer.body.equals(bytes)).toBe(true);
	await waitFor('the last bytes to be counted', () => server.totals().finished === 1);
	expect(server.totals()).toMatchObject({sent: 300_000, shares: {share: 300_000}, finished: 1, failed: 0});
});
