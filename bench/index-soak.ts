// Many connected peers and a steady stream of searches, for minutes: nothing may fail, grow or slow down.
// node bench/index-soak.ts [--peers 2000] [--rate 500] [--minutes 5] [--files 100000] [--every 60] [--slow] [--flags=A|B]
// The peers run in a process of their own, the searches in this one, the server in a third: "delay" is how late the event loop of
// each comes, and "CPU" what each takes of one core.
import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {monitorEventLoopDelay} from 'node:perf_hooks';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {Corpus} from './index/corpus.ts';
import {steady} from './index/load.ts';
import {querySets} from './index/queries.ts';
import {ServerHandle, type Usage} from './index/server-handle.ts';
import type {PeersState} from './index/soak-peers.ts';
import {busyMs, percentile, short} from './index/statistics.ts';

const {values} = parseArgs({
	options: {
		peers: {type: 'string', default: '2000'},
		rate: {type: 'string', default: '500'},
		minutes: {type: 'string', default: '5'},
		files: {type: 'string', default: '100000'},
		every: {type: 'string', default: '60'},
		slow: {type: 'boolean', default: false},
		/** Flags of V8 that take turns in the same server, one set in each row: what is compared so has the same minutes. */
		flags: {type: 'string', default: ''},
	},
});
const numbers = [values.peers, values.rate, values.minutes, values.files, values.every].map(Number);
const [peers = 0, rate = 0, minutes = 0, files = 0, every = 0] = numbers;
const print = (line: string) => process.stdout.write(`${line}\n`);
const folder = mkdtempSync(path.join(tmpdir(), 'p2p-soak-'));
const server = await ServerHandle.start(path.join(folder, 'index.db'));
const loop = monitorEventLoopDelay({resolution: 5});
let crowd: ChildProcess | undefined;

/** What the peers' process says. */
async function ask(): Promise<PeersState> {
	crowd?.send('state');
	const [state] = (await once(crowd!, 'message')) as [PeersState];
	return state;
}

const memoryOf = ({rss, mapped}: Usage) => `${short((rss - mapped) / 2 ** 20)} / ${short(rss / 2 ** 20)}`;

try {
	print(`${short(await server.fill(files))} s to fill in ${files.toLocaleString('en')} files`);
	crowd = fork(fileURLToPath(new URL('index/soak-peers.ts', import.meta.url)), [String(server.port), String(peers)]);
	const [came] = (await once(crowd, 'message')) as [string];
	let before = await server.usage();
	print(`${came}; memory of the server ${memoryOf(before)} MB, ${rate} searches a second from now on`);
	const queries = querySets(new Corpus(files))
		.filter(({kind}) => kind !== 'by content')
		.flatMap(set => set.queries);
	print(
		'| s | searches | errors | p50 / p99 / most ms | CPU server, peers, searches | others | MB without, with mapped files | server delay p50 / p99 / most ms | own delay p99 ms | renewals | refused | lost |',
	);
	print('|---|---|---|---|---|---|---|---|---|---|---|---|');
	loop.enable();
	let crowdBefore = await ask();
	const variants = values.flags
		.split('|')
		.map(text => ({text, flags: text.split(' ').filter(Boolean), all: [] as number[]}));
	for (let at = every; at <= minutes * 60; at += every) {
		const ownBefore = process.cpuUsage();
		const allBefore = busyMs();
		const started = performance.now();
		const variant = variants[Math.round(at / every - 1) % variants.length]!;
		await server.flags(variant.flags);
		loop.reset();
		const stop = await steady(server.port, queries, rate, 32);
		await new Promise(resolve => setTimeout(resolve, every * 1000));
		const {latency, errors, answered, times, slow} = await stop();
		variant.all = variant.all.concat(times);
		const own = process.cpuUsage(ownBefore);
		const [now, crowdNow] = [await server.usage(), await ask()];
		const took = performance.now() - started;
		const cpu = [now.cpuMs - before.cpuMs, crowdNow.cpuMs - crowdBefore.cpuMs, (own.user + own.system) / 1000] as const;
		const others = busyMs() - allBefore - cpu[0] - cpu[1] - cpu[2];
		const share = (ms: number) => `${short((100 * ms) / took)}%`;
		const columns = [
			...[at, answered, errors],
			[latency.p50, latency.p99, percentile(times, 1)].map(short).join(' / '),
			...[cpu.map(share).join(', '), share(others), memoryOf(now)],
			[now.delay.p50, now.delay.p99, now.delay.max].map(short).join(' / '),
			short(loop.percentile(99) / 1e6 - 5),
			...[crowdNow.renewals - crowdBefore.renewals, crowdNow.refused, crowdNow.lost],
		];
		print(`| ${columns.join(' | ')} |`);
		const threads = Object.entries(now.threads)
			.map(([name, ms]) => [name, ms - (before.threads[name] ?? 0)] as const)
			.filter(([, ms]) => ms > took / 100)
			.map(([name, ms]) => `${name} ${share(ms)}`);
		print(`<!-- server: ${threads.join(', ')}; events ${crowdNow.events - crowdBefore.events} -->`);
		if (values.slow)
			for (const {at, ms, path} of slow.slice(0, 200).sort((a, b) => a.at - b.at))
				print(`<!-- ${at.toFixed(3)} s: ${short(ms)} ms ${path} -->`);
		[before, crowdBefore] = [now, crowdNow];
	}
	if (variants.length > 1)
		for (const {text, all} of variants) {
			const parts = [0.5, 0.9, 0.99, 0.999].map(part => short(percentile(all, part)));
			print(`${text}: ${all.length} searches, p50 / p90 / p99 / p99.9 ${parts.join(' / ')} ms`);
		}
} finally {
	if (crowd?.connected) {
		crowd.send('leave');
		await once(crowd, 'exit');
	}
	await server.stop();
	rmSync(folder, {recursive: true, force: true});
}
process.exit();
