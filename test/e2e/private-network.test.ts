// A private network with the built program: made, joined, used, left, and looked at by strangers with curl.
import {execFile} from 'node:child_process';
import {randomInt} from 'node:crypto';
import {readFile, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {promisify} from 'node:util';
import {describe, expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {formatInvite, parseInvite} from '../../source/core/invite-link.ts';
import {projectPath, startPeer, startServer} from '../helpers/network.ts';
import {programFile, runProgram, startProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {keys, startPty} from '../helpers/tui-pty.ts';
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
		const ids = members.stdout
			.trim()
			.split('\n')
			.map(line => JSON.parse(line));
		expect(ids).toHaveLength(2);
		expect(ids).toContainEqual(expect.objectContaining({id: alice.id, name: 'alice', number: 1, invite: first.id}));
		expect((await stat(path.join(server.dataDir, 'members.db'))).mode & 0o777).toBe(0o600);
		expect((await stat(path.join(bob, 'memberships.json'))).mode & 0o777).toBe(0o600);

		await server.stop();
		// Who was here before starts without the server and meets it later; who was not is told.
		const startsBy = (link: string, dataDir: string) =>
			startProgram([
				...['--mode', 'peer', '--host', '0', '--port', '0', '--json', '--server', link, '--data-dir', dataDir],
				...['--downloads', path.join(dataDir, 'downloads')],
			]);
		const early = startsBy(first.link, bob);
		await early.event('server-lost');
		expect(await startsBy(first.link, await tempFolder()).ended).toBe(4);
		const again = await startServer({dataDir: server.dataDir, port: server.port});
		expect(again.events().some(({message}) => String(message).includes('private, as it was made'))).toBe(true);
		await alice.event('server-back');
		await early.event('registered');
		await early.stop();
		expect((await as(bob, server.address)('search', ['1.txt'])).code).toBe(0);
		expect((await as(await tempFolder(), server.address)('peers', [])).code).toBe(6);
	});

	test('refuses invites that are used up, expired, withdrawn, made up, damaged or of another server', async () => {
		const server = await privateServer();
		const join = async (link: string, me?: string) => as(me ?? (await tempFolder()), link)('peers', []);
		const refusal = async (link: string) => {
			const {code, stderr, stdout} = await join(link);
			const error = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
			return [code, error.code, stderr.trim().split('\n').length, stderr];
		};
		const me = await tempFolder();
		const once = await invite(server);
		expect((await join(once.link, me)).code).toBe(0);
		// Who is in may use the link again, nobody else.
		expect((await join(once.link, me)).code).toBe(0);
		expect(await refusal(once.link)).toEqual([6, 'bad-invite', 1, expect.stringContaining('let in a peer')]);

		const withdrawn = await invite(server, '--uses', '5', '--expires', '12h');
		expect((await runProgram(['invite', '--withdraw', withdrawn.id, '--data-dir', server.dataDir])).code).toBe(0);
		expect(await refusal(withdrawn.link)).toEqual([6, 'bad-invite', 1, expect.stringContaining('withdrawn')]);

		const expired = await invite(server);
		const database = new DatabaseSync(path.join(server.dataDir, 'members.db'));
		database.prepare('UPDATE invite SET expires = ? WHERE id = ?').run(Date.now() - 1000, expired.id);
		const stored = JSON.stringify(database.prepare('SELECT * FROM invite').all());
		database.close();
		expect(await refusal(expired.link)).toEqual([6, 'bad-invite', 1, expect.stringContaining('ended on')]);
		// What is kept is a hash: the secret is in no row.
		for (const {link} of [once, withdrawn, expired]) expect(stored).not.toContain(link.slice(-22, -2));

		const other = await invite(await privateServer());
		const {fingerprint, ...where} = parseInvite(once.link);
		const madeUp = formatInvite({...where, fingerprint, code: parseInvite(other.link).code});
		expect(await refusal(madeUp)).toEqual([6, 'bad-invite', 1, expect.stringContaining('no such invite')]);
		const elsewhere = formatInvite({...parseInvite(other.link), port: where.port});
		expect(await refusal(elsewhere)).toEqual([6, 'identity-changed', 1, expect.stringContaining(fingerprint)]);
		expect((await join(once.link.slice(0, -1))).code).toBe(2);
		const slip = once.link.at(-5) === '7' ? '8' : '7';
		expect((await join(`${once.link.slice(0, -5)}${slip}${once.link.slice(-4)}`)).code).toBe(2);

		const listed = (await runProgram(['invites', '--data-dir', server.dataDir, '--json'])).stdout.trim().split('\n');
		const states = Object.fromEntries(listed.map(line => JSON.parse(line)).map(({id, state}) => [id, state]));
		expect(states).toEqual({[once.id]: 'used up', [withdrawn.id]: 'withdrawn', [expired.id]: 'expired'});
		// A peer that is to run does not start with one of them.
		const args = ['--mode', 'peer', '--headless', '--host', '0', '--port', '0', '--data-dir', await tempFolder()];
		expect((await runProgram([...args, '--server', withdrawn.link])).code).toBe(6);
		expect((await runProgram([...args, '--server', '127.0.0.1:1', '--server', once.link.slice(0, 40)])).code).toBe(2);
	});

	test('is made, shown and joined at a terminal: the link is pasted into the start menu', async () => {
		const root = await tempFolder();
		const screenOf = (columns: number, rows: number, ...args: string[]) => {
			const screen = startPty(process.execPath, [programFile, ...args], {columns, rows, cwd: root});
			onTestFinished(() => screen.dispose());
			return screen;
		};
		const dataDir = path.join(root, 'server');
		const server = screenOf(
			80,
			24,
			'--mode',
			'server',
			'--private',
			'--host',
			'0',
			'--port',
			'0',
			'--data-dir',
			dataDir,
		);
		await server.waitFor(/listening 127\.0\.0\.1:\d+ +private/);
		const shown = screenOf(80, 30, 'invite', '--data-dir', dataDir);
		await shown.waitFor('To take it back');
		expect((await shown.exited).exitCode).toBe(0);
		expect(shown.text()).toMatch(/[▀▄█ ]{30}/);
		const bare = screenOf(80, 30, 'invite', '--no-qr', '--data-dir', dataDir);
		await bare.waitFor('To take it back');
		expect(bare.text()).not.toMatch(/[▀▄█]/);

		const {link} = await invite({dataDir});
		const peer = screenOf(80, 24, '--data-dir', path.join(root, 'me'));
		await peer.waitFor('Run peer');
		peer.send(keys.down);
		await peer.waitFor(/▸ Run peer/);
		peer.send(keys.enter);
		await peer.waitFor('Server address');
		peer.send(`\u001b[200~${link.slice(0, -1)}\u001b[201~`);
		await peer.waitFor('not whole');
		peer.send(link.slice(-1));
		await waitFor('the slip to be gone', () => !peer.text().includes('not whole'));
		for (let field = 0; field < 5; field++) peer.send(keys.enter);
		await peer.waitFor('1 Search');
		await peer.waitFor(parseInvite(link).port.toString());
		const members = await runProgram(['members', '--data-dir', dataDir, '--json']);
		expect(members.stdout.trim().split('\n')).toHaveLength(1);
	});

	test('guessing invites is put off after some tries', async () => {
		const server = await privateServer();
		const good = parseInvite((await invite(server)).link);
		const stranger = await tempFolder();
		expect((await runProgram(['id', '--data-dir', stranger])).code).toBe(0);
		const guess = async (n: number) => {
			const body = JSON.stringify({invite: good.code.slice(0, 5) + String(n).padStart(20, '0')});
			const put = ['-X', 'PUT', '-H', 'content-type: application/json', '-d', body];
			const answer = await curl(`https://${server.address}/v1/membership`, ...put, ...keyOf(stranger));
			return JSON.parse(answer.body).code;
		};
		// They come back slowly while the test goes on, so that more are tried than may be wrong at once.
		const codes = await Promise.all(Array.from({length: 2 * limits.invitesWrong.burst}, (_, n) => guess(n)));
		expect(codes.filter(code => code === 'bad-invite').length).toBeGreaterThanOrEqual(limits.invitesWrong.burst);
		expect(codes).toContain('busy');
		expect(new Set(codes)).toEqual(new Set(['bad-invite', 'busy']));
	});

	test('a member that is removed is out at once, at the server and at its peers, and does not come back', async () => {
		const server = await privateServer();
		const alice = await startPeer({server: (await invite(server)).link, name: 'alice'});
		const both = await invite(server, '--uses', '2');
		const bob = await startPeer({server: both.link, name: 'bob', shares: [projectPath('docs')]});
		await alice.event('peer-joined', ({id}) => id === bob.id);
		const {networks} = JSON.parse((await runProgram(['id', '--data-dir', bob.dataDir, '--json'])).stdout);
		const shown = ['-H', `P2P-Membership: ${networks[0].membership}`];
		const asBob = [...keyOf(bob.dataDir), ...shown];
		const atAlice = (...args: string[]) => curl(`https://127.0.0.1:${alice.port}/v1/browse`, ...args);
		const atServer = (...args: string[]) => curl(`https://${server.address}/v1/peers`, ...args);
		expect((await atAlice(...asBob)).status).toBe(200);
		expect((await atServer(...keyOf(bob.dataDir))).status).toBe(200);
		// His membership in other hands is worth nothing; nor is his key without one, at a peer.
		const thief = await tempFolder();
		expect((await runProgram(['id', '--data-dir', thief])).code).toBe(0);
		expect((await atAlice(...keyOf(thief), ...shown)).status).toBe(403);
		expect((await atAlice(...shown)).status).toBe(403);
		expect((await atAlice(...keyOf(bob.dataDir))).status).toBe(403);

		const removed = await runProgram(['remove', 'bob', '--data-dir', server.dataDir]);
		expect(removed.stdout).toContain(both.id);
		expect((await atServer(...keyOf(bob.dataDir))).status).toBe(403);
		await alice.event('peer-left', ({id}) => id === bob.id);
		await waitFor('alice to hear of it', async () => (await atAlice(...asBob)).status === 403);
		await bob.event('server-lost', ({message}) => String(message).length > 0);
		expect((await as(bob.dataDir, server.address)('search', ['1.txt'])).code).toBe(6);
		await bob.stop();
		const rejoin = (link: string, dataDir: string) => as(dataDir, link)('peers', []);
		expect((await rejoin(both.link, bob.dataDir)).code).toBe(6);
		expect((await rejoin(both.link, await tempFolder())).code).toBe(6);
		expect((await runProgram(['remove', 'bob', '--data-dir', server.dataDir])).code).toBe(3);

		const before = alice.events().length;
		const back = await startPeer({server: (await invite(server)).link, name: 'bob', dataDir: bob.dataDir});
		await alice.event('peer-joined', ({id}) => id === back.id, before);
		expect((await as(back.dataDir, server.address)('search', ['1.txt'])).code).toBe(0);
		const fresh = JSON.parse((await runProgram(['id', '--data-dir', bob.dataDir, '--json'])).stdout).networks[0];
		expect((await atAlice(...keyOf(bob.dataDir), '-H', `P2P-Membership: ${fresh.membership}`)).status).toBe(200);
		expect((await atAlice(...asBob)).status).toBe(403);
	});

	test('a stranger learns nothing of it, whatever is asked and however', async () => {
		const server = await privateServer();
		const alice = await startPeer({server: (await invite(server)).link, name: 'alice'});
		const {stdout} = await runProgram(['hash', path.join(testingFiles, '1.txt')]);
		const [there] = stdout.split(' ');
		const missing = '0'.repeat(64);
		const stranger = await tempFolder();
		expect((await runProgram(['id', '--data-dir', stranger])).code).toBe(0);
		const paths = {
			server: [
				...['/', '/v1/', '/v2', '/nothing', '/v1/peers', '/v1/peers/1', '/v1/peers/alice', `/v1/peers/${alice.id}`],
				...['/v1/peers/nobody', '/v1/peers/1/files', '/v1/peers/1/files?path=testing_files', '/v1/peers/9/files'],
				...['/v1/search?q=1.txt', '/v1/search?q=nothing', '/v1/search', `/v1/files/${there}`, `/v1/files/${missing}`],
				`/v1/peers/${'a'.repeat(400)}`,
				'/%zz',
				...['/v1/files/x', '/v1/events', '/v1/peers/me', '/v1/peers/me/files', '/v1/peers/me/partials'],
			],
			peer: [
				...['/', '/v1/', '/nothing', '/v1/browse', '/v1/browse?path=testing_files', '/v1/browse?path=nothing'],
				...['/v1/search?q=1.txt', '/v1/search?q=nothing', '/v1/search', `/v1/files/${there}`, `/v1/files/${missing}`],
				...['/v1/files/x', `/v1/files/${there}/pieces`, `/v1/files/${missing}/pieces`, '/healthz', '/metrics'],
				`/v1/files/${'a'.repeat(400)}`,
				'/%zz',
			],
		};
		for (const [who, base] of [
			['server', `https://${server.address}`],
			['peer', `https://127.0.0.1:${alice.port}`],
		] as const) {
			for (const key of [[], keyOf(stranger)]) {
				const answers = new Set<string>();
				for (const path of paths[who]) {
					for (const method of ['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH']) {
						const sent =
							method === 'PUT' || method === 'POST' ? ['-d', '{}', '-H', 'content-type: application/json'] : [];
						const {status, body} = await curl(`${base}${path}`, '-X', method, ...sent, ...key);
						expect([path, method, status]).toEqual([path, method, 403]);
						answers.add(body);
					}
				}
				expect(answers.size).toBe(1);
				expect(JSON.parse([...answers][0] ?? '{}').code).toBe('not-a-member');
				const {status, body} = await curl(`${base}/v1`, ...key);
				const id = who === 'server' ? server.id : alice.id;
				expect([status, JSON.parse(body)]).toEqual([200, {kind: who, id, private: true}]);
				// The same head too, for what is there and what is not.
				const heads = await Promise.all(
					[there, missing].map(content =>
						curl(`${base}/v1/files/${content}`, '-I', ...key).then(({body: text}) => text),
					),
				);
				const plain = heads.map(text => text.replace(/^date:.*$/im, ''));
				expect(plain[0]).toBe(plain[1]);
			}
		}
		// Joining without an invite, or with nonsense for one.
		const join = (...args: string[]) => curl(`https://${server.address}/v1/membership`, '-X', 'PUT', ...args);
		const json = ['-H', 'content-type: application/json', '-d'];
		expect((await join(...json, '{}')).status).toBe(403);
		expect((await join(...keyOf(stranger), ...json, '{}')).status).toBe(403);
		expect((await join(...keyOf(stranger), ...json, '{"invite":"1234567890123456789012345"}')).status).toBe(403);
		expect((await join(...keyOf(stranger), ...json, '{"invite":7}')).status).toBe(400);
		for (const page of ['/healthz', '/metrics'])
			expect((await curl(`https://${server.address}${page}`)).status).toBe(200);
		expect(alice.events().filter(({event}) => event.startsWith('upload'))).toEqual([]);
	}, 240_000);
});

describe('private and open', () => {
	test('show on the local network, and a private one is joined by its link alone', async () => {
		const env = {P2P_TUI_MDNS: `127.0.0.1:${randomInt(20_000, 60_000)}`};
		const data = path.join(await tempFolder(), 'server');
		const args = ['--host', '0', '--port', '0', '--name', 'attic', '--data-dir', data, '--json'];
		const server = startProgram(['--mode', 'server', '--private', ...args], {env});
		expect((await server.event('listening')).private).toBe(true);
		const me = await tempFolder();
		const ask = (...command: string[]) => runProgram([...command, '--data-dir', me], {env});
		await waitFor('the server to be found', async () => (await ask('servers')).code === 0);
		expect((await ask('servers')).stdout).toMatch(/^new {6}private {2}127\.0\.0\.1:/);
		expect(JSON.parse((await ask('servers', '--json')).stdout)).toMatchObject({name: 'attic', private: true});
		const alone = await ask('--mode', 'peer', '--headless');
		expect([alone.code, alone.stderr]).toEqual([4, expect.stringMatching(/attic at .* \(private\).*invite link/)]);
		expect((await ask('peers')).code).toBe(6);
		const {link} = await invite({dataDir: data});
		expect((await ask('peers', '--server', link)).code).toBe(0);
		expect((await ask('peers')).code).toBe(0);
		expect((await ask('servers')).stdout).toMatch(/^known {4}private/);
	});

	test('do not mix in one peer, and a network opens and closes only when it is told to', async () => {
		const [server, open] = [await privateServer(), await startServer()];
		const {link} = await invite(server);
		const me = await tempFolder();
		expect((await as(me, link)('peers', [])).code).toBe(0);
		// Which of the two is met first does not matter.
		const args = ['--mode', 'peer', '--host', '0', '--port', '0', '--data-dir', me, '--json'];
		const both = startProgram([...args, '--server', open.address, '--server', server.address]);
		await both.event('registered', event => event.server === server.address);
		await both.event(
			'server-lost',
			event => event.server === open.address && String(event.message).includes('private'),
		);
		expect(both.events().some(event => event.event === 'registered' && event.server === open.address)).toBe(false);
		await both.stop();
		expect((await as(me, open.address)('peers', [])).code).toBe(0);

		// Opened by its owner: who came for a private network does not go on in the open unasked.
		await server.stop();
		const opened = await startServer({dataDir: server.dataDir, port: server.port, args: ['--open']});
		expect((await as(await tempFolder(), opened.address)('peers', [])).code).toBe(0);
		const refused = await runProgram([...args, '--server', link]);
		expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining('leave')]);
		expect((await runProgram(['invite', '--data-dir', server.dataDir])).code).toBe(6);
		expect((await runProgram(['leave', server.address, '--data-dir', me])).code).toBe(0);
		expect((await runProgram(['leave', server.address, '--data-dir', me])).code).toBe(3);
		expect((await as(me, opened.address)('peers', [])).code).toBe(0);
		await opened.stop();
		// Private again: the members are still members.
		const closed = await privateServer({dataDir: server.dataDir, port: server.port});
		expect((await as(me, closed.address)('peers', [])).code).toBe(0);
		expect((await as(await tempFolder(), closed.address)('peers', [])).code).toBe(6);
		const wrong = await runProgram(['--mode', 'server', '--headless', '--private', '--open', '--port', '0']);
		expect(wrong.code).toBe(2);
	});

	test('a server whose list of members is damaged or gone does not open, and does not start', async () => {
		const server = await privateServer();
		await server.stop();
		await writeFile(path.join(server.dataDir, 'members.db'), 'nonsense'.repeat(100));
		for (const file of ['members.db-wal', 'members.db-shm']) await rm(path.join(server.dataDir, file), {force: true});
		const again = await runProgram(['--mode', 'server', '--headless', '--port', '0', '--data-dir', server.dataDir]);
		expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('members.db')]);
		await rm(path.join(server.dataDir, 'members.db'));
		const gone = await runProgram(['--mode', 'server', '--headless', '--port', '0', '--data-dir', server.dataDir]);
		expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('members.db')]);
		const anew = await startServer({dataDir: server.dataDir, args: ['--private']});
		expect((await as(await tempFolder(), anew.address)('peers', [])).code).toBe(6);
	});
});

/** What makes curl show the key of a data folder. */
function keyOf(dataDir: string): string[] {
	return ['--cert', path.join(dataDir, 'identity.crt'), '--key', path.join(dataDir, 'identity.key')];
}
