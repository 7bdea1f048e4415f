import path from 'node:path';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import type {MigrationProgress} from '../index/redis/migrate.ts';
import {isRedisUrl} from '../index/redis/redis-url.ts';
import {type Command, printEvent, printLine} from './context.ts';

const hint = 'p2p-tui migrate --from index.db --to redis://HOST:PORT, or the other way round';

/** `p2p-tui migrate --from PLACE --to PLACE`: moves an index between an SQLite file and a Redis Cluster. */
export const command: Command = async ({input, from, to, json, signal}) => {
	const [source] = from;
	if (input.length > 0 || from.length !== 1 || source === undefined || to === undefined)
		throw new P2pError('usage', 'From where to where should the index be moved?', {hint});
	if (isRedisUrl(source) === isRedisUrl(to))
		throw new P2pError('usage', 'One of the two must be a file and the other a Redis Cluster', {hint});
	const {migrateToRedis, migrateToSqlite} = await import('../index/redis/migrate.ts');
	const isShown = !json && process.stderr.isTTY === true;
	const progress = ({peers, ofPeers, files, ofFiles}: MigrationProgress) => {
		if (json) printEvent('migrate', {peers, ofPeers, files, ofFiles});
		else if (isShown)
			process.stderr.write(`\r\u001b[K${describe(files, ofFiles, 'files')}, ${describe(peers, ofPeers, 'peers')}`);
	};
	try {
		const {peers, files} = isRedisUrl(source)
			? await migrateToSqlite(source, path.resolve(to), {progress, signal})
			: await migrateToRedis(path.resolve(source), to, {progress, signal});
		if (isShown) process.stderr.write('\r\u001b[K');
		if (!json)
			printLine(
				`Moved ${files.toLocaleString('en')} files of ${peers.toLocaleString('en')} peers. ${
					isRedisUrl(to)
						? `Start the servers with --store ${to.replace(/\/\/[^@]*@/, '//…@')}`
						: `Put ${path.resolve(to)} into a server's data folder as index.db, while it does not run`
				}`,
			);
		if (!json)
			printLine(
				'Of a private network, members.db and network.json stay in the data folder: use the same one, or copy them',
			);
		return exitCodes.done;
	} catch (error) {
		if (isShown) process.stderr.write('\n');
		throw error;
	}
};

function describe(done: number, all: number, what: string): string {
	return `${done.toLocaleString('en')} of ${all.toLocaleString('en')} ${what}`;
}
