// Hostile callers of a real peer, and peers that are not what they seem.
import type {ChildProcess} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdir, readdir, readFile, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {connect as connectPlain, createServer} from 'node:net';
import path from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {P2pError} from '../../source/core/errors.ts';
import {openFolder} from '../../source/download/open-folder.ts';
import {contentOf, downloader, piece} from '../helpers/download.ts';
import {request} from '../helpers/index.ts';
import {type Node, startPeer, startServer} from '../helpers/network.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {fetchFrom, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';
import {rawEscapes} from './evil-names.ts';
import {exchange, halfOpen, hostilePeer} from './hostile-peer.ts';

async function memoryOf({pid}: ChildProcess): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, 'utf8');
	return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

async function expectUsable(peer: Node, content: string): Promise<void> {
	const started = performance.now();
	expect((await request(peer, `/v1/files/${content}`)).status).toBe(200);
	expect(performance.now() - started).toBeLessThan(5000);
}

async function sharingPeer(bytes: Buffer): Promise<{peer: Node; server: Node & {address: string}; content: string}> {
	const server = await startServer();
	const folder = path.join(await tempFolder(), 'share');
	await mkdir(folder);
	await writeFile(path.join(folder, 'x.bin'), bytes);
	const peer = await startPeer({server: server.address, name: 'honest', shares: [folder]});
	return {peer, server, content: contentOf(bytes).content};
}

describe('a real peer', () => {
	test('with thousands of half-open connections serves others, says so once, and its memory stays', async () => {
		const {peer, content} = await sharingPeer(randomBytes(1000));
		const before = await memoryOf(peer.child);
		const openFiles = async () => (await readdir(`/proc/${peer.child.pid}/fd`)).length;
		const held = await openFiles();
		const sockets = halfOpen(peer.port, 3000);
		await waitFor('most to be closed', () => sockets.filter(socket => socket.destroyed).length >= 2000);
		const said = peer.events().filter(({event, message}) => event === 'log' && /connections/.test(String(message)));
		expect(said.length).toBeGreaterThan(0);
		expect(said.length).toBeLessThan(3);
		// They wait no longer for a handshake than this.
		await waitFor('the rest to be closed', async () => (await openFiles()) < held + 20);
		await expectUsable(peer, content);
		expect(await memoryOf(peer.child)).toBeLessThan(before + 200);
		expect(await peer.stop()).toBe(0);
	});

	test('is asked in every wrong way, and answers 4xx in one line of log at most', async () => {
		const {peer, content} = await sharingPeer(randomBytes(1000));
		const mallory = await hostilePeer();
		const file = `/v1/files/${content}`;
		const urls = [
			...['/v1/files/../../etc/passwd', '/v1/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd', `${file}/../../..`, `${file}%00`],
			...['/v1/browse?path=../..', '/v1/browse?path=/etc', '/v1/browse?path=%00', '/v1/browse?path=share/../../x'],
			...['/v1/browse?path=%F0%28', `/v1/browse?path=${'a/'.repeat(3000)}`, '/v1/search?q=%00&limit=1e9', '/v1/search'],
			...['//etc/passwd', '/v1/files/CON', '/v1/files/%5c%5cserver%5cshare', `/v1/files/${'a'.repeat(5000)}`],
		];
		for (const url of urls) {
			const {status, text} = await mallory.call(peer, url);
			expect([200, 400, 404, 414, 431], url).toContain(status);
			expect(text, url).not.toMatch(/root:|node_modules|\/tmp|at \w+ \(/);
			if (status === 200) expect(text, url).toContain('"entries"');
		}
		for (const rest of [
			'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
			'Content-Length: 1\r\nContent-Length: 2\r\n\r\nab',
		]) {
			const answer = await exchange(mallory.connect(peer), `GET ${file} HTTP/1.1\r\nHost: x\r\n${rest}`);
			expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 400']);
		}
		await expectUsable(peer, content);
		expect(await peer.stop()).toBe(0);
		expect(peer.events().filter(({event}) => event === 'error')).toEqual([]);
		expect(peer.stdout()).not.toMatch(rawEscapes);
	});

	test('is searched without pause by one caller, who is put off; another one is answered', async () => {
		const {peer} = await sharingPeer(randomBytes(1000));
		const [mallory, honest] = [await hostilePeer(), await hostilePeer()];
		const most = limits.questionsPerCaller.burst;
		const answers = await Promise.all(Array.from({length: 3 * most}, () => mallory.call(peer, '/v1/search?q=x')));
		const busy = answers.filter(({status}) => status === 503);
		expect(busy.length).toBeGreaterThan(most);
		expect(busy[0]?.body).toMatchObject({code: 'busy', details: {retryAfter: 1}});
		expect((await honest.call(peer, '/v1/search?q=x')).status).toBe(200);
		const said = peer.events().filter(({event, message}) => event === 'log' && /too often/.test(String(message)));
		expect(said).toHaveLength(1);
	});
});

test('a peer that passes connections on to another is found out; one that passes bytes on does no harm, and is who is named', async () => {
	const bytes = randomBytes(4 * piece + 1);
	const {peer: honest, server, content} = await sharingPeer(bytes);
	// The bytes of a connection, key and all: the key is not the one that was wanted.
	const tunnel = createServer(socket => {
		const inner = connectPlain(honest.port, '127.0.0.1');
		socket.pipe(inner).pipe(socket);
		for (const end of [socket, inner]) end.on('error', () => undefined);
	});
	await new Promise<void>(resolve => tunnel.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => void tunnel.close());
	const mallory = await hostilePeer({
		file: ({request: {url = '', headers}, response}) =>
			void fetchFrom(honest.port, url, {headers: {range: headers.range ?? ''}}).then(answer =>
				response.writeHead(answer.status, answer.headers).end(answer.body),
			),
	});
	mallory.have(bytes);
	const {manager} = await downloader();
	const tunnelled = {...mallory.source(), port: (tunnel.address() as {port: number}).port};
	const first = await manager.add({content, name: 'a', size: bytes.length, sources: [tunnelled]});
	await expect(manager.finished(first.key)).rejects.toMatchObject({code: 'wrong-peer', exitCode: 6});
	expect(mallory.asked).toEqual([]);
	const second = await manager.add({content, name: 'a', size: bytes.length, sources: [mallory.source()]});
	const {path: file, sources} = await manager.finished(second.key);
	expect(sources).toEqual([mallory.identity.id]);
	expect(await readFile(file)).toEqual(bytes);
	await server.stop();
});

describe('links swapped in', () => {
	test('for a folder of a share while it is served: nothing outside is read', async () => {
		const {catalog, port} = await uploadServer();
		const outside = path.join(await tempFolder(), 'outside');
		await mkdir(outside);
		const secret = Buffer.from('the secret bytes');
		await writeFile(path.join(outside, 'x.txt'), secret);
		const {content} = await catalog.write('in/x.txt', Buffer.from('the shared bytes'));
		const folder = path.join(catalog.folder, 'in');
		let swapping = true;
		const swap = (async () => {
			while (swapping) {
				await rename(folder, `${folder}.away`);
				await symlink(outside, folder);
				await rm(folder);
				await rename(`${folder}.away`, folder);
			}
		})();
		let served = 0;
		for (let i = 0; i < 300; i++) {
			const {status, body} = await fetchFrom(port, `/v1/files/${content}`);
			expect(body.includes(secret)).toBe(false);
			if (status === 200) served++;
		}
		swapping = false;
		await swap;
		expect(served).toBeGreaterThan(0);
	});

	test('for folders of a download while it runs: nothing outside is written', async () => {
		const files = Array.from({length: 40}, (_, n) => ({
			path: `sub/${n % 4}/${n}.txt`,
			bytes: Buffer.from(`file ${n}`),
		}));
		const mallory = await hostilePeer();
		const {manager, folder, partFolder} = await downloader();
		const outside = await tempFolder();
		let swapped = 0;
		mallory.script.file = call => {
			// Between two files, every folder of the tree becomes a link that leads out.
			void (async () => {
				const tree = (await readdir(partFolder)).find(name => name.endsWith('.tree'));
				const sub = path.join(partFolder, tree ?? '', 'sub');
				await rename(sub, `${sub}.away`)
					.then(() => symlink(outside, sub))
					.then(() => swapped++)
					.catch(() => undefined);
				for (let n = 0; n < 4; n++) await mkdir(path.join(outside, `${n}`), {recursive: true});
				call.answer();
			})();
		};
		const list = files.map(({path: file, bytes}) => ({path: file, content: mallory.have(bytes), size: bytes.length}));
		const {key} = await manager.addFolder({name: 'tree', files: list, sources: [mallory.source()]});
		await expect(manager.finished(key)).rejects.toBeInstanceOf(P2pError);
		expect(swapped).toBeGreaterThan(0);
		const written = (await readdir(outside, {recursive: true, withFileTypes: true})).filter(one => one.isFile());
		expect(written).toEqual([]);
		expect((await readdir(folder)).filter(name => name !== '.p2p-tui')).toEqual([]);
	});

	test('a folder is opened only where it is said to be', async () => {
		const root = await tempFolder();
		const outside = await tempFolder();
		await mkdir(path.join(root, 'a', 'b'), {recursive: true});
		await mkdir(path.join(outside, 'b'));
		openFolder(root, path.join(root, 'a', 'b')).close();
		await symlink(outside, path.join(root, 'link'));
		for (const wrong of ['link', 'link/b', 'a/../../x', '..'])
			expect(() => openFolder(root, path.join(root, wrong)), wrong).toThrow();
		// The downloads folder itself may be a link: a person chose it.
		const chosen = path.join(outside, 'chosen');
		await symlink(root, chosen);
		openFolder(chosen, path.join(chosen, 'a')).close();
	});
});

test('wrong layers, endless bodies and lies about lengths leave a command with nothing, and say who it was', async () => {
	const bytes = randomBytes(5 * piece);
	const lies: Parameters<typeof hostilePeer>[0][] = [
		{pieces: ({response}) => void response.writeHead(200, {'content-length': 2 ** 40}).flushHeaders()},
		{pieces: ({response}) => void response.writeHead(200, {'content-length': 50}).end(randomBytes(50))},
		{
			file: ({response}) => {
				response.writeHead(206, {'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}`});
				const more = () => {
					while (!response.destroyed && response.write(bytes));
				};
				response.on('drain', more);
				more();
			},
		},
		{file: ({response}) => void response.writeHead(302, {location: 'https://127.0.0.1:9/', 'content-length': 0}).end()},
		{
			file: ({response}) =>
				void response.writeHead(403, {'content-length': 40}).end(`{"message":"\u001b[2J\u202egone"}`.padEnd(40)),
		},
	];
	for (const script of lies) {
		const mallory = await hostilePeer(script);
		const content = mallory.have(bytes);
		const {manager, folder} = await downloader();
		const {key} = await manager.add({content, name: 'x', size: bytes.length, sources: [mallory.source()]});
		const error = await manager.finished(key).catch((one: unknown) => one);
		expect(error).toBeInstanceOf(P2pError);
		expect((error as P2pError).message).toContain('mallory');
		expect((error as P2pError).message).not.toMatch(rawEscapes);
		expect((await readdir(folder).catch(() => [])).filter(name => name !== '.p2p-tui')).toEqual([]);
	}
});
