// A private network over a cluster: one key, one list of members, and invites that every server takes.
import path from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {formatInvite, parseInvite} from '../../source/core/invite-link.ts';
import {startPeer, startServer} from '../helpers/network.ts';
import {runProgram} from '../helpers/program.ts';
import {hasRedisServer, type RedisCluster, startRedisCluster} from '../helpers/redis-cluster.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

const there = await hasRedisServer();
let cluster: RedisCluster;

beforeAll(async () => {
	if (there) cluster = await startRedisCluster();
});

afterAll(() => cluster?.stop());

/** A start that is refused, with what it says. */
async function refused(dataDir: string, ...args: string[]) {
	const where = ['--host', '0', '--port', '0', '--data-dir', dataDir];
	const {code, stderr} = await runProgram([
		'--mode',
		'server',
		...where,
		'--store',
		cluster.url,
		'--headless',
		...args,
	]);
	return {code, stderr};
}

test.skipIf(!there)(
	'an invite of one server lets in at the other, and who is removed at one is shut out at both',
	async () => {
		const folder = await tempFolder();
		const [firstDir, secondDir, file] = ['one', 'two', 'key'].map(name => path.join(folder, name)) as [
			string,
			string,
			string,
		];
		const one = await startServer({dataDir: firstDir, args: ['--store', cluster.url, '--private']});

		// Only who belongs to it may join the cluster.
		const open = await refused(await tempFolder());
		expect(open).toMatchObject({code: 2, stderr: expect.stringContaining('--private')});
		const other = await refused(await tempFolder(), '--private');
		expect(other).toMatchObject({code: 6, stderr: expect.stringContaining('share one key')});
		const exported = await runProgram(['id', '--mode', 'server', '--data-dir', firstDir, '--export', file]);
		expect(exported.code, exported.stderr).toBe(0);
		const imported = await runProgram(['id', '--mode', 'server', '--data-dir', secondDir, '--import', file]);
		expect(imported.code, imported.stderr).toBe(0);
		const two = await startServer({dataDir: secondDir, args: ['--store', cluster.url, '--private']});
		expect(two.id).toBe(one.id);

		const made = await runProgram(['invite', '--data-dir', firstDir, '--json']);
		const {link} = JSON.parse(made.stdout) as {link: string};
		const atTwo = formatInvite({...parseInvite(link)!, host: '127.0.0.1', port: two.port});
		await waitFor('the second server to know the invite', async () => {
			const {stdout} = await runProgram(['invites', '--data-dir', secondDir, '--json']);
			return stdout.includes('"open"');
		});
		const alice = await startPeer({server: atTwo, name: 'alice'});
		// She is a member everywhere now, and what she shares is found by members at either server.
		await waitFor('the first server to let her in', async () => {
			const asked = ['search', '1.txt', '--server', one.address, '--data-dir', alice.dataDir, '--json'];
			const {code, stdout} = await runProgram(asked);
			return code === 0 && stdout.includes('"alice"');
		});
		const stranger = await runProgram(['search', '1.txt', '--server', one.address, '--data-dir', await tempFolder()]);
		expect(stranger.code).toBe(6);

		const members = await runProgram(['remove', 'alice', '--data-dir', firstDir]);
		expect(members.code, members.stderr).toBe(0);
		await alice.event('server-lost');
		await waitFor('both to shut her out', async () => {
			const codes = await Promise.all(
				[one, two].map(async ({address}) => {
					const asked = ['search', '1.txt', '--server', address, '--data-dir', alice.dataDir];
					return (await runProgram(asked)).code;
				}),
			);
			return codes.every(code => code === 6);
		});
	},
);
