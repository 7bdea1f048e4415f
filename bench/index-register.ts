// Measures registering alone, with searches beside it and without: where its CPU goes, thread by thread.
// The searches are made in a process of their own, "this process" sends the files.
// node bench/index-register.ts [--size 200000] [--searches 0,100] [--peers 1]
// With one peer also what it costs that one to come back, with nothing changed and with a hundredth of its files changed.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {comeBack} from './index/again.ts';
import {Corpus} from './index/corpus.ts';
import {mixedQueries} from './index/queries.ts';
import {catalogEpoch, prepareUploads, registerAll} from './index/register.ts';
import {steadyApart} from './index/search-load.ts';
import {ServerHandle} from './index/server-handle.ts';
import {busyMs, percentile, short, threadTimes} from './index/statistics.ts';

const {values} = parseArgs({
	options: {
		size: {type: 'string', default: '200000'},
		searches: {type: 'string', default: '0,100'},
		peers: {type: 'string'},
	},
});
const corpus = new Corpus(Number(values.size), values.peers === undefined ? undefined : Number(values.peers));
const print = (line = '') => process.stdout.write(`${line}\n`);
const uploads = await prepareUploads(corpus);
const queries = mixedQueries(corpus);
const folder = mkdtempSync(path.join(tmpdir(), 'p2p-bench-'));

try {
	for (const [at, rate] of values.searches.split(',').map(Number).entries()) {
		const server = await ServerHandle.start(path.join(folder, `${at}.db`));
		const searches = rate > 0 ? await steadyApart(server.port, queries, rate) : undefined;
		const before = await server.usage();
		const ownBefore = process.cpuUsage();
		const ownThreads = threadTimes();
		const allBefore = busyMs();
		const online = setInterval(() => void server.online(), 500);
		const {files, seconds} = await registerAll(server.port, corpus, uploads);
		clearInterval(online);
		const own = process.cpuUsage(ownBefore);
		const ownAfter = threadTimes();
		const after = await server.usage();
		const ownMs = (own.user + own.system) / 1000;
		const others = busyMs() - allBefore - ownMs - (after.cpuMs - before.cpuMs);
		const during = await searches?.();
		const each = (ms: number) => `${short((ms * 1000) / files)} µs`;
		print(
			`${files.toLocaleString('en')} files of ${corpus.peers} peers, ${rate} searches a second: ${short(files / seconds)} files/s`,
		);
		if (during) {
			const {times, errors} = during;
			const worst = [0.5, 0.9, 0.99, 1].map(part => short(percentile(times, part))).join(' / ');
			print(`  searches p50 / p90 / p99 / most: ${worst} ms; ${times.length} answered, ${errors} errors`);
		}
		print(`  event loop delay p99 / most: ${short(after.delay.p99)} / ${short(after.delay.max)} ms`);
		print(`  CPU a file: server ${each(after.cpuMs - before.cpuMs)}, this process ${each(ownMs)}`);
		print(`  other processes took ${short(others / 1000)} s of CPU in ${short(seconds)} s`);
		const told = (now: Record<string, number>, then: Record<string, number>) =>
			Object.entries(now)
				.map(([name, ms]) => [name, ms - (then[name] ?? 0)] as const)
				.filter(([, ms]) => ms > 50)
				.map(([name, ms]) => `${name} ${each(ms)}`)
				.join(', ');
		print(`    server: ${told(after.threads, before.threads)}`);
		print(`    this process: ${told(ownAfter, ownThreads)}`);
		const settled = await server.settled();
		print(
			`  disk ${short(after.disk / files)}, at rest ${short(settled.disk / files)} bytes a file; ${short(settled.cpuMs - after.cpuMs)} ms of CPU to rest`,
		);
		print(`  memory ${short(after.rss / 2 ** 20)} MB, of that mapped files ${short(after.mapped / 2 ** 20)}`);
		const first = corpus.peers === 1 ? await uploads.get(0) : undefined;
		if (first) {
			const back = {identity: first.identity, epoch: catalogEpoch};
			for (const {what, ms, sent, received} of await comeBack({port: server.port, id: server.id}, corpus, back)) {
				const bytes = `${sent.toLocaleString('en')} bytes sent, ${received.toLocaleString('en')} received`;
				print(`  ${what}: ${short(ms)} ms, ${bytes}`);
			}
		}
		await server.stop();
	}
} finally {
	rmSync(folder, {recursive: true, force: true});
}
process.exit();
