// A private network with the built program: made, joined, used, left, and looked at by strangers with curl.
import {execFile} from 'node:child_process';
import {readFile, stat} from 'node:fs/promises';
import path from 'node:path';
import {promisify} from 'node:util';
import {describe, expect, test} from 'vitest';
import {type Node, startPeer, startServer} from '../helpers/network.ts';
import {runProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

const run = promisify(execFile);
const privateServer = (options: {dataDir?: string; port?: number; args?: string[]} = {}) =>
	startServer({...options, args: ['--private', ...(options.args ?? [])]});

/** An invite link of a server, made as its owner does. */
async function invite(server: {dataDir: string}, ...args: string[]): Promise<{link: string; id: string}> {
	const {code, stdout, stderr} = await runProgram(['invite', '--data-dir', server.dataDir, '--json', ...args]);
	expect(code, stderr).toBe(0);
	return JSON.parse(stdout);
}

/** What a member of the network, or a stranger, gets of a command. */
const as = (dataDir: string, server: string) => (command: string, args: string[]) =>
	runProgram([command, ...args, '--server', server, '--data-dir', dataDir, '--json']);

/** A call as curl makes it: status and body. */
async function curl(url: string, ...args: string[]): Promise<{status: number; body: string}> {
	const {stdout} = await run('curl', ['-sk', '--max-time', '20', '-w', '\n%{http_code}', ...args, url]);
	const at = stdout.lastIndexOf('\n');
	return {status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at)};
}

describe('a private network', () => {
	test('is joined by a link, used by its members, and stays private after a restart', async () => {
		const server = await privateServer();
		const first = await invite(server);
		expect(first.link).toMatch(/^p2p:\/\/127\.0\.0\.1:\d+\/[0-9a-z]{26}\/[0-9a-z]{27}$/);
		expect(first.link.length).toBeLessThanOrEqual(2 * 42);
		const alice = await startPeer({server: first.link, name: 'alice'});

		// A second person, once by a one-shot command; then the plain address does.
		const folder = await tempFolder();
		const bob = path.join(folder, 'bob');
		const found = await as(bob, (await invite(server)).link)('search', ['1.txt']);
		expect(found.code, found.stderr).toBe(0);
		const got = await as(bob, server.address)('get', ['1.txt', '--downloads', path.join(folder, 'down')]);
		expect(got.code, got.stderr).toBe(0);
		expect(await readFile(path.join(folder, 'down', 'downloaded_1.txt'))).toEqual(
			await readFile(path.join(testingFiles, '1.txt')),
		);
		expect((await runProgram(['ls', 'alice', '--data-dir', bob])).code).toBe(0);

		// Nobody else gets in.
		const stranger = await as(await tempFolder(), server.address)('search', ['1.txt']);
		expect([stranger.code, stranger.stderr]).toEqual([6, expect.stringContaining('private network')]);

		const members = await runProgram(['members', '--data-dir', server.dataDir, '--json']);
		const ids = members.stdout.trim().split('\n').map(line => JSON.parse(line));
		expect(ids).toHaveLength(2);
		expect(ids).toContainEqual(expect.objectContaining({id: alice.id, name: 'alice', number: 1, invite: first.id}));
		expect((await stat(path.join(server.dataDir, 'members.db'))).mode & 0o777).toBe(0o600);
		expect((await stat(path.join(bob, 'memberships.json'))).mode & 0o777).toBe(0o600);

		await server.stop();
		const again = await startServer({dataDir: server.dataDir, port: server.port});
		expect(again.events().some(({message}) => String(message).includes('private, as it was made'))).toBe(true);
		await alice.event('server-back');
		expect((await as(bob, server.address)('search', ['1.txt'])).code).toBe(0);
		expect((await as(await tempFolder(), server.address)('peers', [])).code).toBe(6);
	});
});
