// A LAN without configuration: nodes announce themselves by mDNS, find each other, and islands merge. On loopback.
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {testingFiles} from '../helpers/program.ts';
import {waitFor} from '../helpers/wait-for.ts';
import {dhtUser, startDhtPeer} from './network.ts';

/** mDNS on loopback, on a port of this test's own. */
const mdns = () => ({P2P_TUI_MDNS: `127.0.0.1:${20_000 + Math.floor(Math.random() * 10_000)}`});
const second = [path.join(testingFiles, 'second-peer')];

describe('nodes that find each other by mDNS', () => {
	test('one, two and three peers: each finds the others and what they share', async () => {
		const env = mdns();
		const alice = await startDhtPeer({name: 'alice', env});
		const me = await dhtUser(alice.node);
		expect(await me.lines('search', 'creme')).toHaveLength(1);
		const bob = await startDhtPeer({name: 'bob', env, shares: second});
		await bob.event('peer-joined', event => event.id === alice.id);
		await alice.event('peer-joined', event => event.id === bob.id);
		const carol = await startDhtPeer({name: 'carol', env, shares: second});
		await carol.event('peer-joined', event => event.id === bob.id);
		await waitFor('three sources', async () => {
			const [hit] = (await me.lines('search', '6.txt')) as Array<{sources: unknown[]}>;
			return hit?.sources.length === 3;
		});
	});

	test('two islands become one when somebody knows both', async () => {
		const alice = await startDhtPeer({name: 'alice'});
		const bob = await startDhtPeer({name: 'bob', bootstrap: [alice.node], shares: second});
		const carol = await startDhtPeer({name: 'carol', shares: second});
		const dave = await startDhtPeer({name: 'dave', bootstrap: [carol.node], shares: second});
		const there = await dhtUser(dave.node);
		expect((await there.lines('peers')).map(({name}) => name)).toEqual(['carol', 'dave']);
		expect((await there.run('search', 'creme')).code).toBe(3);
		await startDhtPeer({name: 'erin', bootstrap: [bob.node, carol.node], shares: second});
		await waitFor('everybody in one list', async () => {
			const names = (await there.lines('peers')).map(({name}) => name);
			return names.join() === 'alice,bob,carol,dave,erin';
		});
		await waitFor('the other island’s files', async () => (await there.run('search', 'creme')).code === 0);
	});

	test('networks of different names on one LAN do not see each other', async () => {
		const env = mdns();
		await startDhtPeer({name: 'alice', env, args: ['--network', 'one']});
		const bob = await startDhtPeer({name: 'bob', env, args: ['--network', 'two'], shares: second});
		const me = await dhtUser(bob.node, env);
		expect((await me.lines('peers', '--network', 'two')).map(({name}) => name)).toEqual(['bob']);
		expect((await me.run('search', '--network', 'two', 'creme')).code).toBe(3);
		// Whoever asks a node of another network is not answered.
		const stranger = await dhtUser(bob.node);
		expect([3, 4]).toContain((await stranger.run('search', '--network', 'one', '--', '6.txt')).code);
	});
});
