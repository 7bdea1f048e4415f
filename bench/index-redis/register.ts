// Registering into SQLite and into a cluster in turn, and who takes how much CPU for it.
import {readFileSync} from 'node:fs';
import type {RedisCluster} from '../../test/helpers/redis-cluster.ts';
import type {Corpus} from '../index/corpus.ts';
import {steady} from '../index/load.ts';
import {registerAll, type Upload} from '../index/register.ts';
import {short} from '../index/statistics.ts';
import type {Server} from './server.ts';

/** What is registered and what is asked meanwhile. `searches`: per second, 0 for none. */
export type Registering = {
	corpus: Corpus;
	uploads: Map<number, Promise<Upload>>;
	queries: string[];
	searches: number;
	/** Peers at a time. */
	lanes?: number;
};

/** Registers all at a server; the cluster, if it is of one, is watched. Prints what it took. */
export async function measureRegister(
	server: Server,
	{corpus, uploads, queries, searches, lanes}: Registering,
	cluster?: RedisCluster,
) {
	const asked = searches > 0 ? await steady(server.port, queries, searches) : undefined;
	const masters = new Set((await cluster?.masters())?.map(({pid}) => pid));
	const nodes = () => (cluster?.nodes ?? []).map(({pid}) => ({pid, ms: cpuOf(pid)}));
	const [before, nodesBefore, own] = [await server.usage(), nodes(), process.cpuUsage()];
	const {files, seconds} = await registerAll(server.port, corpus, uploads, lanes);
	const [after, nodesAfter, {user, system}] = [await server.usage(), nodes(), process.cpuUsage(own)];
	const during = await asked?.();
	await server.online();
	const each = (ms: number) => (ms * 1000) / files;
	const redis = (ofMasters: boolean) =>
		nodesAfter.reduce(
			(sum, {pid, ms}, at) => sum + (masters.has(pid) === ofMasters ? ms - (nodesBefore[at]?.ms ?? 0) : 0),
			0,
		);
	const main = 'MainThread' in after.threads ? 'MainThread' : 'node';
	const thread = (name: string) => (after.threads[name] ?? 0) - (before.threads[name] ?? 0);
	const named = ['index writer', 'index reader', main];
	const server_ = after.cpuMs - before.cpuMs;
	return {
		files,
		rate: files / seconds,
		latency: during?.latency ?? {p50: 0, p99: 0},
		/** Microseconds of CPU a file. */
		cpu: {
			server: each(server_),
			main: each(thread(main)),
			writer: each(thread('index writer')),
			readers: each(thread('index reader')),
			rest: each(server_ - named.reduce((sum, name) => sum + thread(name), 0)),
			masters: each(redis(true)),
			replicas: each(redis(false)),
			load: each((user + system) / 1000),
		},
	};
}

/** A line of {@link measureRegister}. */
export function tellRegister(what: string, {files, rate, latency, cpu}: Awaited<ReturnType<typeof measureRegister>>) {
	const parts = Object.entries(cpu).map(([name, us]) => `${name} ${short(us)}`);
	return `${what}: ${files.toLocaleString('en')} files, ${short(rate)} files/s, searches p50 ${short(latency.p50)} p99 ${short(latency.p99)} ms; µs a file: ${parts.join(', ')}`;
}

/** CPU milliseconds of a process and its threads, in ticks of ten: proc(5). */
function cpuOf(pid: number): number {
	const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return 10 * (Number(fields[11]) + Number(fields[12]));
}
