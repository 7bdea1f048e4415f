import {setTimeout as sleep} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {addressesOf, connectFirst, type Reachable} from '../../source/net/connect-first.ts';

let peers = 0;
const peer = (...addresses: string[]): Reachable => ({id: `peer ${++peers}`, host: '10.0.0.1', port: 1, addresses});

/** Attempts that are under way, what they were given, and how they end. */
function attempts(behave: (host: string) => Promise<string>) {
	const started: string[] = [];
	const aborted: string[] = [];
	const discarded: string[] = [];
	const run = (target: Reachable, options: {signal?: AbortSignal; delay?: number} = {}) =>
		connectFirst(
			target,
			({host}, signal) => {
				started.push(host);
				return new Promise<string>((resolve, reject) => {
					const abort = () => {
						aborted.push(host);
						reject(signal.reason);
					};
					signal.addEventListener('abort', abort);
					const over = () => signal.removeEventListener('abort', abort);
					behave(host).finally(over).then(resolve, reject);
				});
			},
			{discard: made => discarded.push(made), delay: 20, ...options},
		);
	return {run, started, aborted, discarded};
}

const never = () => new Promise<string>(() => undefined);

test('families take turns, the first one leads, each address once', () => {
	const target = peer('10.0.0.2:1', '[fd00::1]:1', '10.0.0.1:1', 'nonsense::', '[fd00::2]:1');
	expect(addressesOf(target).map(({host}) => host)).toEqual(['10.0.0.1', 'fd00::1', '10.0.0.2', 'fd00::2']);
	expect(addressesOf({...target, addresses: []})).toEqual([{host: '10.0.0.1', port: 1}]);
});

test('a dead address costs the stagger, and what worked is tried first the next time', async () => {
	const {run, started, aborted} = attempts(host => (host === 'fd00::1' ? Promise.resolve(host) : never()));
	const target = peer('[fd00::1]:1', '10.0.0.2:1');
	expect(await run(target)).toBe('fd00::1');
	expect([started, aborted]).toEqual([['10.0.0.1', 'fd00::1'], ['10.0.0.1']]);
	expect(await run(target)).toBe('fd00::1');
	expect(started.slice(2)).toEqual(['fd00::1']);
});

test('one that refuses gives way at once', async () => {
	const {run, started} = attempts(async host => {
		if (host === '10.0.0.1') throw new Error('refused');
		return host;
	});
	expect(await run(peer('10.0.0.2:1'), {delay: 60_000})).toBe('10.0.0.2');
	expect(started).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('when none works, what the first address said counts', async () => {
	const {run} = attempts(async host => {
		throw new Error(`no ${host}`);
	});
	await expect(run(peer('10.0.0.2:1', '[fd00::1]:1'))).rejects.toThrow('no 10.0.0.1');
});

test('an abort ends all attempts with its reason', async () => {
	const {run, aborted} = attempts(never);
	const stop = new AbortController();
	const running = run(peer('10.0.0.2:1'), {signal: stop.signal, delay: 0});
	await sleep(30);
	stop.abort(new Error('enough'));
	await expect(running).rejects.toThrow('enough');
	expect(aborted.sort()).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('a second success at the same moment is closed', async () => {
	const both = Promise.withResolvers<void>();
	const discarded: string[] = [];
	const running = connectFirst(peer('10.0.0.2:1'), async ({host}) => both.promise.then(() => host), {
		discard: made => discarded.push(made),
		delay: 0,
	});
	await sleep(20);
	both.resolve();
	expect([await running, ...discarded].sort()).toEqual(['10.0.0.1', '10.0.0.2']);
});
