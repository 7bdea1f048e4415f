// Three real peers and an index server: a file spreads faster than its first holder sends it to each.
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {formatAddress} from '../../source/core/address.ts';
import {EngineBus} from '../../source/core/events.ts';
import {createIndexServer} from '../../source/engine/create-index-server.ts';
import {createPeer} from '../../source/engine/create-peer.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {someBytes} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

type Peer = Awaited<ReturnType<typeof createPeer>>;

const host = '127.0.0.1';
const MiB = 1024 * 1024;

/** An index server, and what starts peers at it. */
async function network() {
	const root = await tempFolder();
	const server = await createIndexServer({
		dataDir: path.join(root, 'server'),
		host,
		port: 0,
		name: 'hub',
		announce: false,
	});
	onTestFinished(() => server.handle.stop());
	const address = formatAddress({host, port: server.handle.snapshot().port});
	const start = async (name: string, shares: string[], limitUp?: number) => {
		const bus = new EngineBus();
		const downloads = path.join(root, name, 'downloads');
		await mkdir(downloads, {recursive: true});
		const options = {dataDir: path.join(root, name), host, port: 0, name, servers: [address], shares, downloads};
		const registered = new Promise(resolve => bus.on('registered', resolve));
		const peer = await createPeer({...options, prefix: '', announce: false, limitUp}, bus);
		onTestFinished(() => peer.handle.stop());
		await registered;
		let sent = 0;
		for (const event of ['upload-finished', 'upload-failed'] as const)
			bus.on(event, ({bytes}) => {
				sent += bytes;
			});
		return {...peer, bus, downloads, sent: () => sent};
	};
	return {root, start};
}

/** Asks the index until it has an answer, not oftener than it takes: all peers here have one address, and share its rate. */
async function askUntil<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
	return waitFor(what, async () => {
		await new Promise(resolve => setTimeout(resolve, 200));
		return ask();
	});
}

/** What the second gives at least. */
const shared = 3 * MiB;

/** Goes on at full speed once the one peer has got that much from the other, however long a busy machine takes. */
async function speedUpOnceFrom(name: string, to: Peer, key: string, first: Peer): Promise<void> {
	await waitFor(`enough bytes from the ${name}`, async () => {
		const {sources} = await to.handle.commands.transferDetails({key});
		return sources.some(source => source.name === name && source.bytes >= shared);
	});
	await first.handle.commands.setLimits({up: 6 * MiB});
}

const done = ({bus}: {bus: EngineBus}) => new Promise(resolve => bus.on('download-finished', resolve));

test('a third peer gets pieces from a second that is still downloading them from the first', async () => {
	const {root, start} = await network();
	const bytes = someBytes(24 * MiB);
	const share = path.join(root, 'shared');
	await mkdir(share);
	await writeFile(path.join(share, 'film.bin'), bytes);
	// Slow enough that the second still downloads when the third begins.
	const first = await start('first', [share], MiB);
	const second = await start('second', []);
	const third = await start('third', []);
	const {content, name, size} = await askUntil('the file in the index', async () => {
		const {hits} = await second.handle.commands.search({query: 'film'});
		return hits[0];
	});

	const finished = [done(second), done(third)];
	await second.handle.commands.get({content, name, size});
	const partial = await askUntil('the second as a source', async () => {
		const {sources} = await third.handle.commands.sources({content});
		return sources.find(source => source.name === 'second');
	});
	expect(partial.partial).toBe(true);
	const {key} = await third.handle.commands.get({content, name, size});
	await speedUpOnceFrom('second', third, key, first);
	await Promise.all(finished);

	for (const peer of [second, third]) {
		const got = await readFile(path.join(peer.downloads, 'film.bin'));
		expect(got.equals(bytes)).toBe(true);
	}
	// The last of it is told when its connections end.
	await waitFor('what the second gave', () => second.sent() >= shared);
	await waitFor('what the first gave', () => first.sent() + second.sent() >= 2 * size);
	expect(first.sent()).toBeLessThan(2 * size);
});

test('the same of a file inside a folder that is being downloaded, complete or not', async () => {
	const {root, start} = await network();
	const files = {'film.bin': someBytes(16 * MiB), 'short.bin': someBytes(3 * MiB, 2), 'a.txt': Buffer.from('small')};
	const share = path.join(root, 'shared');
	await mkdir(path.join(share, 'films', 'empty'), {recursive: true});
	for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(share, 'films', name), bytes);
	const first = await start('first', [share], MiB);
	const second = await start('second', []);
	const third = await start('third', []);
	const firstId = await askUntil('the folder in the index', async () => {
		const {hits} = await second.handle.commands.search({query: 'bin'});
		return hits.length === 2 ? hits[0]!.sources[0]!.peer : undefined;
	});

	const finished = [done(second), done(third)];
	await second.handle.commands.getFolder({peer: firstId, path: 'shared/films'});
	const {hits} = await second.handle.commands.search({query: 'bin'});
	const contents = hits.map(({content}) => content);
	// The short one is complete long before the folder is.
	await askUntil('the second as a source of both', async () => {
		const found = await Promise.all(contents.map(content => third.handle.commands.sources({content})));
		return found.every(({sources}) => sources.some(source => source.name === 'second' && source.partial));
	});
	const {key} = await third.handle.commands.getFolder({peer: firstId, path: 'shared/films'});
	await speedUpOnceFrom('second', third, key, first);
	await Promise.all(finished);
	for (const peer of [second, third]) {
		const top = path.join(peer.downloads, 'films');
		for (const [name, bytes] of Object.entries(files))
			expect((await readFile(path.join(top, name))).equals(bytes)).toBe(true);
		expect(await readdir(top)).toContain('empty');
	}
	// The last of it is told when its connections end.
	await waitFor('what the second gave', () => second.sent() >= shared);
	expect(first.sent()).toBeLessThan(2 * 19 * MiB);
});
