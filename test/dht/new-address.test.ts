// A peer that vanished without a word and is back elsewhere, as after sleep in another network.
import path from 'node:path';
import {expect, test} from 'vitest';
import {testingFiles} from '../helpers/program.ts';
import {waitFor} from '../helpers/wait-for.ts';
import {dhtUser, startDhtPeer} from './network.ts';

test('a peer back on another port, that names nobody, is found there by the others, with its files', async () => {
	const alice = await startDhtPeer({name: 'alice'});
	const carol = await startDhtPeer({name: 'carol', bootstrap: [alice.node], shares: []});
	const folder = path.join(testingFiles, 'second-peer');
	const bob = await startDhtPeer({name: 'bob', bootstrap: [carol.node], shares: [folder]});
	await alice.event('peer-joined', event => event.id === bob.id);
	await bob.stop('SIGKILL');

	// It only has the nodes that it remembers.
	const back = await startDhtPeer({name: 'bob', dataDir: bob.dataDir, shares: [folder]});
	expect([back.id, back.node === bob.node, back.port === bob.port]).toEqual([bob.id, false, false]);
	const me = await dhtUser(alice.node);
	const where = () => me.lines('search', '6.txt', 'peer:bob') as Promise<Array<{sources: Array<{port: number}>}>>;
	await waitFor('bob at his new port', async () => (await where())[0]?.sources.some(({port}) => port === back.port));
	const got = await me.run('get', 'second-peer/6.txt', '--from', 'bob', '--json');
	expect([got.code, got.stderr]).toEqual([0, '']);
	expect(got.events.at(-1)).toMatchObject({event: 'download-finished', name: '6.txt'});
}, 90_000);
