// Moving an index between an SQLite file and a Redis Cluster, with every peer's number and what is known of its catalog,
// so that no peer has to send anything again.
import {existsSync} from 'node:fs';
import {mkdtemp, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {diskError, P2pError} from '../../core/errors.ts';
import {temporaryIdentity} from '../../identity/identity.ts';
import type {PeerRecord} from '../peer-registry.ts';
import {backUpIndex} from '../sqlite/open-database.ts';
import {SqliteStore} from '../sqlite/sqlite-store.ts';
import {catalogFiles} from './catalog-files.ts';
import {checkMembersBeside, fetchMembers, putMembers} from './migrate-members.ts';
import {readModelName} from './read-model.ts';
import {RedisStore} from './redis-store.ts';

/** How far it is. */
export type MigrationProgress = {peers: number; ofPeers: number; files: number; ofFiles: number};

/** What was moved. `members`: of a private network, whose list and invites go with its index. */
export type Migrated = MigrationProgress & {members?: number | undefined};

/** What a migration is told to do. `progress` is called after each peer, or while the index is read. */
export type MigrationOptions = {
	progress?(progress: MigrationProgress): void;
	signal?: AbortSignal;
};

/** Milliseconds without any progress after which a cluster's index counts as out of reach. */
const patience = 60_000;

/**
 * Puts the index of an SQLite file into an empty cluster, and the members of a private network that stand beside it. A
 * server may be using the file. When it is broken off the
 * cluster is marked, so that no index server answers from a half; the same call goes on where it was.
 *
 * @throws P2pError not-found, bad-database, in-use for a cluster that has an index already, unreachable…
 */
export async function migrateToRedis(file: string, url: string, options: MigrationOptions = {}): Promise<Migrated> {
	return inFolder(path.dirname(file), async folder => {
		const copy = path.join(folder, 'index.db');
		await backUpIndex(file, copy);
		const source = new SqliteStore(copy, {readers: 1});
		await source.open();
		try {
			const identity = await temporaryIdentity();
			const target = new RedisStore({url, dataDir: folder, identity, migration: await source.fingerprint()});
			await target.open();
			try {
				const done = await copyAll(source, target, options);
				const members = await putMembers(path.dirname(file), url);
				await target.endMigration();
				return {...done, members};
			} finally {
				await target.close();
			}
		} finally {
			await source.close();
		}
	});
}

async function copyAll(
	source: SqliteStore,
	target: RedisStore,
	{progress, signal}: MigrationOptions,
): Promise<MigrationProgress> {
	const records = source.records().sort((a, b) => a.number - b.number);
	const staying = records.filter(({left}) => !left);
	const ofFiles = staying.reduce((sum, {files}) => sum + files, 0);
	const done: MigrationProgress = {peers: 0, ofPeers: records.length, files: 0, ofFiles};
	for (const record of records) {
		signal?.throwIfAborted();
		await copyPeer(source, target, record);
		done.peers++;
		if (!record.left) done.files += record.files;
		progress?.({...done});
	}
	const {peers} = await target.counts();
	if (peers !== staying.length)
		throw new P2pError('internal', `The cluster has ${peers} peers after moving ${staying.length}`);
	return done;
}

async function copyPeer(source: SqliteStore, target: RedisStore, record: PeerRecord): Promise<void> {
	const {id, number, name, host, port, addresses, have, left} = record;
	const known = await target.register({id, name, host, port, addresses, number});
	if (left) {
		await target.leave(id);
		return;
	}
	// An upload that never came to its end: the peer sends it again, as it would have done anyway.
	if (!have || (known.have?.epoch === have.epoch && known.have.version === have.version)) return;
	await target.applyChanges(id, {epoch: have.epoch, from: 0, to: have.version}, catalogFiles(source, id));
}

/**
 * Puts the index of a cluster into a new SQLite file, which a server takes as its `index.db`, and the members of a private
 * network into a `members.db` beside it. The index is read as a new index server reads it: from the logs, or from a copy of
 * a server that runs.
 *
 * @throws P2pError in-use when the file exists, or the members of another network are beside it, no-server when the logs were cut and no index server runs, unreachable…
 */
export async function migrateToSqlite(
	url: string,
	file: string,
	{progress, signal}: MigrationOptions = {},
): Promise<Migrated> {
	if (existsSync(file))
		throw new P2pError('in-use', `${file} exists already`, {hint: 'Choose another name, or move it away'});
	await checkMembersBeside(path.dirname(file), url);
	return inFolder(path.dirname(file), async folder => {
		const identity = await temporaryIdentity();
		const source = new RedisStore({url, dataDir: folder, identity, onlyReads: true});
		const read = async () => {
			const {peers} = await source.counts();
			return {peers, ofPeers: peers, files: source.files(), ofFiles: source.files()};
		};
		let done: MigrationProgress;
		try {
			await source.open();
			let last = {entries: -1, at: Date.now()};
			while (source.cluster.state() !== 'whole') {
				signal?.throwIfAborted();
				if (source.entries() !== last.entries) last = {entries: source.entries(), at: Date.now()};
				if (source.isStuck || Date.now() - last.at > patience)
					throw new P2pError('no-server', 'The logs of the cluster no longer go back to the beginning', {
						hint: 'Start an index server of this cluster: its copy of the index is read',
					});
				progress?.(await read());
				await sleep(200);
			}
			done = await read();
		} finally {
			await source.close();
		}
		const members = await fetchMembers(path.dirname(file), url);
		await rename(path.join(folder, readModelName), file);
		progress?.(done);
		return {...done, members};
	});
}

async function inFolder<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
	let folder: string;
	try {
		folder = await mkdtemp(path.join(parent, '.migrate-'));
	} catch (error) {
		throw diskError(error, `Cannot write beside the index in ${parent}`);
	}
	try {
		return await work(folder);
	} finally {
		await rm(folder, {recursive: true, force: true, maxRetries: 5});
	}
}
