// Measures the index over a real Redis Cluster beside SQLite, in one run:
// node bench/index-redis.ts [--size 200000] [--seconds 4] [--failovers 3]
// Prints a Markdown table. Everything is in temporary folders and processes that are gone at the end.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {startRedisCluster} from '../test/helpers/redis-cluster.ts';
import {Corpus} from './index/corpus.ts';
import {load, steady} from './index/load.ts';
import {mixedQueries} from './index/queries.ts';
import {registerAll} from './index/register.ts';
import {percentile, short} from './index/statistics.ts';
import {Server} from './index-redis/server.ts';
import {SingleChanges} from './index-redis/single-changes.ts';

const {values} = parseArgs({
	options: {
		size: {type: 'string', default: '200000'},
		seconds: {type: 'string', default: '4'},
		failovers: {type: 'string', default: '3'},
	},
});
const size = Number(values.size);
const seconds = Number(values.seconds);
const folder = mkdtempSync(path.join(tmpdir(), 'p2p-bench-'));
const corpus = new Corpus(size);
const queries = mixedQueries(corpus);
const print = (line = '') => process.stdout.write(`${line}\n`);
const note = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

async function until(condition: () => Promise<boolean>, patience = 120_000): Promise<number> {
	const started = performance.now();
	while (!(await condition())) {
		if (performance.now() - started > patience) throw new Error('waited in vain');
		await sleep(2);
	}
	return performance.now() - started;
}

async function register(server: Server) {
	const stop = await steady(server.port, queries, 50);
	const before = await server.usage();
	const {files, seconds: took} = await registerAll(server.port, corpus);
	const after = await server.usage();
	const {latency, errors} = await stop();
	await server.online();
	return {files, rate: files / took, cpu: (after.cpuMs - before.cpuMs) / (files / 1000), latency, errors};
}

const cluster = await startRedisCluster({masters: 3, replicas: 1, nodeTimeout: 2000, onDisk: true});
try {
	note('SQLite: registering');
	const plain = await Server.start(path.join(folder, 'sqlite'));
	const plainRegister = await register(plain);
	await sleep(3000);
	note('SQLite: searching');
	const plainSearch = await load(plain.port, queries, seconds);
	const plainUsage = await plain.usage();
	await plain.stop();

	note('cluster: registering');
	const one = await Server.start(path.join(folder, 'one'), cluster.url);
	const first = await register(one);
	const full = await cluster.memory();
	note('cluster: a new server from the logs');
	const fromLogs = await Server.start(path.join(folder, 'logs'), cluster.url);
	await until(async () => (await fromLogs.state()).wholeAfter > 0);
	const logsTime = (await fromLogs.state()).wholeAfter;
	await fromLogs.stop();
	await sleep(10_000);
	const cut = await cluster.memory();
	note('cluster: a new server from a copy');
	const two = await Server.start(path.join(folder, 'two'), cluster.url);
	await until(async () => (await two.state()).wholeAfter > 0);
	const copyTime = (await two.state()).wholeAfter;
	await until(async () => (await two.state()).counts.files >= first.files);
	note('cluster: searching');
	const alone = await load(one.port, queries, seconds);
	const both = await Promise.all([load(one.port, queries, seconds, 32), load(two.port, queries, seconds, 32)]);
	const usage = await one.usage();

	note('cluster: from one server to the other');
	const delays: number[] = [];
	const takes: number[] = [];
	const single = await SingleChanges.start(one.port, two.port);
	for (let i = 0; i < 100; i++) {
		const started = performance.now();
		const name = await single.add();
		takes.push(performance.now() - started);
		delays.push(await until(() => single.isFound(name)));
		await sleep(Math.random() * 100);
	}
	await single.close();

	note('cluster: killing masters');
	const stalls: number[] = [];
	const gaps: number[] = [];
	let searchErrors = 0;
	for (let round = 0; round < Number(values.failovers); round++) {
		const writers = await Promise.all(Array.from({length: 8}, () => SingleChanges.start(one.port, two.port)));
		const stop = await steady(two.port, queries, 50);
		const [victim] = await cluster.masters();
		await sleep(1000);
		let running = true;
		const longest = writers.map(async writer => {
			let most = 0;
			while (running) {
				const started = performance.now();
				await writer.add();
				most = Math.max(most, performance.now() - started);
				await sleep(50);
			}
			return most;
		});
		await sleep(500);
		await victim?.kill();
		await sleep(9000);
		running = false;
		stalls.push(Math.max(...(await Promise.all(longest))));
		const {latency, errors} = await stop();
		gaps.push(latency.p99);
		searchErrors += errors;
		for (const writer of writers) await writer.close();
		await victim?.restart();
		await sleep(4000);
	}

	const perMillion = (bytes: number) => `${short(bytes / 2 ** 20 / (first.files / 1e6))} MB`;
	print(`### ${first.files.toLocaleString('en')} files of ${corpus.peers} peers, three masters with a replica each`);
	print();
	print('| | SQLite | cluster | ratio |');
	print('|---|---|---|---|');
	const row = (what: string, a: number, b: number, unit = '') =>
		print(`| ${what} | ${short(a)}${unit} | ${short(b)}${unit} | ${short(b / a)} |`);
	row('files registered per second', plainRegister.rate, first.rate);
	row('CPU of the index server per 1,000 files', plainRegister.cpu, first.cpu, ' ms');
	row('50 searches a second meanwhile, p50', plainRegister.latency.p50, first.latency.p50, ' ms');
	row('the same, p99', plainRegister.latency.p99, first.latency.p99, ' ms');
	row('searches per second, one server, 64 connections', plainSearch.perSecond, alone.perSecond);
	row('the same, two servers, 32 connections each', plainSearch.perSecond, both[0].perSecond + both[1].perSecond);
	row('p50 of these', plainSearch.latency.p50, alone.latency.p50, ' ms');
	row('memory of the index server', plainUsage.rss / 2 ** 20, usage.rss / 2 ** 20, ' MB');
	print();
	print('| cluster | |');
	print('|---|---|');
	print(
		`| from sending one file until it is taken, p50 / p99 | ${short(percentile(takes, 0.5))} / ${short(percentile(takes, 0.99))} ms |`,
	);
	print(
		`| from then until it is found at the other server, p50 / p99 | ${short(percentile(delays, 0.5))} / ${short(percentile(delays, 0.99))} ms |`,
	);
	print(`| Redis memory per million files, masters, with the whole log | ${perMillion(full)} |`);
	print(`| the same with the log cut | ${perMillion(cut)} |`);
	print(`| a new server is whole, from the logs | ${short(logsTime / 1000)} s |`);
	print(`| a new server is whole, from a copy of another | ${short(copyTime / 1000)} s |`);
	print(
		`| a master is killed: longest wait of a change, each time | ${stalls.map(ms => `${short(ms / 1000)} s`).join(', ')} |`,
	);
	print(
		`| searches meanwhile: p99 each time, errors of all | ${gaps.map(ms => `${short(ms)} ms`).join(', ')}; ${searchErrors} |`,
	);
	await Promise.all([one.stop(), two.stop()]);
} finally {
	await cluster.stop();
	rmSync(folder, {recursive: true, force: true});
}
process.exit();
