// The whole job on this machine, for real: a server and two peers in temporary folders on free ports, TLS between them.
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {formatAddress} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import {EngineBus, type EngineEvents} from '../core/events.ts';
import {formatBytes, shortId} from '../core/format.ts';
import {createIndexServer} from './create-index-server.ts';
import {createPeer} from './create-peer.ts';
import type {PeerEngine} from './messages.ts';

/** A demo that has run: the second peer is still live, with what it downloaded. */
export type Demo = {
	/** The peer that searched and downloaded. */
	peer: PeerEngine;
	/** Whether every downloaded file is equal, byte for byte, to the one that was shared. */
	verified: boolean;
	/** Stops all three and removes their folders. */
	stop(): Promise<void>;
};

const loopback = '127.0.0.1';
const patience = 60_000;
/** One file with a single source, and one that both peers of the tour could hold. */
const wanted = ['1.txt', 'noise.bin'];

/**
 * Runs the demo up to the comparison of the bytes.
 *
 * @param tell gets each step, a line each
 * @throws P2pError or whatever kept a step from working; everything is stopped then
 */
export async function runDemo(tell: (step: string) => void, signal?: AbortSignal): Promise<Demo> {
	const files = testingFiles();
	const root = await mkdtemp(path.join(tmpdir(), 'p2p-tui-demo-'));
	const stops: Array<() => Promise<unknown>> = [() => rm(root, {recursive: true, force: true})];
	const stop = async () => {
		for (const end of stops.splice(0).toReversed()) await end();
	};
	try {
		const server = await createIndexServer({dataDir: path.join(root, 'server'), host: loopback, port: 0, name: 'demo'});
		stops.push(() => server.handle.stop());
		const {port, id} = server.handle.snapshot();
		const address = formatAddress({host: loopback, port});
		tell(`An index server listens at ${address} (${shortId(id)}, TLS 1.3).`);

		const start = async (name: string, shares: string[]) => {
			const bus = new EngineBus();
			const options = {
				...{dataDir: path.join(root, name), host: loopback, port: 0, name, servers: [address], shares},
				...{downloads: path.join(root, name, 'downloads'), prefix: 'downloaded_'},
			};
			await mkdir(options.downloads, {recursive: true});
			let scanned: EngineEvents['scan'] | undefined;
			const registered = next(
				bus,
				'registered',
				event => scanned?.done === true && event.files >= scanned.files,
				signal,
			);
			bus.on('scan', event => {
				scanned = event;
			});
			const peer = await createPeer(options, bus);
			stops.push(() => peer.handle.stop());
			const {number, files: count, bytes} = await registered;
			tell(
				`${name} is peer ${number} (${shortId(peer.handle.snapshot().id)}) and registered ${count} files, ${formatBytes(bytes)}.`,
			);
			return {...peer, bus};
		};
		await start('alice', [files]);
		const bob = await start('bob', [path.join(files, 'second-peer')]);

		let verified = true;
		for (const name of wanted) {
			const found = await bob.handle.commands.search({query: `name:"${name}"`});
			const hit = found.hits[0];
			if (!hit) throw new P2pError('not-found', `The demo's own ${name} was not found`);
			const holders = hit.sources.map(source => `${source.name} (${source.number})`).join(' and ');
			tell(
				`bob searches for ${name}: held by ${holders}, content ID ${shortId(hit.content)}…, ${Math.round(found.ms)} ms.`,
			);
			const alice = hit.sources.find(source => source.name === 'alice');
			if (!alice) throw new P2pError('no-source', `alice does not offer ${name}`);
			const finished = next(bob.bus, 'download-finished', event => event.content === hit.content, signal, bob.bus);
			await bob.handle.commands.get({content: hit.content, name: hit.name, size: hit.size, from: [alice.peer]});
			const {path: arrived} = await finished;
			const same = (await readFile(arrived)).equals(await readFile(path.join(files, name)));
			verified &&= same;
			tell(
				`bob downloaded ${name} from alice: ${formatBytes(hit.size)}, ${same ? 'every byte equal' : 'BUT THE BYTES DIFFER'}.`,
			);
		}
		return {peer: bob.handle, verified, stop};
	} catch (error) {
		await stop();
		throw error;
	}
}

/** The first event of that name that fits. @throws the download's own failure, or P2pError timeout or cancelled */
function next<K extends keyof EngineEvents>(
	bus: EngineBus,
	name: K,
	fits: (event: EngineEvents[K]) => boolean,
	signal?: AbortSignal,
	failures?: EngineBus,
): Promise<EngineEvents[K]> {
	return new Promise((resolve, reject) => {
		const end = (act: () => void) => {
			clearTimeout(timer);
			stopListening();
			stopFailures?.();
			signal?.removeEventListener('abort', abort);
			act();
		};
		const abort = () => end(() => reject(signal?.reason));
		const timer = setTimeout(
			() => end(() => reject(new P2pError('timeout', `The demo waited in vain for ${name}`))),
			patience,
		);
		const stopListening = bus.on(name, event => {
			if (fits(event)) end(() => resolve(event));
		});
		const stopFailures = failures?.on('download-failed', ({code, message}) =>
			end(() => reject(new P2pError(code, message))),
		);
		if (signal?.aborted) abort();
		else signal?.addEventListener('abort', abort, {once: true});
	});
}

/** The folder of example files that comes with the program, in a checkout and in an installed package alike. */
function testingFiles(): string {
	for (let folder = new URL('.', import.meta.url), depth = 0; depth < 5; folder = new URL('..', folder), depth++) {
		const found = fileURLToPath(new URL('testing_files/', folder));
		if (existsSync(path.join(found, '1.txt'))) return path.resolve(found);
	}
	throw new P2pError('not-found', 'The folder testing_files is missing from this installation');
}
