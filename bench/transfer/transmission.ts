// Transmission as the other peer-to-peer program. Nothing leaves the machine: a private torrent, a tracker of our own on
// loopback, no DHT, PEX, LPD, µTP or port mapping. It refuses peers on 127.0.0.1, so both ends take the machine's own
// address; the bytes still go over the loopback device.
// Version 3.00 takes its time by itself: a seeder lets new peers in every 10 s, and a downloader has at most 512 blocks of
// 16 KiB outstanding with a peer and asks for more once a second, which is 8.4 MB/s from one peer whatever the link. 64 MiB
// take it 17 s to 25 s, 1 GiB over two minutes: `--size 64M`.
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {networkInterfaces} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {endProcess, findProgram, freePort, type Prepared, type Rival, type Workload} from './contestant.ts';
import {runMeasured} from './measure.ts';

const patience = 120_000;

/** A tracker that knows one seeder: it tells everybody else about it. `seeding` resolves when that one is ready. */
async function startTracker(host: string, seedPort: number) {
	const ready = Promise.withResolvers<void>();
	const peer = Buffer.from([...host.split('.').map(Number), seedPort >> 8, seedPort & 255]).toString('latin1');
	const server: Server = createServer((request, response) => {
		const {searchParams} = new URL((request.url ?? '').replace(/%[89a-f][0-9a-f]/gi, '_'), 'http://tracker');
		const seeder = Number(searchParams.get('port')) === seedPort;
		if (seeder && searchParams.get('left') === '0') ready.resolve();
		const peers = seeder ? '' : peer;
		response.end(Buffer.from(`d8:intervali3600e5:peers${peers.length}:${peers}e`, 'latin1'));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {server, seeding: ready.promise, port: (server.address() as AddressInfo).port};
}

async function settings(folder: string, host: string, port: number): Promise<string> {
	await rm(folder, {recursive: true, force: true});
	await mkdir(folder, {recursive: true});
	const off = ['dht-enabled', 'lpd-enabled', 'pex-enabled', 'utp-enabled', 'port-forwarding-enabled'];
	const values = {
		...Object.fromEntries(off.map(key => [key, false])),
		...{'bind-address-ipv4': host, 'bind-address-ipv6': '::1', 'peer-port': port, preallocation: 0, encryption: 2},
		...{'speed-limit-down-enabled': false, 'speed-limit-up-enabled': false, 'ratio-limit-enabled': false},
		...{'cache-size-mb': 16, 'blocklist-enabled': false},
	};
	await writeFile(path.join(folder, 'settings.json'), JSON.stringify(values));
	return folder;
}

export const transmission: Rival = async (workload, scratch) => {
	const [cli, create] = [findProgram('transmission-cli'), findProgram('transmission-create')];
	if (!cli || !create) return 'Transmission (transmission-cli) is not installed';
	const host = Object.values(networkInterfaces())
		.flat()
		.find(address => address && !address.internal && address.family === 'IPv4')?.address;
	if (!host) return 'Transmission talks to no peer on 127.0.0.1, and this machine has no other address';
	return prepare({cli, create, host, workload, scratch});
};

type Parts = {cli: string; create: string; host: string; workload: Workload; scratch: string};

async function prepare({cli, create, host, workload, scratch}: Parts): Promise<Prepared | string> {
	const seedPort = await freePort();
	const tracker = await startTracker(host, seedPort);
	const torrent = path.join(scratch, 'workload.torrent');
	const what = workload.files.length > 1 ? workload.folder : path.join(workload.folder, workload.files[0]!);
	const announce = `http://127.0.0.1:${tracker.port}/announce`;
	await runMeasured(create, ['-p', '-t', announce, '-o', torrent, what]);
	const seedHome = await settings(path.join(scratch, 'transmission-seed'), host, seedPort);
	const args = ['-M', '-g', seedHome, '-p', String(seedPort), '-w', path.dirname(what), torrent];
	const seeder: ChildProcess = spawn(cli, args, {stdio: 'ignore'});
	const stop = async () => {
		await endProcess(seeder);
		tracker.server.closeAllConnections();
		tracker.server.close();
	};
	if ((await Promise.race([tracker.seeding, sleep(patience, 'late', {ref: false})])) === 'late') {
		await stop();
		return 'Transmission did not start to seed';
	}
	const name = path.basename(what);
	return {
		contestants: [
			{
				name: 'Transmission',
				note: 'RC4, verified (SHA-1)',
				servers: [seeder],
				async run(into) {
					const port = await freePort();
					const home = await settings(path.join(scratch, 'transmission-get'), host, port);
					const [done, finish] = [path.join(home, 'done'), path.join(home, 'finish')];
					await writeFile(finish, `#!/bin/sh\ntouch '${done}'\n`, {mode: 0o755});
					// It goes on seeding when it has all: ended by its own process ID then.
					const script = `'${cli}' -M -g "$1" -p ${port} -w "$2" -f "$3" "$4" >/dev/null 2>&1 & pid=$!
while [ ! -e "$5" ]; do kill -0 $pid || exit 1; sleep 0.05; done
find "$6" -type f -exec sync {} +; kill -9 $pid; wait $pid; exit 0`;
					const arrived = path.join(into, name);
					const ended = await runMeasured('sh', ['-c', script, 'sh', home, into, finish, torrent, done, arrived]);
					return {...ended, arrived};
				},
			},
		],
		stop,
	};
}
