// A member of two private networks: it publishes and searches in both without their servers, and they do not mix.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {startServer} from '../helpers/network.ts';
import {runProgram} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';
import {startDhtPeer} from './network.ts';

test('who is in two private networks shares with both, finds what is in each, and passes nothing on', async () => {
	const root = await tempFolder();
	const share = async (name: string) => {
		const folder = path.join(root, `${name} files`);
		await mkdir(folder);
		await writeFile(path.join(folder, `album of ${name}.txt`), `sung by ${name}\n`);
		return folder;
	};
	const network = async () => {
		const server = await startServer({args: ['--private', '--dht']});
		await server.event('dht-joined');
		const invited = await runProgram(['invite', '--data-dir', server.dataDir, '--json', '--uses', '5']);
		expect(invited.code, invited.stderr).toBe(0);
		return {...server, link: String(JSON.parse(invited.stdout).link)};
	};
	const [family, club] = await Promise.all([network(), network()]);
	const join = async (name: string, ...links: string[]) =>
		startDhtPeer({name, shares: [await share(name)], args: links.flatMap(link => ['--server', link])});
	const alice = await join('alice', family.link);
	const bob = await join('bob', club.link);
	const carol = await join('carol', family.link, club.link);
	for (const {address} of [family, club])
		await carol.event('registered', event => event.server === `DHT of ${address}` && event.files === 1);
	const joined = carol.events().filter(({event}) => event === 'dht-joined');
	expect(new Set(joined.map(({port}) => port)).size).toBe(2);

	await Promise.all([family, club].map(server => server.stop('SIGKILL')));
	const cwd = await tempFolder();
	/** What a member runs beside the peer, with no server left. */
	const as = (peer: {dataDir: string}, servers: Array<{address: string}>, command: string, ...args: string[]) => {
		const named = servers.flatMap(({address}) => ['--server', address]);
		const flags = ['--dht', '--host', '0', '--data-dir', peer.dataDir, '--json', ...named];
		return runProgram([command, ...flags, ...args], {cwd});
	};
	const finds = (peer: {dataDir: string}, servers: Array<{address: string}>, names: string[]) =>
		waitFor(`${names} to be found`, async () => {
			const {stdout} = await as(peer, servers, 'search', 'album');
			const found = [...stdout.matchAll(/"name":"album of (\w+)\.txt"/g)].map(match => match[1]).sort();
			return found.join() === names.join();
		});
	await finds(alice, [family], ['alice', 'carol']);
	await finds(bob, [club], ['bob', 'carol']);
	await finds(carol, [family, club], ['alice', 'bob', 'carol']);

	const got = await as(bob, [club], 'get', 'album carol');
	expect([got.code, got.stderr]).toEqual([0, '']);
	expect(await readFile(path.join(cwd, 'downloads', 'downloaded_album of carol.txt'), 'utf8')).toBe('sung by carol\n');
	// Once more, after all that was asked: nothing of one network has come into the other.
	await finds(alice, [family], ['alice', 'carol']);
	await finds(bob, [club], ['bob', 'carol']);
}, 240_000);
