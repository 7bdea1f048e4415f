// An index server under measurement, in a process of its own, over SQLite or a cluster. Arguments: data folder, and the
// cluster's address or nothing. Answers commands over IPC.
import path from 'node:path';
import {EngineBus} from '../../source/core/events.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {RedisStore} from '../../source/index/redis/redis-store.ts';
import {createIndexApp} from '../../source/index/server.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {threadTimes} from '../index/statistics.ts';

const [folder = '', url] = process.argv.slice(2);
const started = performance.now();
const identity = await temporaryIdentity();
const bus = new EngineBus();
const say = (level: string, message: string) => {
	if (level !== 'info' && level !== 'debug') process.stderr.write(`${level} ${message}\n`);
};
bus.on('log', ({level, message}) => say(level, message));
const store = url
	? new RedisStore({url, dataDir: folder, identity, log: say, trimEvery: 3000, keepLog: 1000})
	: new SqliteStore(path.join(folder, 'index.db'));
await store.open();
const app = createIndexApp({identity, store, name: 'bench', version: '0', bus});
const {port} = await app.start({host: '127.0.0.1', port: 0, defaultPort: 0});
const cluster = store instanceof RedisStore ? store.cluster : undefined;
cluster?.announce({host: '127.0.0.1', port, name: 'bench'});
let wholeAfter = 0;
const look = setInterval(() => {
	if (cluster && cluster.state() !== 'whole') return;
	wholeAfter = performance.now() - started;
	clearInterval(look);
}, 5);

async function run(command: string): Promise<unknown> {
	switch (command) {
		case 'online':
			for (let cursor: string | undefined; ; ) {
				const page = await store.listPeers({cursor});
				for (const {id} of page.peers) await store.setOnline(id, true);
				cursor = page.cursor;
				if (cursor === undefined) return page.total;
			}
		case 'usage': {
			const {user, system} = process.cpuUsage();
			return {cpuMs: (user + system) / 1000, threads: threadTimes(), rss: process.memoryUsage.rss()};
		}
		case 'state':
			return {wholeAfter, counts: await store.counts()};
		default:
			await app.stop();
			await store.close();
			return undefined;
	}
}

process.on('message', async ({id, command}: {id: number; command: string}) => {
	try {
		process.send?.({id, value: await run(command)});
	} catch (error) {
		process.send?.({id, failure: error instanceof Error ? error.stack : String(error)});
	}
	if (command === 'stop') process.exit();
});
process.once('disconnect', () => process.exit());
process.send?.({id: 0, value: port});
