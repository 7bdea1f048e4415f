// What Node's TLS costs by itself on this machine: bytes from memory over one and two connections, each with a receiving
// thread of its own, with nothing done to them, hashed, and hashed and written. `npm run bench:transfer-floor`
import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync, rmSync} from 'node:fs';
import type {OnReadOpts} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {type ConnectionOptions, connect, createServer, type TLSSocket} from 'node:tls';
import {fileURLToPath} from 'node:url';
import {isMainThread, Worker, workerData} from 'node:worker_threads';
import {blockHashes} from '../source/content/merkle.ts';
import {alignedBuffer, DirectWrites} from '../source/download/direct-write.ts';
import {WriteLock} from '../source/download/write-lock.ts';
import {temporaryIdentity} from '../source/identity/identity.ts';
import {type TlsIdentity, tlsOptions} from '../source/net/tls-options.ts';

const MiB = 1024 * 1024;
const total = 1024 * MiB;
const work = ['nothing', 'hash', 'hash and write'] as const;

type Order = {
	port: number;
	bytes: number;
	position: number;
	work: (typeof work)[number];
	file: string;
	identity: TlsIdentity;
};

/** The sender's process: on each connection as many bytes as its first message asks for. */
async function send(): Promise<void> {
	const buffer = Buffer.alloc(MiB / 2, 7);
	const server = createServer(tlsOptions(await temporaryIdentity()), (socket: TLSSocket) => {
		socket.on('error', () => undefined);
		socket.once('data', asked => {
			let left = Number(asked.toString());
			const more = () => {
				left -= buffer.length;
				if (left > 0) socket.write(buffer, more);
				else socket.end(buffer);
			};
			socket.write(buffer, more);
			left -= buffer.length;
		});
	});
	server.listen(0, '127.0.0.1', () => process.send?.({port: (server.address() as {port: number}).port}));
	process.on('message', () => process.send?.(process.cpuUsage()));
	process.on('disconnect', () => server.close());
}

/** A receiving thread. */
async function receive({port, bytes, position, work: kind, file, identity}: Order): Promise<void> {
	const piece = alignedBuffer(MiB);
	const fd = openSync(file, 'r+');
	const writer = new DirectWrites(new WriteLock()).open(fd);
	let filled = 0;
	let at = position;
	const take = (length: number, buffer: Uint8Array) => {
		if (kind === 'nothing') return true;
		for (let from = 0; from < length; ) {
			const to = Math.min(length, from + piece.length - filled);
			piece.set(buffer.subarray(from, to), filled);
			filled += to - from;
			from = to;
			if (filled < piece.length) continue;
			blockHashes(piece);
			if (kind === 'hash and write') writer.write(piece, piece.length, at);
			at += piece.length;
			filled = 0;
		}
		return true;
	};
	// Documented for tls.connect, but missing from its types.
	const options: ConnectionOptions & {onread: OnReadOpts} = {
		...tlsOptions(identity),
		...{host: '127.0.0.1', port, onread: {buffer: Buffer.alloc(64 * 1024), callback: take}},
	};
	const socket = connect(options);
	socket.write(String(bytes));
	socket.resume();
	await once(socket, 'close');
	writer.close();
	closeSync(fd);
}

async function measure(
	sender: ChildProcess,
	port: number,
	kind: (typeof work)[number],
	threads: number,
): Promise<string> {
	const file = path.join(tmpdir(), `p2p-tui-floor-${process.pid}`);
	closeSync(openSync(file, 'w'));
	const identity = await temporaryIdentity();
	const theirs = async () => {
		sender.send('cpu');
		const [{user, system}] = (await once(sender, 'message')) as [NodeJS.CpuUsage];
		return user + system;
	};
	const before = await theirs();
	const [start, ours] = [performance.now(), process.cpuUsage()];
	const bytes = total / threads;
	const {keyPem, certificatePem} = identity;
	await Promise.all(
		Array.from({length: threads}, (_, n) => {
			const order: Order = {port, bytes, position: n * bytes, work: kind, file, identity: {keyPem, certificatePem}};
			return once(new Worker(fileURLToPath(import.meta.url), {workerData: order}), 'exit');
		}),
	);
	const seconds = (performance.now() - start) / 1000;
	const {user, system} = process.cpuUsage(ours);
	const cpu = [(await theirs()) - before, user + system].map(micros => (micros / 1e6).toFixed(2));
	rmSync(file);
	return `| ${[kind, threads, seconds.toFixed(2), ...cpu].join(' | ')} |`;
}

if (!isMainThread) await receive(workerData as Order);
else if (process.argv[2] === 'send') await send();
else {
	const sender = fork(fileURLToPath(import.meta.url), ['send']);
	const [{port}] = (await once(sender, 'message')) as [{port: number}];
	process.stdout.write(
		'| done to 1 GiB | threads | seconds | CPU s, sender | receiver |\n| --- | ---: | ---: | ---: | ---: |\n',
	);
	for (const threads of [1, 2])
		for (const kind of work) process.stdout.write(`${await measure(sender, port, kind, threads)}\n`);
	sender.disconnect();
}
