// One upload of a peer's catalog on its way into the cluster: to the log in entries, and to the registry of files.
import {randomUUID} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import type {CatalogChange, CatalogPoint} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import type {ChangeRange} from '../store.ts';
import {packChanges} from './change-codec.ts';
import type {FileRegistry, RegistryPeer} from './file-registry.ts';
import {keys, partitionOf} from './keys.ts';
import type {RedisLink} from './redis-link.ts';
import * as scripts from './scripts.ts';

/** Changes in one entry of a log: some 200 KB. */
const entryChanges = 4000;
/** Changes that go to the registry together: the more, the more of them share a script. */
const registryChanges = 16_000;
/** Milliseconds that an upload may rest before another of the same peer may take its place. */
const rest = 10_000;
/** Milliseconds that an upload waits for one of the same peer at another server. */
const patience = 8000;

/** What an upload works with. */
export type UploadOptions = {
	link: RedisLink;
	files: FileRegistry;
	lineage: string;
	/** Resolves when an entry was applied to the read model here. */
	applied(entry: string): Promise<void>;
	/** Another upload of the same peer is running at this very server. */
	isHere: boolean;
};

/**
 * Sends a range of changes. When it resolves, the cluster has them and so has the read model here.
 *
 * @throws P2pError not-found, version-mismatch with `details.have`, busy, unreachable; whatever the batches throw
 */
export async function uploadCatalog(
	id: string,
	{epoch, from, to}: ChangeRange,
	batches: AsyncIterable<CatalogChange[]>,
	{link, files, lineage, applied, isHere}: UploadOptions,
): Promise<void> {
	const token = randomUUID();
	const at = [keys.peer(id), keys.log(partitionOf(id))];
	const begin = [id, token, epoch, String(from), String(to), lineage, String(rest)];
	let [answer, ...said] = await link.run<string[]>(scripts.beginUpload, at, begin);
	// A peer that is registered at several servers sends to all of them: what one has taken in, the others know.
	for (const end = Date.now() + patience; answer === 'busy' && !isHere && Date.now() < end; ) {
		await sleep(100);
		[answer, ...said] = await link.run<string[]>(scripts.beginUpload, at, begin);
	}
	if (answer === 'not-found') throw unknownPeer(id);
	if (answer === 'busy')
		throw new P2pError('busy', 'Another upload of this catalog is running', {details: {retryAfter: 1}});
	if (answer === 'mismatch') throw doesNotContinue(said[0] ? {epoch: said[0], version: Number(said[1])} : null);
	const [mode, gen, number, first] = said;
	const peer = {id, number: Number(number), gen: Number(gen), fresh: mode === 'replace' && gen === '1'};
	try {
		if (first) await applied(first);
		const sent = await send(peer, token, at, batches, {link, files});
		const end = [id, token, epoch, String(to), lineage, String(sent)];
		const entry = await link.run<string>(scripts.endUpload, [...at, keys.sweeps(partitionOf(id))], end);
		// A failover has lost a part of it: the peer is told to begin again.
		if (entry === '') throw doesNotContinue(null);
		if (entry !== '-') await applied(entry);
	} catch (error) {
		const entry = await link.run<string>(scripts.abandonUpload, at, [id, token], {patience: 5000}).catch(() => '');
		// What came before it broke is there when the caller hears of it.
		if (entry) await applied(entry).catch(() => undefined);
		throw error;
	}
}

/** Sends the batches, each packed while the one before is on its way; returns how many entries they are. */
async function send(
	peer: RegistryPeer,
	token: string,
	at: string[],
	batches: AsyncIterable<CatalogChange[]>,
	{link, files}: Pick<UploadOptions, 'link' | 'files'>,
): Promise<number> {
	let count = 0;
	let logging: Promise<void> = Promise.resolve();
	let registering: Promise<void> = Promise.resolve();
	const log = async (changes: CatalogChange[]) => {
		const packed = await packChanges(changes);
		await logging;
		const values = [peer.id, token, packed, String(rest), String(count++)];
		logging = link.run<string>(scripts.addBatch, at, values).then(entry => {
			if (entry === '') throw doesNotContinue(null);
		});
		// It is awaited with the next one; until then a failure is nobody's.
		logging.catch(() => undefined);
	};
	const register = async (changes: CatalogChange[]) => {
		await registering;
		registering = files.apply(peer, changes);
		registering.catch(() => undefined);
	};
	let toLog: CatalogChange[] = [];
	let toRegister: CatalogChange[] = [];
	try {
		for await (const batch of batches) {
			for (const change of batch) {
				toLog.push(change);
				toRegister.push(change);
			}
			if (toLog.length >= entryChanges) {
				await log(toLog);
				toLog = [];
			}
			if (toRegister.length >= registryChanges) {
				await register(toRegister);
				toRegister = [];
			}
		}
	} finally {
		if (toLog.length > 0) await log(toLog);
		if (toRegister.length > 0) await register(toRegister);
		await Promise.all([logging, registering]);
	}
	return count;
}

/** The failure of a peer that nobody knows. */
export function unknownPeer(id: string): P2pError {
	return new P2pError('not-found', `No peer ${id.slice(0, 8)} is registered here`);
}

function doesNotContinue(have: CatalogPoint | null): P2pError {
	return new P2pError('version-mismatch', 'These changes do not continue what this server knows of the catalog', {
		details: {have},
	});
}
