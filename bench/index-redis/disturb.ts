// Single changes at one server of a cluster, as another sees them, undisturbed and while masters are killed.
import {setTimeout as sleep} from 'node:timers/promises';
import type {RedisCluster} from '../../test/helpers/redis-cluster.ts';
import {steady} from '../index/load.ts';
import {percentile, short} from '../index/statistics.ts';
import type {Server} from './server.ts';
import {SingleChanges} from './single-changes.ts';
import {until} from './until.ts';

const changes = 100;
const writersAtOnce = 8;
const searchesPerSecond = 50;
/** Milliseconds in which a replica takes over and what waited goes through. */
const disturbed = 9000;

/** Milliseconds until a file is taken, and from then until the other server finds it. */
export async function measureDelay(one: Server, two: Server): Promise<{takes: number[]; delays: number[]}> {
	const [takes, delays]: [number[], number[]] = [[], []];
	const single = await SingleChanges.start(one.port, two.port);
	for (let i = 0; i < changes; i++) {
		const started = performance.now();
		const name = await single.add();
		takes.push(performance.now() - started);
		delays.push(await until(() => single.isFound(name)));
		await sleep(Math.random() * 100);
	}
	await single.close();
	return {takes, delays};
}

/** What is killed, and who asks. */
export type KillMasters = {cluster: RedisCluster; one: Server; two: Server; queries: string[]; rounds: number};

/** Kills one master after the other, while peers add files and searches are asked as steadily as before. */
export async function killMasters(
	{cluster, one, two, queries, rounds}: KillMasters,
	print: (line: string) => void,
): Promise<void> {
	const tell = (times: number[]) => [0.5, 0.9, 0.99, 1].map(part => short(percentile(times, part))).join(' / ');
	for (let round = 0; round < rounds; round++) {
		const writers = await Promise.all(
			Array.from({length: writersAtOnce}, () => SingleChanges.start(one.port, two.port)),
		);
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
		const calm = await steady(two.port, queries, searchesPerSecond);
		await sleep(disturbed);
		const before = await calm();
		const stop = await steady(two.port, queries, searchesPerSecond);
		const [victim] = await cluster.masters();
		await sleep(500);
		await victim?.kill();
		await sleep(disturbed);
		const during = await stop();
		running = false;
		const wait = Math.max(...(await Promise.all(longest)));
		print(
			`a master is killed: the longest wait of a change ${short(wait / 1000)} s; searches p50 / p90 / p99 / most ${tell(during.times)} ms, ${during.errors} errors of ${during.answered}; the same before: ${tell(before.times)} ms, ${before.errors} of ${before.answered}`,
		);
		for (const writer of writers) await writer.close();
		await victim?.restart();
		await sleep(4000);
	}
}
