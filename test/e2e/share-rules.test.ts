// Shares for everybody, for named peers, and for nobody, with the built program; see docs/decisions/006.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {runProgram} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

test('a share is for everybody, for named peers or off, also while the peer runs, and the index never hears of the others', async () => {
	const root = await tempFolder();
	const [open, mine, off] = ['open', 'letters', 'drafts'].map(name => path.join(root, name)) as [
		string,
		string,
		string,
	];
	for (const [folder, file] of [
		[open, 'hello.txt'],
		[mine, 'secret.txt'],
		[off, 'draft.txt'],
	] as const) {
		await mkdir(folder);
		await writeFile(path.join(folder, file), `this is ${file}`);
	}
	const server = await startServer();
	const [bob, carol] = [path.join(root, 'bob'), path.join(root, 'carol')];
	const as = (dataDir: string, command: string, ...args: string[]) =>
		runProgram([command, ...args, '--server', server.address, '--data-dir', dataDir, '--json']);
	const {id} = JSON.parse((await runProgram(['id', '--data-dir', bob, '--json'])).stdout);
	const alice = path.join(root, 'alice');
	const rule = (folder: string, audience: string) => as(alice, 'share', folder, '--for', audience);
	expect((await rule(mine, id)).code).toBe(0);
	expect((await rule(off, 'nobody')).code).toBe(0);

	const peer = await startPeer({server: server.address, name: 'alice', dataDir: alice, shares: [open]});
	await peer.stop();
	// The same peer with all of it: what was announced before does not matter.
	const running = startPeer({
		server: server.address,
		name: 'alice',
		dataDir: alice,
		shares: [open, mine, off],
		expected: 1,
	});
	await running;
	const found = async (dataDir: string, query: string) => {
		const {stdout} = await as(dataDir, 'search', query);
		return stdout.includes(`"name":"${query}"`);
	};
	for (const [file, is] of [
		['hello.txt', true],
		['secret.txt', false],
		['draft.txt', false],
	] as const)
		expect([file, await found(bob, file)]).toEqual([file, is]);
	const listed = async (dataDir: string, ...at: string[]) => {
		const {stdout, code} = await as(dataDir, 'ls', 'alice', ...at);
		return code === 0
			? stdout
					.trim()
					.split('\n')
					.filter(Boolean)
					.map(line => JSON.parse(line).path)
			: code;
	};
	expect(await listed(bob)).toEqual(['letters', 'open']);
	expect(await listed(carol)).toEqual(['open']);
	expect(await listed(bob, 'letters')).toEqual(['letters/secret.txt']);
	expect(await listed(carol, 'letters')).toBe(3);
	expect(await listed(bob, 'drafts')).toBe(3);

	const get = (dataDir: string, what: string, down: string) =>
		as(dataDir, 'get', what, '--from', 'alice', '--downloads', path.join(root, down));
	const got = await get(bob, 'letters/secret.txt', 'b');
	expect(got.code, got.stderr).toBe(0);
	expect(await readFile(path.join(root, 'b', 'downloaded_secret.txt'), 'utf8')).toBe('this is secret.txt');
	const folder = await get(bob, 'letters', 'b');
	expect(folder.code, folder.stderr).toBe(0);
	expect((await get(carol, 'letters/secret.txt', 'c')).code).not.toBe(0);
	// Not by its content ID either, which is not there for others, as if nobody had it.
	const hash = (await runProgram(['hash', path.join(mine, 'secret.txt'), '--json'])).stdout;
	const {content} = JSON.parse(hash);
	const byId = await as(carol, 'get', content, '--downloads', path.join(root, 'c'));
	expect(byId.code).toBe(4);

	// Opened for everybody while it runs, and closed again.
	expect((await rule(mine, 'everyone')).code).toBe(0);
	await waitFor('the index to hear of it', () => found(carol, 'secret.txt'));
	expect(await listed(carol)).toEqual(['letters', 'open']);
	expect((await rule(mine, 'nobody')).code).toBe(0);
	await waitFor('the index to forget it', async () => !(await found(carol, 'secret.txt')));
	expect(await listed(bob)).toEqual(['open']);
	expect(await found(carol, 'hello.txt')).toBe(true);

	// By name, as people are known; what is kept is the whole ID.
	const named = await rule(mine, 'alice');
	expect(JSON.parse(named.stdout).for).toEqual([(await running).id]);
	const rules = (await runProgram(['share', '--data-dir', alice])).stdout;
	expect(rules).toContain(`${off}  for nobody`);
	for (const wrong of ['everyone,bob', 'somebody-unknown']) expect([2, 3]).toContain((await rule(mine, wrong)).code);
	expect((await as(alice, 'share', '--for', 'nobody')).code).toBe(2);
	await writeFile(path.join(alice, 'config.json'), '{"shareFor":{"/x":["abc"]}}');
	const broken = await runProgram(['share', '--data-dir', alice]);
	expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('whole peer ID')]);
});
