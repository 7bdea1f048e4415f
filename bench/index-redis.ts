// Measures the index over a real Redis Cluster beside SQLite, by parts, each of which can be had alone:
// node bench/index-redis.ts [--only register,search,start,delay,failover] [--size 100000] [--peers N] [--rounds 2]
//   [--searches 0] [--seconds 4] [--failovers 2]
// register and search go to SQLite and to the cluster in turn, `rounds` times. Everything is in temporary folders and
// processes that are gone at the end.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {type RedisCluster, startRedisCluster} from '../test/helpers/redis-cluster.ts';
import {Corpus} from './index/corpus.ts';
import {load} from './index/load.ts';
import {mixedQueries} from './index/queries.ts';
import {prepareUploads, registerAll} from './index/register.ts';
import {percentile, short} from './index/statistics.ts';
import {killMasters, measureDelay} from './index-redis/disturb.ts';
import {measureRegister, tellRegister} from './index-redis/register.ts';
import {Server} from './index-redis/server.ts';
import {until} from './index-redis/until.ts';

const {values} = parseArgs({
	options: {
		only: {type: 'string', default: 'register,search,start,delay,failover'},
		size: {type: 'string', default: '100000'},
		peers: {type: 'string'},
		rounds: {type: 'string', default: '2'},
		searches: {type: 'string', default: '0'},
		seconds: {type: 'string', default: '4'},
		failovers: {type: 'string', default: '2'},
	},
});
const parts = new Set(values.only.split(','));
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const folder = mkdtempSync(path.join(tmpdir(), 'p2p-bench-'));
const corpus = new Corpus(Number(values.size), values.peers === undefined ? undefined : Number(values.peers));
const queries = mixedQueries(corpus);
const uploads = await prepareUploads(corpus);
const print = (line = '') => process.stdout.write(`${line}\n`);
const note = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

async function withCluster(work: (cluster: RedisCluster) => Promise<void>): Promise<void> {
	const cluster = await startRedisCluster({masters: 3, replicas: 1, nodeTimeout: 2000, onDisk: true});
	try {
		await work(cluster);
	} finally {
		await cluster.stop();
	}
}

const perMillion = async (cluster: RedisCluster, files: number) =>
	`${short((await cluster.memory()) / 2 ** 20 / (files / 1e6))} MB of Redis memory per million files, masters only`;

async function register(): Promise<void> {
	const work = {corpus, uploads, queries, searches: Number(values.searches)};
	for (let round = 0; round < rounds; round++) {
		const plain = await Server.start(path.join(folder, `sqlite${round}`));
		print(tellRegister('SQLite ', await measureRegister(plain, work)));
		await plain.stop();
		await withCluster(async cluster => {
			const server = await Server.start(path.join(folder, `cluster${round}`), cluster.url);
			const result = await measureRegister(server, work, cluster);
			print(tellRegister('cluster', result));
			print(`  ${await perMillion(cluster, result.files)}, with the whole log`);
			await server.stop();
		});
	}
}

/** Fills a server, and puts all peers online. */
async function fill(server: Server): Promise<number> {
	const {files} = await registerAll(server.port, corpus, uploads);
	await server.online();
	return files;
}

async function search(one: Server): Promise<void> {
	const plain = await Server.start(path.join(folder, 'plain'));
	await fill(plain);
	note('both come to rest');
	await new Promise(resolve => setTimeout(resolve, 8000));
	for (let round = 0; round < rounds; round++) {
		for (const [name, server] of [['SQLite ', plain] as const, ['cluster', one] as const]) {
			const {perSecond, latency, errors} = await load(server.port, queries, seconds, 64, false);
			const times = `p50 ${short(latency.p50)} p99 ${short(latency.p99)} ms`;
			print(`${name}: ${short(perSecond)} searches a second over 64 connections, ${times}, ${errors} errors`);
		}
	}
	await plain.stop();
}

/** A server that begins from the logs, before they are cut, and one that begins from a copy of another. */
async function start(cluster: RedisCluster, files: number): Promise<void> {
	const whole = async (name: string) => {
		const server = await Server.start(path.join(folder, name), cluster.url);
		await until(async () => (await server.state()).wholeAfter > 0);
		await until(async () => (await server.state()).counts.files >= files);
		print(`whole from ${name} after ${short((await server.state()).wholeAfter / 1000)} s`);
		await server.stop();
	};
	await whole('the logs');
	await new Promise(resolve => setTimeout(resolve, 10_000));
	print(`${await perMillion(cluster, files)}, with the log cut`);
	await whole('a copy of another');
}

try {
	if (parts.has('register')) await register();
	if (['search', 'start', 'delay', 'failover'].some(part => parts.has(part))) {
		await withCluster(async cluster => {
			note('filling the cluster');
			const one = await Server.start(path.join(folder, 'one'), cluster.url);
			const files = await fill(one);
			note(`${files} files`);
			if (parts.has('start')) await start(cluster, files);
			if (parts.has('search')) await search(one);
			if (parts.has('delay') || parts.has('failover')) {
				const two = await Server.start(path.join(folder, 'two'), cluster.url);
				await until(async () => (await two.state()).counts.files >= files);
				await two.online();
				if (parts.has('delay')) {
					const {takes, delays} = await measureDelay(one, two);
					const both = (list: number[]) =>
						`p50 ${short(percentile(list, 0.5))} p99 ${short(percentile(list, 0.99))} ms`;
					print(`from sending one file until it is taken: ${both(takes)}`);
					print(`from then until the other server finds it: ${both(delays)}`);
				}
				if (parts.has('failover'))
					await killMasters({cluster, one, two, queries, rounds: Number(values.failovers)}, print);
				await two.stop();
			}
			await one.stop();
		});
	}
} finally {
	rmSync(folder, {recursive: true, force: true});
}
process.exit();
