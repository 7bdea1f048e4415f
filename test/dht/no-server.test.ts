// A network with no server at all, of real processes: search, list, browse, download.
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {testingFiles} from '../helpers/program.ts';
import {waitFor} from '../helpers/wait-for.ts';
import {dhtUser, startDhtPeer} from './network.ts';

describe('peers with --dht and no server', () => {
	test('one command finds by words what two peers share, lists them, browses one and downloads from both', async () => {
		const alice = await startDhtPeer({name: 'alice'});
		const bob = await startDhtPeer({
			name: 'bob',
			bootstrap: [alice.node],
			shares: [path.join(testingFiles, 'second-peer')],
		});
		await alice.event('peer-joined', event => event.id === bob.id);
		await bob.event('peer-joined', event => event.id === alice.id);
		const me = await dhtUser(bob.node);

		const peers = await me.lines('peers');
		expect(peers.map(({id, name, port, online}) => ({id, name, port, online}))).toEqual([
			{id: alice.id, name: 'alice', port: alice.port, online: true},
			{id: bob.id, name: 'bob', port: bob.port, online: true},
		]);
		const [one] = await me.lines('search', '1.txt');
		expect(one).toMatchObject({name: '1.txt', size: 67, sources: [{peer: alice.id, name: 'alice', port: alice.port}]});
		const [six] = (await me.lines('search', '6.txt')) as Array<{sources: Array<{peer: string}>}>;
		expect(new Set(six?.sources.map(source => source.peer))).toEqual(new Set([alice.id, bob.id]));

		const entries = await me.lines('ls', 'bob', 'second-peer');
		expect(entries.map(entry => entry.path)).toContain('second-peer/6.txt');
		const byNumber = await me.lines('ls', String(peers[1]?.number), 'second-peer');
		expect(byNumber).toEqual(entries);

		const got = await me.run('get', '6.txt', '--json');
		expect([got.code, got.stderr]).toEqual([0, '']);
		expect(got.events[0]).toMatchObject({event: 'download-started'});
		expect(new Set(got.events[0]?.sources as string[])).toEqual(new Set([alice.id, bob.id]));
		const arrived = path.join(me.cwd, 'downloads', 'downloaded_6.txt');
		expect(await readFile(arrived)).toEqual(await readFile(path.join(testingFiles, 'second-peer', '6.txt')));

		const byContent = await me.run('get', String(one?.content), '--json');
		expect(byContent.events.at(-1)).toMatchObject({event: 'download-finished', name: '1.txt'});
		const nothing = await me.run('search', 'nosuchwordanywhere');
		expect([nothing.code, nothing.stderr]).toEqual([3, expect.stringContaining('Nothing found')]);

		await bob.stop();
		await alice.event('peer-left', event => event.id === bob.id);
		await waitFor('bob out of the answers', async () => {
			const [hit] = (await me.lines('search', '6.txt')) as Array<{sources: Array<{peer: string}>}>;
			return hit?.sources.length === 1 && hit.sources[0]?.peer === alice.id;
		});
	});

	test('the query language holds: phrases, exclusions, endings, kinds, sizes, peers, exact names', async () => {
		const alice = await startDhtPeer({name: 'alice'});
		const me = await dhtUser(alice.node);
		const names = async (...words: string[]) => {
			const {code, stdout} = await me.run('search', '--json', '--', ...words);
			expect([0, 3]).toContain(code);
			return stdout
				.split('\n')
				.filter(line => line.startsWith('{"content"'))
				.map(line => (JSON.parse(line) as {name: string}).name)
				.sort();
		};
		expect(await names('creme', 'brulee')).toEqual(['Crème brûlée – recipe à la maison.txt']);
		expect(await names('"reading list"')).toEqual(['reading list.md']);
		expect(await names('list', '-reading')).toEqual([]);
		expect(await names('ext:md')).toEqual(['README.md', 'reading list.md']);
		expect(await names('name:1.txt')).toEqual(['1.txt']);
		expect(await names('rec', 'size:<1KB')).toEqual(['Crème brûlée – recipe à la maison.txt']);
		expect(await names('1', 'peer:alice')).toEqual(['1.txt']);
		expect(await names('1', 'peer:carol')).toEqual([]);
		expect(await names('会议')).toEqual(['会议记录 2026.txt']);
	});
});
