// The real library over real multicast, on loopback and a port of its own, so that no machine's mDNS takes part.

import {randomInt} from 'node:crypto';
import {createSocket} from 'node:dgram';
import {createRequire} from 'node:module';
import {describe, expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {type Announcement, announceServer} from '../../source/net/announce.ts';
import {discoverServers, type FoundServer, readService, watchServers} from '../../source/net/discovery.ts';
import {type MdnsScope, mdnsScope} from '../../source/net/mdns.ts';
import {waitFor} from '../helpers/wait-for.ts';

const group = '224.0.0.251';
/** The encoder of the library itself: what it sends is what it reads. */
const libraryRequire = createRequire(createRequire(import.meta.url).resolve('bonjour-service'));
const {encode} = createRequire(libraryRequire.resolve('multicast-dns'))('dns-packet') as {
	encode(packet: object): Buffer;
};

function loopback(): MdnsScope {
	return mdnsScope(`127.0.0.1:${randomInt(20_000, 60_000)}`)!;
}

function announcement(seed: string, more: Partial<Announcement> = {}): Announcement {
	const id = seed.repeat(64).slice(0, 64);
	return {id, name: `server ${seed}`, version: '1.2.3', private: false, host: '127.0.0.1', port: 45_000, ...more};
}

function announce(about: Announcement, scope: MdnsScope): {stop(): Promise<void>; troubles: string[]} {
	const troubles: string[] = [];
	const announcer = announceServer(about, message => troubles.push(message), scope);
	onTestFinished(() => announcer.stop());
	return {stop: () => announcer.stop(), troubles};
}

function watch(scope: MdnsScope, times?: {round: number; settle: number}) {
	const seen: {now: FoundServer[]; troubles: string[]} = {now: [], troubles: []};
	const watching = watchServers(
		servers => {
			seen.now = servers;
		},
		{scope, trouble: message => seen.troubles.push(message), times},
	);
	onTestFinished(() => watching.stop());
	return seen;
}

/** Sends packets to everybody who listens on the scope. */
async function shout(scope: MdnsScope, packets: Buffer[]): Promise<void> {
	const socket = createSocket({type: 'udp4'});
	await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
	socket.setMulticastInterface('127.0.0.1');
	socket.setMulticastLoopback(true);
	for (const packet of packets) {
		await new Promise(resolve => socket.send(packet, scope.port, group, resolve));
	}
	await new Promise<void>(resolve => socket.close(resolve));
}

function forged(label: string, text: string[], port: number): Buffer {
	const name = `${label}._p2p-tui._tcp.local`;
	return encode({
		type: 'response',
		answers: [
			{type: 'PTR', name: '_p2p-tui._tcp.local', ttl: 120, data: name},
			{type: 'SRV', name, ttl: 120, data: {port, target: 'x.local'}},
			{type: 'TXT', name, ttl: 120, data: text.map(one => Buffer.from(one))},
		],
	});
}

test('servers are found with all that they tell, and a goodbye takes one off the list', async () => {
	const scope = loopback();
	const first = announce(announcement('a', {name: 'Büro \u001b[31m', private: true, port: 45_001}), scope);
	announce(announcement('b'), scope);
	const seen = watch(scope);
	await waitFor('both', () => seen.now.length === 2);
	expect(seen.now).toEqual([
		{id: 'a'.repeat(64), address: '127.0.0.1:45001', name: 'Büro \ufffd[31m', version: '1.2.3', private: true},
		{id: 'b'.repeat(64), address: '127.0.0.1:45000', name: 'server b', version: '1.2.3', private: false},
	]);
	expect(await discoverServers({scope, timeout: 1500})).toEqual(seen.now);
	await first.stop();
	await waitFor('one to go', () => seen.now.length === 1);
	expect(seen.now[0]?.id).toBe('b'.repeat(64));
});

test('one that comes later is seen, and one that vanishes without a goodbye is gone after a round', async () => {
	const scope = loopback();
	const seen = watch(scope, {round: 600, settle: 400});
	const name = 'gone';
	await waitFor('the forged one', async () => {
		await shout(scope, [forged(name, [`id=${'c'.repeat(64)}`, 'name=ghost'], 45_000)]);
		return seen.now.length === 1;
	});
	announce(announcement('d'), scope);
	await waitFor('the ghost to go', () => seen.now.length === 1 && seen.now[0]?.id === 'd'.repeat(64));
});

test('a name of 64 characters of four bytes each is cut to what a TXT record holds', async () => {
	const scope = loopback();
	announce(announcement('e', {name: '𝄞'.repeat(32)}), scope);
	announce(announcement('f', {name: '語'.repeat(64)}), scope);
	const seen = watch(scope);
	await waitFor('both', () => seen.now.length === 2);
	expect(seen.now.map(server => server.name).sort()).toEqual(['語'.repeat(64), '𝄞'.repeat(32)].sort());
});

describe('what hostile neighbours send', () => {
	test('garbage and services that make no sense are passed over', async () => {
		const scope = loopback();
		const seen = watch(scope);
		announce(announcement('a'), scope);
		await waitFor('the real one', () => seen.now.length === 1);
		const good = forged('ok', [`id=${'c'.repeat(64)}`], 1);
		const packets: Buffer[] = [Buffer.alloc(0), Buffer.alloc(12), Buffer.from('nonsense'), Buffer.alloc(1200, 0xff)];
		for (let at = 1; at < good.length; at += 7) packets.push(good.subarray(0, at));
		for (const text of [['id=short'], [`id=${'A'.repeat(64)}`], [], ['__proto__=x', 'constructor'], ['=']])
			packets.push(forged('bad', text, 45_000));
		packets.push(forged('zero', [`id=${'c'.repeat(64)}`], 0));
		await shout(scope, packets);
		await shout(scope, [forged('last', [`id=${'9'.repeat(64)}`, 'name=z\u202e\u001b]0;x\u0007'], 45_000)]);
		await waitFor('the last', () => seen.now.length === 2);
		expect(seen.now.map(server => server.name)).toEqual(['server a', 'z��]0;x�']);
	});

	test('a flood of servers is cut off', async () => {
		const scope = loopback();
		const seen = watch(scope);
		const packets = Array.from({length: limits.serversFound * 2}, (_, i) =>
			forged(`s${i}`, [`id=${String(i).padStart(64, '0')}`], 45_000),
		);
		// A few at a time, as the socket's buffer holds.
		let sent = 0;
		await waitFor('the limit', async () => {
			const few = Array.from({length: 50}, (_, i) => packets[(sent + i) % packets.length]!);
			sent += few.length;
			await shout(scope, few);
			return sent >= packets.length * 2 && seen.now.length >= limits.serversFound;
		});
		expect(seen.now.length).toBe(limits.serversFound);
	});

	test('an address that is none, or none of ours to reach', () => {
		const txt = {id: 'a'.repeat(64)};
		const referer = {address: '10.0.0.1', family: 'IPv4' as const, port: 1, size: 1};
		expect(readService({port: 1, txt, referer})?.address).toBe('10.0.0.1:1');
		expect(readService({port: 65_536, txt, referer})).toBeUndefined();
		expect(readService({port: 1, txt, referer: {...referer, address: 'fe80::1'}})).toBeUndefined();
		expect(readService({port: 1, txt})).toBeUndefined();
	});
});

test('a server on loopback is not announced to the LAN, and one on a LAN address only there', async () => {
	const scope: MdnsScope = {interfaces: () => ['192.0.2.77'], port: loopback().port};
	for (const host of ['127.0.0.1', '::1', '192.0.2.78'])
		expect(announce(announcement('a', {host}), scope).troubles.join()).toContain('not announced');
});

test('without multicast everything goes on, and the reason is told', async () => {
	const nowhere: MdnsScope = {interfaces: () => ['203.0.113.7'], port: loopback().port};
	expect(announce(announcement('a', {host: '::'}), nowhere).troubles.join()).toContain('203.0.113.7');
	expect(watch(nowhere).troubles.join()).toContain('203.0.113.7');
	expect(mdnsScope('off')).toBeUndefined();
	expect(() => mdnsScope('a b')).toThrow(expect.objectContaining({code: 'usage'}));
});

test.skipIf(process.platform === 'win32')(
	'a port that another program keeps to itself is told, and ends nothing',
	async () => {
		const scope = loopback();
		const taken = createSocket({type: 'udp4', reuseAddr: false});
		await new Promise<void>(resolve => taken.bind(scope.port, group, resolve));
		onTestFinished(() => void taken.close());
		const {troubles, stop} = announce(announcement('a'), scope);
		const seen = watch(scope);
		await waitFor('both to say so', () => [troubles, seen.troubles].every(list => list.join().includes('EADDRINUSE')));
		await stop();
		expect(seen.now).toEqual([]);
	},
);

test('a look around is aborted with the reason', async () => {
	const abort = new AbortController();
	const looking = discoverServers({scope: loopback(), signal: abort.signal, timeout: 60_000});
	const reason = new Error('enough');
	abort.abort(reason);
	await expect(looking).rejects.toBe(reason);
});
