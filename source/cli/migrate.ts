import path from 'node:path';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import type {Migrated, MigrationProgress} from '../index/redis/migrate.ts';
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
			process.stderr.write(
				`\r\u001b[K${describeProgress(files, ofFiles, 'files')}, ${describeProgress(peers, ofPeers, 'peers')}`,
			);
	};
	try {
		const moved = isRedisUrl(source)
			? await migrateToSqlite(source, path.resolve(to), {progress, signal})
			: await migrateToRedis(path.resolve(source), to, {progress, signal});
		if (isShown) process.stderr.write('\r\u001b[K');
		if (json && moved.members !== undefined) printEvent('migrate-members', {members: moved.members});
		if (!json) for (const line of tell(moved, to)) printLine(line);
		return exitCodes.done;
	} catch (error) {
		if (isShown) process.stderr.write('\n');
		throw error;
	}
};

function tell({files, peers, members}: Migrated, to: string): string[] {
	const toCluster = isRedisUrl(to);
	const isPrivate = members !== undefined;
	const what = [describe(files, 'files'), `of ${describe(peers, 'peers')}`];
	if (isPrivate) what.push(`and ${describe(members, 'members')} of the private network with its invites`);
	const lines = [`Moved ${what.join(' ')}.`];
	if (toCluster) {
		const place = to.replace(/\/\/[^@]*@/, '//…@');
		lines.push(`Start the servers with --store ${place}${isPrivate ? ' --private' : ''}`);
	} else if (isPrivate) {
		const folder = path.dirname(path.resolve(to));
		lines.push(
			`Put ${path.resolve(to)} into a server's data folder as index.db, and members.db from ${folder} beside it, while it does not run`,
		);
	} else lines.push(`Put ${path.resolve(to)} into a server's data folder as index.db, while it does not run`);
	if (isPrivate)
		lines.push(
			"Members know the network by its server's key: p2p-tui id --mode server --export FILE there, --import FILE here",
		);
	return lines;
}

function describeProgress(done: number, all: number, what: string): string {
	return `${done.toLocaleString('en')} of ${all.toLocaleString('en')} ${what}`;
}

function describe(count: number, what: string): string {
	return `${count.toLocaleString('en')} ${what}`;
}
