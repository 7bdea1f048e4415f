// Two peers behind different NATs with a public server between them: the way through by hole punching, end to end.
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {type Program, startProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {buildNatLab, whyNoLab} from './nat-lab.ts';

const problem = whyNoLab();
if (problem) process.stderr.write(`The test of peers behind NATs is skipped: ${problem}\n`);

test.skipIf(problem !== undefined)(
	'a peer behind a NAT downloads from one behind another, through an encrypted stream',
	async () => {
		const lab = buildNatLab();
		onTestFinished(() => lab.remove());
		const folder = await tempFolder();
		const start = (place: 'public' | 'alice' | 'bob', ...args: string[]): Program =>
			startProgram([...args, '--dht', '--data-dir', path.join(folder, place), '--json'], {
				prefix: lab.at(place),
				cwd: folder,
			});
		const server = start('public', '--mode', 'server', '--no-announce');
		const joined = await server.event('dht-joined');
		const node = `${lab.publicAddress}:${joined.port}`;
		const share = ['--share', testingFiles, '--name', 'alice'];
		const alice = start('alice', '--mode', 'peer', ...share, '--bootstrap', node);
		await alice.event('registered', event => event.server === 'DHT' && Number(event.files) >= 18);

		// All that is known of her is the address of her NAT, which lets nobody in.
		const looking = start('bob', 'search', 'noise', '--bootstrap', node);
		expect(await looking.ended, looking.stderr()).toBe(0);
		expect(looking.stdout()).toContain('"host":"198.51.100.2"');
		const bob = start('bob', 'get', 'noise.bin', '--bootstrap', node);
		expect(await bob.ended, bob.stdout() + bob.stderr()).toBe(0);
		const arrived = await readFile(path.join(folder, 'downloads', 'downloaded_noise.bin'));
		expect(arrived).toEqual(await readFile(path.join(testingFiles, 'noise.bin')));
		await alice.event('upload-finished', event => event.name === 'noise.bin');
	},
	120_000,
);
