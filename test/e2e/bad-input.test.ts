// What goes wrong in real life, with the built program: each a clear message and the fitting exit code, nothing lost.
import {spawnSync} from 'node:child_process';
import {chmod, chown, mkdir, readdir, readFile, rm, utimes, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import path from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {programFile, runProgram, startProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

async function listenPlain(
	onConnection: (socket: import('node:net').Socket) => void = () => undefined,
): Promise<number> {
	const server = createServer(socket => {
		socket.on('error', () => undefined);
		onConnection(socket);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => void server.close());
	return (server.address() as {port: number}).port;
}

async function closedPort(): Promise<number> {
	const server = createServer();
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const {port} = server.address() as {port: number};
	await new Promise(resolve => server.close(resolve));
	return port;
}

describe('wrong usage', () => {
	test.each([
		[['--mode', 'sever'], 'server or peer'],
		[['serve'], 'no command "serve"'],
		[['--mode', 'peer', '--server', '0', '--port', '70000', '--headless'], 'Port must be 0-65535, got 70000'],
		[['--mode', 'peer', '--server', 'a b', '--headless'], 'Not an address'],
		[['peers', '--server', '1.2.3', '--json'], 'Not an IP address'],
		[['--nonsense'], 'nonsense'],
		[['get', '--server', '0'], 'What should be downloaded'],
		[['get', 'magnet:?xt=urn:btih:abc', '--server', '0'], 'Not a link'],
		[['ls', '--server', '0'], 'Whose files'],
		[['hash'], 'Which files'],
		[['get', '1.txt', '--server', '0', '--prefix', '../'], 'prefix'],
		[['search', 'x', '--mode', 'peer'], '--mode does not go'],
	])('%j is told in one line with exit code 2', async (args, says) => {
		const dataDir = await tempFolder();
		const {code, stderr} = await runProgram([...args, '--data-dir', dataDir]);
		expect(stderr).toContain(says);
		expect(stderr).not.toContain('    at ');
		expect(code).toBe(2);
	});

	test('with no terminal and no mode, it says what it can do', async () => {
		const {code, stderr} = await runProgram([]);
		expect([code, stderr]).toEqual([2, expect.stringContaining('--mode')]);
	});
});

describe('servers that are not there', () => {
	test('a wrong port, a host that speaks something else, and none known at all', async () => {
		const me = await tempFolder();
		const closed = await runProgram(['search', 'x', '--server', `0:${await closedPort()}`, '--data-dir', me, '--json']);
		expect([closed.code, closed.stderr]).toEqual([4, expect.stringContaining('nothing listens there')]);
		expect(closed.events.at(-1)).toMatchObject({event: 'error', code: 'unreachable'});
		const smtp = await listenPlain(socket => socket.end('220 mail\r\n'));
		expect((await runProgram(['search', 'x', '--server', `0:${smtp}`, '--data-dir', me])).code).toBe(4);
		const unknown = await runProgram(['--mode', 'peer', '--headless', '--data-dir', me, '--server', '']);
		expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('Not an address')]);
	});

	test('one that accepts and says nothing does not hang a command', async () => {
		const silent = await listenPlain();
		const {code, stderr} = await runProgram(['peers', '--server', `0:${silent}`, '--data-dir', await tempFolder()]);
		expect([code, stderr]).toEqual([4, expect.stringContaining('did not answer in time')]);
	});

	test('a peer waits for its server and registers when it comes', async () => {
		const port = await closedPort();
		const folder = await tempFolder();
		const peer = startProgram([
			'--mode',
			'peer',
			'--host',
			'0',
			'--port',
			'0',
			'--server',
			`0:${port}`,
			'--share',
			testingFiles,
			'--data-dir',
			path.join(folder, 'peer'),
			'--json',
		]);
		await peer.event('server-lost', event => String(event.message).includes('nothing listens there'));
		await startServer({port});
		await peer.event('registered', event => Number(event.files) > 10);
		expect(await peer.stop()).toBe(0);
	});

	test('a server whose key changed is refused with both fingerprints and exit code 6', async () => {
		const folder = await tempFolder();
		const me = path.join(folder, 'me');
		const first = await startServer({dataDir: path.join(folder, 'first')});
		expect((await runProgram(['peers', '--server', first.address, '--data-dir', me])).code).toBe(0);
		await first.stop();
		const second = await startServer({port: first.port, dataDir: path.join(folder, 'second')});
		const refused = await runProgram(['peers', '--server', first.address, '--data-dir', me]);
		expect(refused.code).toBe(6);
		for (const part of [first.id, second.id, 'known_servers']) expect(refused.stderr).toContain(part);
	});
});

describe('ports and folders', () => {
	test('a port asked for and taken is an error; a default one that is taken moves and says so', async () => {
		const taken = await listenPlain();
		const {code, stderr} = await runProgram([
			'--mode',
			'server',
			'--host',
			'0',
			'--port',
			String(taken),
			'--headless',
			'--data-dir',
			await tempFolder(),
		]);
		expect([code, stderr]).toEqual([1, expect.stringContaining(`Port ${taken} is taken`)]);
	});

	test('a folder that does not exist, is a file, or is asked for twice', async () => {
		const folder = await tempFolder();
		const file = path.join(folder, 'file');
		await writeFile(file, 'x');
		const server = await startServer();
		const peer = (...args: string[]) =>
			runProgram([
				'--mode',
				'peer',
				'--host',
				'0',
				'--port',
				'0',
				'--server',
				server.address,
				'--headless',
				'--data-dir',
				path.join(folder, 'data'),
				...args,
			]);
		for (const wrong of [path.join(folder, 'missing'), file]) {
			const {code, stderr} = await peer('--share', wrong);
			expect(code, stderr).not.toBe(0);
			expect(stderr).toContain(wrong);
		}
	});

	test('a folder that cannot be read is named', async context => {
		const folder = await tempFolder();
		const locked = path.join(folder, 'locked');
		await mkdir(locked);
		await mkdir(path.join(folder, 'data'));
		// Root can read everything, so there the peer runs as nobody.
		const uid = process.getuid?.() === 0 ? 65_534 : undefined;
		if (uid !== undefined) {
			const reach = spawnSync(process.execPath, [programFile, '--version'], {uid, gid: uid, cwd: '/'});
			if (reach.status !== 0) context.skip('the checkout lies where only root can read it');
			await chmod(folder, 0o755);
			await chown(path.join(folder, 'data'), uid, uid);
		}
		await chmod(locked, 0);
		const args = ['--mode', 'peer', '--host', '0', '--port', '0', '--server', '0', '--headless', '--share', locked];
		const {code, stderr} = await runProgram(
			[...args, '--data-dir', path.join(folder, 'data'), '--downloads', path.join(folder, 'data', 'downloads')],
			{uid},
		);
		expect([code, stderr]).toEqual([1, expect.stringContaining(locked)]);
	});

	test('an empty folder is shared as such and fills later', async () => {
		const folder = path.join(await tempFolder(), 'empty');
		await mkdir(folder);
		const server = await startServer();
		const peer = await startPeer({server: server.address, name: 'alice', shares: [folder]});
		expect((await peer.event('registered')).files).toBe(0);
		await writeFile(path.join(folder, 'late.txt'), 'here');
		await peer.event('registered', event => event.files === 1);
	});

	test('a data folder that another peer uses is refused with the way out', async () => {
		const server = await startServer();
		const alice = await startPeer({server: server.address, name: 'alice'});
		const {code, stderr} = await runProgram([
			'--mode',
			'peer',
			'--server',
			server.address,
			'--headless',
			'--data-dir',
			alice.dataDir,
		]);
		expect([code, stderr]).toEqual([1, expect.stringContaining('--data-dir')]);
	});

	test('a key that others can read is refused with the command that mends it', async () => {
		const folder = await tempFolder();
		expect((await runProgram(['peers', '--server', `0:${await closedPort()}`, '--data-dir', folder])).code).toBe(4);
		await chmod(path.join(folder, 'identity.key'), 0o644);
		const {code, stderr} = await runProgram(['peers', '--server', '0', '--data-dir', folder]);
		expect([code, stderr]).toEqual([1, expect.stringContaining('chmod 600')]);
	});

	test('hash of a file that is not there names it, and hashes the others', async () => {
		const {code, stderr, stdout} = await runProgram([
			'hash',
			path.join(testingFiles, '1.txt'),
			'/nonexistent/file',
			path.join(testingFiles, 'empty.txt'),
		]);
		expect(code).toBe(1);
		expect(stderr).toContain('/nonexistent/file');
		expect(stdout).toMatch(/^[0-9a-f]{64} {2}.*1\.txt\n[0-9a-f]{64} {2}.*empty\.txt\n$/);
		expect(stdout).toContain('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
	});
});

describe('sources', () => {
	test('a source that is killed mid-way: exit code 4, what was verified is kept, and the next get resumes', async () => {
		const folder = await tempFolder();
		const share = path.join(folder, 'share');
		await mkdir(share);
		const bytes = Buffer.alloc(48 * 1024 * 1024, 'p2p-tui ');
		bytes.writeUInt32BE(0xdecaf, 1_000_000);
		await writeFile(path.join(share, 'big.bin'), bytes);
		const server = await startServer();
		const data = path.join(folder, 'alice');
		const alice = await startPeer({server: server.address, name: 'alice', shares: [share], dataDir: data});
		const get = [
			'get',
			'big.bin',
			'--server',
			server.address,
			'--data-dir',
			path.join(folder, 'me'),
			'--downloads',
			path.join(folder, 'downloads'),
			'--json',
		];
		const first = startProgram(get);
		const part = await waitFor('some bytes', async () =>
			(await readdir(path.join(folder, 'downloads', '.p2p-tui')).catch(() => [])).find(name => name.endsWith('.part')),
		);
		alice.child.kill('SIGKILL');
		const code = await first.ended;
		if (code !== 0) {
			expect(code, first.stdout() + first.stderr()).toBe(4);
			expect(await readdir(path.join(folder, 'downloads', '.p2p-tui'))).toContain(part);
			await startPeer({server: server.address, name: 'alice', shares: [share], dataDir: data});
			const second = await runProgram(get);
			expect(second.code, second.stdout + second.stderr).toBe(0);
		}
		expect((await readFile(path.join(folder, 'downloads', 'downloaded_big.bin'))).equals(bytes)).toBe(true);
		await rm(share, {recursive: true});
	});

	test('wrong bytes, though size and time are those that were shared: exit code 5, and nothing under the name', async () => {
		const folder = await tempFolder();
		const share = path.join(folder, 'share');
		await mkdir(share);
		const file = path.join(share, 'report.pdf');
		const time = new Date('2026-01-02T03:04:05Z');
		await writeFile(file, Buffer.alloc(3_000_000, 'right '));
		await utimes(file, time, time);
		const server = await startServer();
		await startPeer({server: server.address, name: 'mallory', shares: [share]});
		await writeFile(file, Buffer.alloc(3_000_000, 'wrong '), {flag: 'r+'});
		await utimes(file, time, time);
		const downloads = path.join(folder, 'downloads');
		const got = await runProgram([
			'get',
			'report.pdf',
			'--server',
			server.address,
			'--data-dir',
			path.join(folder, 'me'),
			'--downloads',
			downloads,
			'--json',
		]);
		expect(got.code, got.stdout + got.stderr).toBe(5);
		expect(got.stderr).toContain('mallory');
		expect(got.events.find(event => event.event === 'download-failed')).toMatchObject({code: 'corrupt', done: 0});
		expect((await readdir(downloads)).filter(name => !name.startsWith('.'))).toEqual([]);
	});

	test('a file that changes while it is being served: never a mixture, and what is there now can be had', async () => {
		const folder = await tempFolder();
		const share = path.join(folder, 'share');
		await mkdir(share);
		const file = path.join(share, 'diary.bin');
		await writeFile(file, Buffer.alloc(24 * 1024 * 1024, 'before '));
		const server = await startServer();
		const alice = await startPeer({server: server.address, name: 'alice', shares: [share], args: ['--limit-up', '4M']});
		const [downloads, me] = [path.join(folder, 'downloads'), path.join(folder, 'me')];
		const get = ['get', 'diary.bin', '--server', server.address, '--data-dir', me, '--downloads', downloads, '--json'];
		const first = startProgram(get);
		await first.event('download-progress', event => Number(event.done) > 0);
		const after = Buffer.alloc(1_000_000, 'after ');
		await writeFile(file, after);
		const code = await first.ended;
		// The peer says that the file changed, or, once it has looked at it again, that it has no such content any more.
		expect([code, first.events().at(-1)?.code], first.stdout() + first.stderr()).toEqual([4, 'source-lost']);
		expect(first.stderr()).toMatch(/has changed since it was shared|No such content is shared here/);
		expect((await readdir(downloads)).filter(name => !name.startsWith('.'))).toEqual([]);
		await alice.event('registered', event => event.bytes === after.length);
		const second = await runProgram(get);
		expect(second.code, second.stdout + second.stderr).toBe(0);
		expect((await readFile(path.join(downloads, 'downloaded_diary.bin'))).equals(after)).toBe(true);
	});

	test('a downloads folder that cannot be written: exit code 1 and the folder is named', async () => {
		const folder = await tempFolder();
		const file = path.join(folder, 'in-the-way');
		await writeFile(file, '');
		const server = await startServer();
		await startPeer({server: server.address, name: 'alice'});
		const {code, stderr} = await runProgram([
			'get',
			'1.txt',
			'--server',
			server.address,
			'--data-dir',
			path.join(folder, 'me'),
			'--downloads',
			file,
		]);
		expect(code, stderr).toBe(1);
		expect(stderr).toContain(file);
	});
});
