// Measures registering alone, at an index server with SQLite and at one of a cluster in turn: who takes how much CPU.
// node bench/index-redis-register.ts [--size 100000] [--peers N] [--searches 0] [--rounds 2] [--no-sqlite]
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {startRedisCluster} from '../test/helpers/redis-cluster.ts';
import {Corpus} from './index/corpus.ts';
import {mixedQueries} from './index/queries.ts';
import {prepareUploads} from './index/register.ts';
import {short} from './index/statistics.ts';
import {measureRegister, tellRegister} from './index-redis/register.ts';
import {Server} from './index-redis/server.ts';

const {values} = parseArgs({
	options: {
		size: {type: 'string', default: '100000'},
		peers: {type: 'string'},
		searches: {type: 'string', default: '0'},
		rounds: {type: 'string', default: '2'},
		'no-sqlite': {type: 'boolean', default: false},
	},
});
const folder = mkdtempSync(path.join(tmpdir(), 'p2p-bench-'));
const corpus = new Corpus(Number(values.size), values.peers === undefined ? undefined : Number(values.peers));
const uploads = await prepareUploads(corpus);
const work = {corpus, uploads, queries: mixedQueries(corpus), searches: Number(values.searches)};
const print = (line: string) => process.stdout.write(`${line}\n`);
try {
	for (let round = 0; round < Number(values.rounds); round++) {
		if (!values['no-sqlite']) {
			const plain = await Server.start(path.join(folder, `sqlite${round}`));
			print(tellRegister('SQLite', await measureRegister(plain, work)));
			await plain.stop();
		}
		const cluster = await startRedisCluster({masters: 3, replicas: 1, onDisk: true});
		try {
			const server = await Server.start(path.join(folder, `cluster${round}`), cluster.url);
			const result = await measureRegister(server, work, cluster);
			print(tellRegister('cluster', result));
			print(
				`  Redis, masters: ${short((await cluster.memory()) / 2 ** 20 / (result.files / 1e6))} MB per million files`,
			);
			await server.stop();
		} finally {
			await cluster.stop();
		}
	}
} finally {
	rmSync(folder, {recursive: true, force: true});
}
process.exit();
