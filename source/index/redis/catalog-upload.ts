// One upload of a peer's catalog on its way into the cluster: to the log in entries, and to the registry of files.
import {randomUUID} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import type {CatalogChange, CatalogPoint} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import {tooManyFiles} from '../change-range.ts';
import type {ChangeRange} from '../store.ts';
import {packChanges} from './change-codec.ts';
import type {FileRegistry, RegistryPeer, WrittenRows} from './file-registry.ts';
import {keys, partitionOf} from './keys.ts';
import type {OwnBatches} from './own-batches.ts';
import type {RedisLink} from './redis-link.ts';
import * as scripts from './scripts.ts';

/** Changes in one entry of a log: some 200 KB. */
const entryChanges = 4000;
/** Changes that go to the registry together: the more, the more of them share a command. */
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
	/** Batches on their way through the log, for who reads it here. */
	own: OwnBatches;
	/** Resolves when an entry was applied to the read model here. */
	applied(entry: string): Promise<void>;
	/** There are new entries, for which nobody waits yet. */
	logged(): void;
	/** The contents under paths of the peer in the read model here. */
	contents(number: number, paths: string[]): Promise<(string | undefined)[]>;
	/** Files that the peer has in the read model here, and how many it may have. */
	filesBefore(): number;
	most: number;
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
	options: UploadOptions,
): Promise<void> {
	const {link, lineage, applied, isHere, own} = options;
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
	const upload = new Upload({number: Number(number), gen: Number(gen)}, mode === 'continue', {id, token, at}, options);
	try {
		if (first) await applied(first);
		await upload.send(batches);
		const {entries, rows, dead} = upload;
		const end = [id, token, epoch, String(to), lineage, ...[entries, rows, dead].map(String)];
		const entry = await link.run<string>(scripts.endUpload, [...at, keys.dead(partitionOf(id))], end);
		// A failover has lost a part of it: the peer is told to begin again.
		if (entry === '') throw doesNotContinue(null);
		if (entry !== '-') await applied(entry);
	} catch (error) {
		const values = [id, token, String(upload.rows)];
		const entry = await link.run<string>(scripts.abandonUpload, at, values, {patience: 5000}).catch(() => '');
		// What came before it broke is there when the caller hears of it.
		if (entry) await applied(entry).catch(() => undefined);
		throw error;
	} finally {
		own.forget(token);
	}
}

/** The batches of an upload on their way: each is packed while the one before is being sent. */
class Upload {
	/** Entries in the log. */
	entries = 0;
	/** Rows written to the registry, and how many of all are dead by them. */
	rows = 0;
	dead = 0;
	readonly #peer: RegistryPeer;
	/** It changes a catalog that is there, so that its paths may have had other contents. */
	readonly #continues: boolean;
	readonly #to: {id: string; token: string; at: string[]};
	readonly #options: UploadOptions;
	/** What earlier changes of this upload put under their paths; the read model may have that or not. */
	readonly #since = new Map<string, string | undefined>();
	/** Files that the peer has with what came so far. */
	#files: number;
	#logging: Promise<void> = Promise.resolve();
	#registering: Promise<void> = Promise.resolve();

	constructor(
		peer: RegistryPeer,
		continues: boolean,
		to: {id: string; token: string; at: string[]},
		options: UploadOptions,
	) {
		this.#peer = peer;
		this.#continues = continues;
		this.#to = to;
		this.#options = options;
		this.#files = continues ? options.filesBefore() : 0;
	}

	async send(batches: AsyncIterable<CatalogChange[]>): Promise<void> {
		const most = this.#continues ? entryChanges : registryChanges;
		let toLog: CatalogChange[] = [];
		let toRegister: CatalogChange[] = [];
		try {
			for await (const batch of batches) {
				for (const change of batch) {
					toLog.push(change);
					toRegister.push(change);
				}
				if (toRegister.length >= most) {
					await this.#register(toRegister);
					toRegister = [];
				}
				if (toLog.length >= entryChanges) {
					await this.#log(toLog);
					toLog = [];
				}
			}
		} finally {
			if (toRegister.length > 0) await this.#register(toRegister);
			if (toLog.length > 0) await this.#log(toLog);
			await Promise.all([this.#logging, this.#registering]);
		}
	}

	async #log(changes: CatalogChange[]): Promise<void> {
		const {link, own, logged} = this.#options;
		const {id, token, at} = this.#to;
		const packed = await packChanges(changes);
		await this.#logging;
		own.add(token, packed, changes);
		const values = [id, token, packed, String(rest), String(this.entries++)];
		this.#logging = link.run<string>(scripts.addBatch, at, values).then(entry => {
			if (entry === '') throw doesNotContinue(null);
			logged();
		});
		// It is awaited with the next one; until then a failure is nobody's.
		this.#logging.catch(() => undefined);
	}

	/** Ends when the read model was asked for what was there before, which it is before it can have these changes. */
	async #register(changes: CatalogChange[]): Promise<void> {
		const last = new Map<string, CatalogChange>();
		for (const change of changes) last.set(change.path, change);
		const latest = last.size === changes.length ? changes : [...last.values()];
		const before = this.#continues ? await this.#before(latest) : [];
		const had = this.#files;
		for (const [index, {op}] of latest.entries()) {
			if (op === 'add' && before[index] === undefined) this.#files++;
			else if (op === 'remove' && before[index] !== undefined) this.#files--;
		}
		// Who was let in with more may still change and remove.
		if (this.#files > had && this.#files > this.#options.most) throw tooManyFiles(this.#options.most);
		await this.#registering;
		this.#registering = this.#options.files.apply(this.#peer, latest, before).then((written: WrittenRows) => {
			this.rows += written.rows;
			this.dead += written.dead;
		});
		this.#registering.catch(() => undefined);
	}

	async #before(changes: CatalogChange[]): Promise<(string | undefined)[]> {
		const paths = changes.map(({path}) => path);
		const found = await this.#options.contents(this.#peer.number, paths);
		return changes.map((change, index) => {
			const {path} = change;
			const old = this.#since.has(path) ? this.#since.get(path) : found[index];
			this.#since.set(path, change.op === 'add' ? change.content : undefined);
			return old;
		});
	}
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
