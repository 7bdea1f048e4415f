// 500 downloaders at one uploader, over TLS, from one load process: its memory and its event loop.
// npm run bench:many-downloaders -- [--downloaders 500] [--each 8M] [--slots 500]
import {fork} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {request} from 'node:https';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

const MiB = 1024 * 1024;
const piece = 256 * 1024;

const {values: flags} = parseArgs({
	options: {
		downloaders: {type: 'string', default: '500'},
		each: {type: 'string', default: '8M'},
		slots: {type: 'string', default: '500'},
	},
});
const count = Number(flags.downloaders);
const bytes = Number.parseInt(flags.each, 10) * MiB;

type Stats = {p50: number; p99: number; max: number; memory: number};

/** One downloader: keeps one connection, asks for eight pieces at a time, waits when it is told to. */
async function download(port: number, content: string, number: number): Promise<number> {
	const {Agent} = await import('node:https');
	// Guests are told apart by their address: loopback has millions.
	const localAddress = `127.1.${number >> 8}.${number & 255}`;
	const agent = new Agent({keepAlive: true, maxSockets: 1, rejectUnauthorized: false, localAddress});
	let refused = 0;
	for (let at = 0; at < bytes; ) {
		const end = Math.min(bytes, at + 8 * piece);
		const headers = {range: `bytes=${at}-${end - 1}`};
		const call = request({host: '127.0.0.1', port, path: `/v1/files/${content}`, agent, headers});
		call.end();
		const [response] = (await once(call, 'response')) as [import('node:http').IncomingMessage];
		let got = 0;
		response.on('data', (chunk: Buffer) => {
			got += chunk.length;
		});
		await once(response, 'end');
		if (response.statusCode === 503) {
			refused++;
			await sleep(Number(response.headers['retry-after']) * 1000);
		} else if (response.statusCode === 206 && got === end - at) at = end;
		else throw new Error(`answered ${response.statusCode} with ${got} bytes`);
	}
	agent.destroy();
	return refused;
}

const scratch = await mkdtemp(path.join(tmpdir(), 'p2p-tui-bench-'));
try {
	const file = path.join(scratch, 'file.bin');
	await writeFile(file, randomBytes(bytes));
	const uploader = fork(fileURLToPath(new URL('transfer/uploader.ts', import.meta.url)), [file, flags.slots]);
	const [{port, content}] = (await once(uploader, 'message')) as [{port: number; content: string}];
	const ask = async (): Promise<Stats> => {
		uploader.send('stats');
		const [stats] = (await once(uploader, 'message')) as [Stats];
		return stats;
	};
	await ask();
	const start = performance.now();
	const refused = await Promise.all(Array.from({length: count}, (_, number) => download(port, content, number + 1)));
	const seconds = (performance.now() - start) / 1000;
	const {p50, p99, max, memory} = await ask();
	uploader.disconnect();
	await once(uploader, 'exit');
	const rate = Math.round((count * bytes) / 1e6 / seconds);
	process.stdout.write(`Node ${process.version}: ${count} downloaders of ${bytes / MiB} MiB each, ${flags.slots} slots

| seconds | MB/s | peak memory, MB | loop delay p50, ms | p99 | longest | told to wait |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| ${[seconds.toFixed(1), rate, Math.round(memory / 1e6), p50.toFixed(1), p99.toFixed(1), max.toFixed(1)].join(' | ')} | ${refused.reduce((sum, times) => sum + times, 0)} |
`);
} finally {
	await rm(scratch, {recursive: true, force: true});
}
