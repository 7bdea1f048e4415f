// Many connected peers and a steady stream of searches, for minutes: nothing may fail, grow or slow down.
// node bench/index-soak.ts [--peers 2000] [--rate 500] [--minutes 5] [--files 100000]
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {connect, type TLSSocket} from 'node:tls';
import {parseArgs} from 'node:util';
import {temporaryIdentity} from '../source/identity/identity.ts';
import {tlsOptions} from '../source/net/tls-options.ts';
import {Corpus} from './index/corpus.ts';
import {steady} from './index/load.ts';
import {querySets} from './index/queries.ts';
import {ServerHandle} from './index/server-handle.ts';
import {short} from './index/statistics.ts';

const {values} = parseArgs({
	options: {
		peers: {type: 'string', default: '2000'},
		rate: {type: 'string', default: '500'},
		minutes: {type: 'string', default: '5'},
		files: {type: 'string', default: '100000'},
	},
});
const [peers, rate, minutes, files] = [values.peers, values.rate, values.minutes, values.files].map(Number) as [
	...[number, number, number, number],
];
const print = (line: string) => process.stdout.write(`${line}\n`);
const folder = mkdtempSync(path.join(tmpdir(), 'p2p-soak-'));
const server = await ServerHandle.start(path.join(folder, 'index.db'));
const identities = await Promise.all(Array.from({length: Math.min(peers, 200)}, () => temporaryIdentity()));
const sockets: TLSSocket[] = [];
const renewals: NodeJS.Timeout[] = [];
let lost = 0;
let leaving = false;

/** A peer that holds an event stream open; without a key of its own it is a guest, which costs the server the same. */
function listen(place: number): Promise<void> {
	return new Promise((resolve, reject) => {
		const identity = identities[place];
		const socket = connect({
			...{host: '127.0.0.1', port: server.port, rejectUnauthorized: false},
			...(identity && tlsOptions(identity)),
		});
		sockets.push(socket);
		let text = '';
		const onData = (chunk: Buffer) => {
			text += chunk.toString('latin1');
			if (text.includes('"number":')) {
				text = '';
				socket.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
			} else if (text.includes('event: hello')) {
				socket.off('data', onData);
				socket.resume();
				resolve();
			}
		};
		socket.on('data', onData);
		socket.once('error', reject);
		socket.once('close', () => {
			if (!leaving) lost++;
		});
		socket.once('secureConnect', () => {
			socket.write(identity ? registration(place) : 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
		});
	});
}

function registration(place: number): string {
	const body = JSON.stringify({name: `p${place}`, port: 25_000, epoch: 'cd'.repeat(16), version: 0});
	const head = 'PUT /v1/peers/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json';
	return `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Keeps a peer's registration alive over a second connection, as its client does. */
function renew(place: number): void {
	const identity = identities[place];
	if (!identity) return;
	const options = {host: '127.0.0.1', port: server.port, ...tlsOptions(identity)};
	const socket = connect(options, () => {
		renewals.push(setInterval(() => socket.write(registration(place)), 5000));
	});
	socket.on('error', () => undefined).resume();
	sockets.push(socket);
}

try {
	await server.fill(files);
	for (let at = 0; at < peers; at += 50)
		await Promise.all(Array.from({length: Math.min(50, peers - at)}, (_, i) => listen(at + i)));
	for (let at = 0; at < identities.length; at++) renew(at);
	print(`${peers} event streams are open; ${rate} searches a second over ${files.toLocaleString('en')} files`);
	const queries = querySets(new Corpus(files))
		.filter(({kind}) => kind !== 'by content')
		.flatMap(set => set.queries);
	print('| minute | searches | errors | p50 / p99 ms | server MB | event loop p99 ms | lost streams |');
	print('|---|---|---|---|---|---|---|');
	for (let minute = 1; minute <= minutes; minute++) {
		await server.usage();
		const stop = await steady(server.port, queries, rate, 32);
		await new Promise(resolve => setTimeout(resolve, 60_000));
		const {latency, errors, answered} = await stop();
		const {rss, delay} = await server.usage();
		const memory = short(rss / 2 ** 20);
		print(
			`| ${minute} | ${answered} | ${errors} | ${short(latency.p50)} / ${short(latency.p99)} | ${memory} | ${short(delay.p99)} | ${lost} |`,
		);
	}
} finally {
	leaving = true;
	for (const timer of renewals) clearInterval(timer);
	for (const socket of sockets) socket.destroy();
	await server.stop();
	rmSync(folder, {recursive: true, force: true});
}
process.exit();
