// An index server that lies, stalls or floods, against real peers and commands.
import type {ChildProcess} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {createServer, type Socket} from 'node:net';
import path from 'node:path';
import {gzipSync} from 'node:zlib';
import {describe, expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {contentOf, piece} from '../helpers/download.ts';
import {type Program, runProgram, startProgram} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';
import {hostilePeer} from './hostile-peer.ts';
import {hostileServer, json} from './hostile-server.ts';

/** A command against the server, with folders of its own. */
async function run(server: string, ...args: string[]) {
	const home = await tempFolder();
	return runProgram([...args, '--server', server, '--data-dir', path.join(home, 'data'), '--downloads', home]);
}

/** A real peer program at the server. */
async function peerOf(server: string): Promise<Program & {downloads: string}> {
	const home = await tempFolder();
	const downloads = path.join(home, 'downloads');
	const program = startProgram([
		...['--mode', 'peer', '--host', '0', '--port', '0', '--server', server, '--name', 'victim', '--json'],
		...['--data-dir', path.join(home, 'data'), '--downloads', downloads],
	]);
	await program.event('listening');
	return {...program, downloads};
}

/** Resident memory of a process, in MB. */
async function memoryOf({pid}: ChildProcess): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, 'utf8');
	return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

describe('about sources', () => {
	const bytes = randomBytes(3 * piece + 5);
	const {content} = contentOf(bytes);
	const hit = (sources: unknown[], size = bytes.length) => ({content, name: 'x.bin', size, sources, sourceCount: 1});

	test('a wrong peer, our own ID, nobody, and thousands beside one honest source: the honest one is found', async () => {
		const honest = await hostilePeer();
		honest.have(bytes);
		const others = await hostilePeer();
		const strangers = await Promise.all(Array.from({length: 60}, async () => (await temporaryIdentity()).id));
		const sources = strangers.map(peer => ({...others.source(), peer}));
		const server = await hostileServer({
			search: response => json(response, {hits: [hit([honest.source(), ...sources])], total: 1, more: false}),
			sources: response => json(response, hit([honest.source(), ...sources])),
		});
		const {code, stderr} = await run(server.address, 'get', 'x.bin');
		expect([code, stderr]).toEqual([0, expect.anything()]);
		// Nobody asked the one who answers with another key for anything.
		expect(others.asked).toEqual([]);
		// More than an answer may hold is no answer.
		server.script.search = response =>
			json(response, {hits: [hit(Array.from({length: 5000}, () => honest.source()))], total: 1, more: false});
		expect((await run(server.address, 'search', 'x')).code).toBe(1);
	});

	test('addresses of this machine are not connected to on the word of a server elsewhere', async () => {
		// The address by which this machine is reached from elsewhere stands for one elsewhere.
		const {networkInterfaces} = await import('node:os');
		const outer = Object.values(networkInterfaces())
			.flat()
			.find(one => one && !one.internal && one.family === 'IPv4')?.address;
		if (!outer) return;
		let connections = 0;
		const local = createServer(socket => {
			connections++;
			socket.destroy();
		});
		await new Promise<void>(resolve => local.listen(0, '127.0.0.1', resolve));
		onTestFinished(() => void local.close());
		const {port} = local.address() as {port: number};
		const {id} = await temporaryIdentity();
		const place = {host: '127.0.0.1', port, addresses: [`127.0.0.1:${port}`, `[::1]:${port}`, `localhost:${port}`]};
		const source = {
			peer: id,
			number: 1,
			name: 'x',
			...place,
			path: 'a/x.bin',
			sharedAt: new Date(0).toISOString(),
			online: true,
		};
		const server = await hostileServer({
			search: response => json(response, {hits: [hit([source])], total: 1, more: false}),
			sources: response => json(response, hit([source])),
		});
		const forward = createServer(socket => {
			const inner: Socket = new (socket.constructor as typeof Socket)();
			inner.connect(server.port, '127.0.0.1');
			socket.pipe(inner).pipe(socket);
			for (const end of [socket, inner]) end.on('error', () => undefined);
		});
		await new Promise<void>(resolve => forward.listen(0, outer, resolve));
		onTestFinished(() => void forward.close());
		const elsewhere = `${outer}:${(forward.address() as {port: number}).port}`;
		expect((await run(elsewhere, 'get', content)).code).toBe(4);
		expect(connections).toBe(0);
		// The same server reached on this machine may name what is on this machine.
		expect((await run(server.address, 'get', content)).code).toBe(4);
		expect(connections).toBeGreaterThan(0);
	});

	test.each([
		['shorter', bytes.length - 1],
		['longer', bytes.length + 1],
		['one piece of it', 1000],
		['much longer', 50 * piece],
		['larger than any disk', 2 ** 45],
		['larger than any file', Number.MAX_SAFE_INTEGER],
	])('a size that is %s: the bytes are refused, and nothing is left behind', async (_, size) => {
		const honest = await hostilePeer();
		honest.have(bytes);
		const server = await hostileServer({
			search: response => json(response, {hits: [hit([honest.source()], size)], total: 1, more: false}),
		});
		const home = await tempFolder();
		const args = [
			'--server',
			server.address,
			'--data-dir',
			path.join(home, 'data'),
			'--downloads',
			path.join(home, 'd'),
		];
		const {code, stderr} = await runProgram(['get', 'x.bin', ...args]);
		expect([1, 4, 5], stderr).toContain(code);
		expect(stderr).toMatch(/^p2p-tui: [^\n]+\n$|Wrong bytes/);
		const {readdir} = await import('node:fs/promises');
		expect((await readdir(path.join(home, 'd')).catch(() => [])).filter(name => name !== '.p2p-tui')).toEqual([]);
	});
});

describe('in its answers', () => {
	const place = {number: 1, name: 'x', host: '127.0.0.1', port: 1, files: 1, bytes: 1};
	const lister = {id: 'ab'.repeat(32), ...place, online: true, since: new Date(0).toISOString()};
	test.each<[string, Parameters<typeof hostileServer>[0], string[]]>([
		[
			'a redirect',
			{search: response => void response.writeHead(302, {location: 'https://127.0.0.1:1/'}).end()},
			['search', 'x'],
		],
		[
			'a compressed bomb',
			{
				search: response =>
					void response
						.writeHead(200, {'content-type': 'application/json', 'content-encoding': 'gzip'})
						.end(gzipSync(Buffer.alloc(64 * 1024 * 1024, 32))),
			},
			['search', 'x'],
		],
		[
			'JSON too deep to pass on',
			{
				search: response =>
					json(
						response,
						`{"code":"busy","message":"come later","details":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`,
						503,
					),
			},
			['search', 'x'],
		],
		[
			'a list without end',
			{
				peers: (response, query) =>
					json(response, {peers: [], total: 1, online: 1, cursor: `${Number(query.get('cursor') ?? 0) + 1}`}),
			},
			['peers'],
		],
		[
			'a list that comes back to itself',
			{
				peer: response => json(response, lister),
				browse: response => json(response, {entries: [], cursor: 'again'}),
			},
			['ls', '1'],
		],
		[
			'two lengths',
			{
				search: response =>
					void response.socket!.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}'),
			},
			['search', 'x'],
		],
		[
			'a length and chunks',
			{
				search: response =>
					void response.socket!.end(
						'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
					),
			},
			['search', 'x'],
		],
		['no HTTP', {search: response => void response.socket!.end('SSH-2.0-OpenSSH\r\n')}, ['search', 'x']],
		[
			'a body that breaks off',
			{search: response => void response.socket!.end('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"hits"')},
			['search', 'x'],
		],
	])('%s: one line, an exit code, no crash', async (_, script, args) => {
		const server = await hostileServer(script);
		const {code, stderr} = await run(server.address, ...args);
		expect([1, 4]).toContain(code);
		expect(stderr).toMatch(/^p2p-tui: [^\n]{5,600}\n$/);
		expect(stderr).not.toContain('should not');
	});

	test('one that never comes ends with its time-out', async () => {
		const server = await hostileServer({search: () => undefined});
		const {code, stderr} = await run(server.address, 'search', 'x');
		expect([code, stderr]).toEqual([4, expect.stringContaining('did not answer in time')]);
	});
});

describe('as the server of a running peer', () => {
	test('tiny, huge and changing leases: the peer neither hammers it nor loses its head', async () => {
		const leases = [1e-9, 1e12, 5e-324, 1];
		const server = await hostileServer({
			register: response =>
				json(response, {
					...{number: 1, observed: {host: '127.0.0.1', port: 1}, have: null},
					lease: leases[server.count('register') % leases.length],
				}),
		});
		const victim = await peerOf(server.address);
		await waitFor('the first registrations', () => server.count('register') > 2);
		const before = server.count('register');
		await new Promise(resolve => setTimeout(resolve, 2000));
		// At most one renewal a third of the smallest lease that is believed.
		expect(server.count('register') - before).toBeLessThan((2000 / (limits.leaseLeast * 1000)) * 3 + 10);
		expect(await victim.stop()).toBe(0);
	});

	test('event streams of garbage, of endless lines, of a flood of peers: memory stays, and it stops when told to', async () => {
		let frames = 0;
		const garbage = [
			'event: peer-joined\ndata: {}\n\n',
			'event: counts\ndata: [[[[\n\n',
			':\n\n',
			'data: x\n\n',
			'\0\0\0\n\n',
		];
		const id = (n: number) => n.toString(16).padStart(64, '0');
		const flood = () => {
			const peer = {
				...{id: id(frames), number: frames + 1, name: '😀'.repeat(30), host: '10.0.0.1', port: 1, files: 1, bytes: 1},
				...{
					online: true,
					since: new Date(0).toISOString(),
					addresses: Array.from({length: 9}, () => `10.0.0.1:${frames}`),
				},
			};
			frames++;
			return `event: peer-joined\ndata: ${JSON.stringify(peer)}\n\n`;
		};
		let turn = 0;
		const server = await hostileServer({
			events: response => {
				response.writeHead(200, {'content-type': 'text/event-stream'});
				turn++;
				if (turn % 3 === 1) response.write(garbage[turn % garbage.length]);
				else if (turn % 3 === 2) response.write(`data: ${'x'.repeat(200_000)}`);
				else {
					const more = () => {
						while (!response.destroyed && frames < 120_000 && response.write(flood()));
					};
					response.on('drain', more);
					more();
				}
			},
		});
		const victim = await peerOf(server.address);
		await waitFor('the flood to be over', () => frames >= 120_000, 100_000);
		await waitFor(
			'it to be taken in',
			async () => victim.events().filter(({event}) => event === 'peer-joined').length > 1000,
			60_000,
		);
		expect(await memoryOf(victim.child)).toBeLessThan(700);
		expect(await victim.stop()).toBe(0);
		expect(victim.stderr()).toBe('');
	});
});
