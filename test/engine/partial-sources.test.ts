// Three real peers and an index server: a file spreads faster than its first holder sends it to each.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {formatAddress} from '../../source/core/address.ts';
import {EngineBus} from '../../source/core/events.ts';
import {createIndexServer} from '../../source/engine/create-index-server.ts';
import {createPeer} from '../../source/engine/create-peer.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {someBytes} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

const host = '127.0.0.1';
const MiB = 1024 * 1024;

test('a third peer gets pieces from a second that is still downloading them from the first', async () => {
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
	const bytes = someBytes(24 * MiB);
	const share = path.join(root, 'shared');
	await mkdir(share);
	await writeFile(path.join(share, 'film.bin'), bytes);
	// Slow enough that the second still downloads when the third begins.
	const first = await start('first', [share], 6 * MiB);
	const second = await start('second', []);
	const third = await start('third', []);
	const {content, name, size} = await waitFor('the file in the index', async () => {
		const {hits} = await second.handle.commands.search({query: 'film'});
		return hits[0];
	});

	const done = (peer: typeof first) => new Promise(resolve => peer.bus.on('download-finished', resolve));
	const finished = [done(second), done(third)];
	await second.handle.commands.get({content, name, size});
	const partial = await waitFor('the second as a source', async () => {
		const {sources} = await third.handle.commands.sources({content});
		return sources.find(source => source.name === 'second');
	});
	expect(partial.partial).toBe(true);
	await third.handle.commands.get({content, name, size});
	await Promise.all(finished);

	for (const peer of [second, third]) {
		const got = await readFile(path.join(peer.downloads, 'film.bin'));
		expect(got.equals(bytes)).toBe(true);
	}
	await waitFor('the end of all uploads', () => first.sent() > 0 && second.sent() > 0);
	expect(second.sent()).toBeGreaterThan(size / 8);
	expect(first.sent()).toBeLessThan(1.9 * size);
}, 60_000);
