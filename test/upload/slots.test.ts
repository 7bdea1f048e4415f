import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {slotTimes, UploadSlots} from '../../source/upload/slots.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** Slots on a clock of ours. */
function slotsOf(count: number) {
	const clock = {now: 1000};
	const slots = new UploadSlots(count, slotTimes, () => clock.now);
	/** `slot`, or the place in the queue. The release of a granted one is kept. */
	const releases = new Map<string, (() => void)[]>();
	const ask = (peer: string) => {
		const entered = slots.enter(peer);
		if (!('release' in entered)) return entered.position;
		releases.set(peer, [...(releases.get(peer) ?? []), entered.release]);
		return 'slot';
	};
	const end = (peer: string) => {
		for (const release of releases.get(peer) ?? []) release();
		releases.delete(peer);
	};
	return {slots, clock, ask, end};
}

describe('on a clock of ours', () => {
	test('a slot is the peer’s, whatever number of connections it has', () => {
		const {slots, ask} = slotsOf(2);
		expect([ask('a'), ask('a'), ask('a'), ask('b'), ask('c')]).toEqual(['slot', 'slot', 'slot', 'slot', 1]);
		expect(slots.usage()).toEqual({used: 2, queued: 1});
	});

	test('the queue keeps its order, and tells the places and when to come again', () => {
		const {slots, clock, ask, end} = slotsOf(1);
		ask('a');
		expect([ask('b'), ask('c'), ask('d'), ask('c')]).toEqual([1, 2, 3, 2]);
		expect(slots.enter('d')).toEqual({position: 3, queued: 3, retryAfter: 3});
		end('a');
		clock.now += slotTimes.idle;
		// Free, but it is b's turn.
		expect([ask('d'), ask('c'), ask('b'), ask('c')]).toEqual([3, 2, 'slot', 1]);
	});

	test('a slot is kept between two requests, and free when its peer stays quiet', () => {
		const {clock, ask, end} = slotsOf(1);
		ask('a');
		end('a');
		clock.now += slotTimes.idle - 1;
		expect([ask('b'), ask('a')]).toEqual([1, 'slot']);
		end('a');
		clock.now += slotTimes.idle;
		expect([ask('b'), ask('a')]).toEqual(['slot', 1]);
	});

	test('who is late is overtaken but keeps the place; who is gone for long loses it', () => {
		const {clock, ask, end} = slotsOf(1);
		ask('a');
		expect([ask('b'), ask('c')]).toEqual([1, 2]);
		end('a');
		clock.now += 4000;
		expect([ask('c'), ask('b')]).toEqual(['slot', 1]);
		expect(ask('d')).toBe(2);
		clock.now += slotTimes.placeKept;
		expect(ask('d')).toBe(1);
	});

	test('when others wait, a turn ends, and the next one begins at the end of the queue', () => {
		const {clock, ask, end} = slotsOf(1);
		ask('a');
		clock.now += slotTimes.turn * 2;
		// Nobody waits: no reason to stop.
		expect(ask('a')).toBe('slot');
		expect(ask('b')).toBe(1);
		expect(ask('a')).toBe(2);
		end('a');
		expect([ask('b'), ask('a')]).toEqual(['slot', 1]);
	});

	test('the number of slots can change at any time', () => {
		const {slots, clock, ask, end} = slotsOf(1);
		expect([ask('a'), ask('b')]).toEqual(['slot', 1]);
		slots.setCount(2);
		expect(ask('b')).toBe('slot');
		slots.setCount(0);
		expect([ask('a'), ask('c')]).toEqual(['slot', 1]);
		end('a');
		end('b');
		clock.now += slotTimes.idle;
		expect(ask('c')).toBe(1);
	});

	test('never more holders than slots, and everybody who keeps asking gets one', () => {
		const shape = [fc.integer({min: 1, max: 4}), fc.integer({min: 1, max: 12}), fc.array(fc.nat(100))] as const;
		fc.assert(
			fc.property(...shape, (count, peers, choices) => {
				const {slots, clock, ask, end} = slotsOf(count);
				const holders: string[] = [];
				const served = new Set<string>();
				for (let round = 0; round < peers * 2 && served.size < peers; round++) {
					for (let n = 0; n < peers; n++) {
						const peer = `peer ${n}`;
						if (holders.includes(peer) || ask(peer) !== 'slot') continue;
						holders.push(peer);
						served.add(peer);
					}
					expect(holders.length).toBe(Math.min(count, peers));
					expect(slots.usage().used).toBe(holders.length);
					// One of them finishes, and all others keep asking.
					const [finished] = holders.splice((choices[round] ?? 0) % holders.length, 1);
					end(finished ?? '');
					clock.now += slotTimes.idle;
				}
				expect(served.size).toBe(peers);
			}),
			{numRuns: 100},
		);
	});

	test('the queue does not grow without end', () => {
		const {slots, ask} = slotsOf(1);
		ask('a');
		for (let n = 0; n < 10_100; n++) slots.enter(`stranger ${n}`);
		expect(slots.usage().queued).toBe(10_000);
		expect(slots.enter('one more')).toMatchObject({position: 10_001});
	});
});

test('over the wire: busy with a place in the queue, small files pass, the slot is handed on', async () => {
	const {server, catalog, port, bugs} = await uploadServer({slots: 1, limit: 200_000, times: {idle: 50}});
	const {content} = await catalog.write('big', someBytes(150_000));
	const small = await catalog.write('small', someBytes(65_536));
	const [alice, bob, carol] = [await temporaryIdentity(), await temporaryIdentity(), await temporaryIdentity()];
	const url = `/v1/files/${content}`;
	const running = fetchFrom(port, url, {identity: alice});
	await waitFor('the slot to be taken', () => server.totals().slots.used === 1);
	const place = async (identity: typeof alice) => {
		const {status, headers, body} = await fetchFrom(port, url, {identity});
		const {code, details} = JSON.parse(body.toString());
		return [status, Number(headers['retry-after']), code, details.position, details.queued];
	};
	expect(await place(bob)).toEqual([503, 1, 'busy', 1, 1]);
	expect(await place(carol)).toEqual([503, 2, 'busy', 2, 2]);
	expect(await place(bob)).toEqual([503, 1, 'busy', 1, 2]);
	// Another connection of who has the slot; a small file; a HEAD: none of them waits in the queue.
	const second = fetchFrom(port, url, {identity: alice, headers: {range: 'bytes=0-9'}});
	expect((await fetchFrom(port, url, {identity: carol, method: 'HEAD'})).status).toBe(200);
	server.setLimit(undefined);
	expect((await fetchFrom(port, `/v1/files/${small.content}`, {identity: carol})).status).toBe(200);
	expect([(await running).status, (await running).body.length, (await second).status]).toEqual([200, 150_000, 206]);
	await waitFor('bob to get the slot', async () => (await fetchFrom(port, url, {identity: bob})).status === 200);
	await waitFor('carol to get the slot', async () => (await fetchFrom(port, url, {identity: carol})).status === 200);
	expect(bugs).toEqual([]);
});

test('guests are told apart by their address, not by their connections', async () => {
	const {server, catalog, port} = await uploadServer({slots: 1, limit: 100_000});
	const {content} = await catalog.write('big', someBytes(100_000));
	const url = `/v1/files/${content}`;
	const running = fetchFrom(port, url, {from: '127.0.0.2'});
	await waitFor('the slot to be taken', () => server.totals().slots.used === 1);
	const same = fetchFrom(port, url, {from: '127.0.0.2'});
	expect((await fetchFrom(port, url, {from: '127.0.0.3'})).status).toBe(503);
	server.setLimit(undefined);
	expect([(await running).status, (await same).status]).toEqual([200, 200]);
});
