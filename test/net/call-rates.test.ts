import {afterEach, beforeEach, expect, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {RateLimiter} from '../../source/net/call-rates.ts';
import {request, startServer, type TestServer} from '../helpers/index.ts';

test('lets a burst through, then so many a second', () => {
	let now = 0;
	const limiter = new RateLimiter({perSecond: 10, burst: 3}, () => now);
	const taken = (caller: string) => {
		try {
			limiter.take(caller);
			return true;
		} catch (error) {
			expect(error).toMatchObject({code: 'busy', details: {retryAfter: 1}});
			return false;
		}
	};
	expect([1, 2, 3, 4].map(() => taken('a'))).toEqual([true, true, true, false]);
	expect(taken('b')).toBe(true);
	now = 100;
	expect([taken('a'), taken('a')]).toEqual([true, false]);
	now = 1_000_000;
	expect([1, 2, 3, 4].map(() => taken('a'))).toEqual([true, true, true, false]);
});

let server: TestServer;
const lines: string[] = [];
beforeEach(async () => {
	server = await startServer({
		rates: {
			peer: {perSecond: 0.01, burst: 5},
			address: {perSecond: 1000, burst: 1000},
			connectionsPerAddress: 100,
			newPeers: {perSecond: 1, burst: 9},
		},
	});
	lines.length = 0;
	server.bus.on('log', ({message}) => lines.push(message));
});
afterEach(() => server.stop());

test('a peer that calls without end is put off and named once; others and health checks are answered', async () => {
	const identity = await temporaryIdentity();
	const answers = [];
	for (let i = 0; i < 8; i++) answers.push(await request(server, '/v1', {identity}));
	expect(answers.map(one => one.status)).toEqual([200, 200, 200, 200, 200, 503, 503, 503]);
	expect(answers.at(-1)).toMatchObject({body: {code: 'busy'}, headers: {'retry-after': '100'}});
	expect(lines).toHaveLength(1);
	expect(lines[0]).toContain(identity.id.slice(0, 8));
	expect((await request(server, '/v1')).status).toBe(200);
	expect((await request(server, '/healthz', {identity})).status).toBe(200);
});
