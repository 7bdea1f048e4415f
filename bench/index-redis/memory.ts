// What the registry of files takes in Redis: node bench/index-redis/memory.ts [files]. Fills it without index servers.
import {FileRegistry} from '../../source/index/redis/file-registry.ts';
import {RedisLink} from '../../source/index/redis/redis-link.ts';
import {parseRedisUrl} from '../../source/index/redis/redis-url.ts';
import {startRedisCluster} from '../../test/helpers/redis-cluster.ts';
import {Corpus} from '../index/corpus.ts';
import {short} from '../index/statistics.ts';

const corpus = new Corpus(Number(process.argv[2] ?? 1_000_000));
const cluster = await startRedisCluster({masters: 3, onDisk: true});
try {
	const link = new RedisLink(parseRedisUrl(cluster.url));
	await link.open();
	const registry = new FileRegistry(link);
	const before = await cluster.memory();
	let files = 0;
	const contents = new Set<string>();
	const started = performance.now();
	for (let peer = 0; peer < corpus.peers; peer++) {
		const changes = [...corpus.catalog(peer)];
		const paths = new Set(changes.map(({path}) => path));
		files += paths.size;
		for (const {content} of changes) contents.add(content);
		await registry.apply({number: peer + 1, gen: 1}, changes);
	}
	const took = (performance.now() - started) / 1000;
	const bytes = (await cluster.memory()) - before;
	process.stdout.write(
		`${files.toLocaleString('en')} files, ${contents.size.toLocaleString('en')} contents: ${short(bytes / 2 ** 20)} MB, ` +
			`${short(bytes / files)} bytes a file, ${short(files / took)} files/s\n`,
	);
	await link.close();
} finally {
	await cluster.stop();
}
process.exit();
