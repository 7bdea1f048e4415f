// The index server under measurement, in a process of its own. Arguments: database file. Answers commands over IPC.
import {readFileSync, statSync} from 'node:fs';
import {monitorEventLoopDelay, performance} from 'node:perf_hooks';
import v8 from 'node:v8';
import {limits} from '../../source/api/limits.ts';
import {parseQuery} from '../../source/api/query.ts';
import {EngineBus} from '../../source/core/events.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {createIndexApp} from '../../source/index/server.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {Corpus} from './corpus.ts';
import type {Command} from './server-handle.ts';
import {latencies, threadTimes} from './statistics.ts';

const [file = ''] = process.argv.slice(2);
const store = new SqliteStore(file);
await store.open();
const bus = new EngineBus();
bus.on('log', ({level, message}) => level !== 'info' && process.stderr.write(`${level} ${message}\n`));
const identity = await temporaryIdentity();
const app = createIndexApp({
	identity,
	store,
	name: 'bench',
	version: '0',
	bus,
});
const {port} = await app.start({host: '127.0.0.1', port: 0, defaultPort: 0});
const loop = monitorEventLoopDelay({resolution: 5});
loop.enable();

async function run(command: Command): Promise<unknown> {
	switch (command.do) {
		case 'usage': {
			const {user, system} = process.cpuUsage();
			const {rss} = process.memoryUsage();
			const delay = {p50: loop.percentile(50) / 1e6 - 5, p99: loop.percentile(99) / 1e6 - 5, max: loop.max / 1e6 - 5};
			loop.reset();
			const disk = [file, `${file}-wal`].reduce(
				(sum, one) => sum + (statSync(one, {throwIfNoEntry: false})?.size ?? 0),
				0,
			);
			// Pages of the database that are mapped into memory are the system's to take back.
			const mapped = Number(/RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? 0) * 1024;
			return {cpuMs: (user + system) / 1000, threads: threadTimes(), rss, mapped, delay, disk};
		}
		case 'online': {
			let cursor: string | undefined;
			do {
				const page = await store.listPeers({cursor});
				for (const {id, online} of page.peers) if (!online) await store.setOnline(id, true);
				cursor = page.cursor;
			} while (cursor);
			return undefined;
		}
		case 'latency': {
			const {queries, kind} = command;
			const times = new Map<string, number>();
			const ask = async (query: string) => {
				if (kind === 'by content') return void (await store.sources(query));
				// Pages a little longer or shorter each time, so that none is one that the store kept.
				const time = times.get(query) ?? 0;
				times.set(query, time + 1);
				const limit = limits.searchDefault + (time % 2 ? -1 : 1) * Math.ceil((time % 40) / 2);
				await store.searchText(parseQuery(query), {limit});
			};
			const cold = await latencies(queries, ask);
			return {cold, warm: await latencies(queries, ask)};
		}
		case 'flags':
			for (const flag of command.flags) v8.setFlagsFromString(flag);
			return undefined;
		case 'fill': {
			const corpus = new Corpus(command.size);
			const started = performance.now();
			for (let peer = 0; peer < corpus.peers; peer++) {
				const id = `ff${peer.toString(16).padStart(62, '0')}`;
				await store.register({id, name: `filled ${peer}`, host: '10.0.0.1', port: 25_000});
				await store.applyChanges(id, {epoch: 'ab'.repeat(16), from: 0, to: corpus.perPeer}, lists(corpus, peer));
				await store.setOnline(id, true);
			}
			return (performance.now() - started) / 1000;
		}
		default:
			await app.stop();
			await store.close();
			return undefined;
	}
}

async function* lists(corpus: Corpus, peer: number) {
	let list = [];
	for (const change of corpus.catalog(peer)) {
		list.push(change);
		if (list.length < 1000) continue;
		yield list;
		list = [];
	}
	yield list;
}

process.on('message', async ({id, command}: {id: number; command: Command}) => {
	try {
		process.send?.({id, value: await run(command)});
	} catch (error) {
		process.send?.({id, failure: error instanceof Error ? error.stack : String(error)});
	}
	if (command.do === 'stop') process.disconnect();
});
process.send?.({id: 0, value: {port, id: identity.id}});
