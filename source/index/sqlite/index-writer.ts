// All that writes to the index's database; lives in the writer's thread.
import {createHash} from 'node:crypto';
import type {DatabaseSync} from 'node:sqlite';
import {limits} from '../../api/limits.ts';
import type {CatalogPoint} from '../../api/schemas.ts';
import {tooManyFiles} from '../change-range.ts';
import type {PeerRecord} from '../peer-registry.ts';
import {type BatchPeer, CatalogBatch} from './catalog-batch.ts';
import {CatalogStatements} from './catalog-statements.ts';
import {ContentTexts} from './content-texts.ts';
import {Maintenance} from './maintenance.ts';
import {openForWriting, writing} from './open-database.ts';
import type {PackedChanges} from './packed-changes.ts';
import {PopularityMoves} from './popularity.ts';
import {type PresenceMemory, SharedPresence} from './shared-presence.ts';
import {VocabularyWriter} from './vocabulary.ts';

/** Shares that one step of a sweep takes out. */
const sweepStep = 2000;

type Sum = {files: number; bytes: number};
/**
 * `isFirst`: nothing of the peer's was there before; `most`: files that it may have; `received`: how many came, in an upload
 * that replaces what was there.
 */
type Upload = BatchPeer & {
	waiting: PackedChanges[];
	count: number;
	sum: Sum;
	isFirst: boolean;
	most: number;
	received?: number;
};
/** The end of an upload that waits to be written. */
type Due = {upload: Upload; have: CatalogPoint; written: (sum: Sum) => void; failed: (error: unknown) => void};
/** What one transaction does for one peer. */
type Part = {peer: BatchPeer; sum: Sum; have?: CatalogPoint; apply: (batch: CatalogBatch) => void};

export class IndexWriter {
	readonly #database: DatabaseSync;
	readonly #emptied: boolean;
	readonly #presence: SharedPresence;
	readonly #statements: CatalogStatements;
	readonly #vocabulary: VocabularyWriter;
	readonly #texts: ContentTexts;
	readonly #maintenance: Maintenance;
	readonly #moves: PopularityMoves;
	readonly #sumUp;
	readonly #reach;
	readonly #uploads = new Map<number, Upload>();
	/**
	 * Uploads that came to their end, and are written together once all calls that wait here are taken: many small
	 * catalogs in one transaction cost less than one after the other, as the pages that they change are the same.
	 */
	#due: Due[] = [];
	#flush: NodeJS.Immediate | undefined;

	constructor(file: string, memory: PresenceMemory) {
		const {database, emptied} = openForWriting(file);
		this.#database = database;
		this.#emptied = emptied;
		this.#presence = new SharedPresence(memory);
		this.#statements = new CatalogStatements(this.#database);
		this.#vocabulary = new VocabularyWriter(this.#database);
		this.#texts = new ContentTexts(words => this.#vocabulary.add(words));
		this.#maintenance = new Maintenance(this.#database);
		this.#sumUp = writing(this.#database, 'UPDATE peer SET files=?, bytes=? WHERE number=?');
		this.#reach = writing(this.#database, 'UPDATE peer SET epoch=?, version=? WHERE number=? AND gone=0');
		this.#moves = new PopularityMoves(this.#statements, this.#texts, this.#isEmpty());
		const folders = this.#database.prepare('SELECT id, peer FROM folder');
		folders.setReturnArrays(true);
		for (const row of folders.iterate()) this.#presence.setPeerOf(...(row as unknown as [number, number]));
	}

	/** Every peer ever registered, offline. */
	peers(): PeerRecord[] {
		const rows = this.#database.prepare('SELECT * FROM peer').all() as Record<string, string | number | null>[];
		return rows.map(row => ({
			id: String(row.id),
			number: Number(row.number),
			name: String(row.name),
			host: String(row.host),
			port: Number(row.port),
			addresses: JSON.parse(String(row.addresses)) as string[],
			have: row.epoch === null ? null : {epoch: String(row.epoch), version: Number(row.version)},
			files: Number(row.files),
			bytes: Number(row.bytes),
			online: false,
			since: Number(row.seen),
			left: row.gone === 1,
		}));
	}

	/** Whether the database was of an older version, so that peers have to send again what they share. */
	emptied(): boolean {
		return this.#emptied;
	}

	/** Peers whose shares are still to be taken out. */
	unswept(): number[] {
		const rows = this.#database.prepare('SELECT number FROM peer WHERE gone=1 AND files>0').all();
		return rows.map(row => Number(row.number));
	}

	/** Writes a peer's registration down. */
	savePeer({number, id, name, host, port, addresses, since, left}: PeerRecord): void {
		writing(
			this.#database,
			`INSERT INTO peer(number, id, name, host, port, addresses, seen, gone) VALUES(?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT(number) DO UPDATE SET name=excluded.name, host=excluded.host, port=excluded.port,
				addresses=excluded.addresses, seen=excluded.seen, gone=excluded.gone`,
		).run(number, id, name, host, port, JSON.stringify(addresses), since, left ? 1 : 0);
		this.#presence.peerChanged();
	}

	/** Counts the shares of a peer in or out. */
	setOnline(number: number, online: boolean, seen: number): void {
		writing(this.#database, 'UPDATE peer SET seen=? WHERE number=?').run(seen, number);
		const upload = this.#uploads.get(number);
		if (upload) upload.online = online;
		const shares = this.#database.prepare('SELECT s.file FROM folder f JOIN share s ON s.folder=f.id WHERE f.peer=?');
		shares.setReturnArrays(true);
		const change = online ? 1 : -1;
		for (const row of shares.iterate(number)) this.#presence.count((row as unknown as [number])[0], change);
		this.#presence.setOnline(number, online);
	}

	/** Notes that all who are online were seen now: a server that is ended at any moment later knows it. */
	sawOnline(seen: number): void {
		const saw = writing(this.#database, 'UPDATE peer SET seen=? WHERE number=?');
		const numbers = this.#database.prepare('SELECT number FROM peer WHERE gone=0').all() as {number: number}[];
		this.#atomic(() => {
			for (const {number} of numbers) if (this.#presence.isOnline(number)) saw.run(seen, number);
		});
	}

	/** Begins an upload. One that replaces has no version until it ends: a crash in between makes the peer send all again. */
	begin(
		number: number,
		mode: 'replace' | 'continue',
		online: boolean,
		{at, most = limits.filesPerPeer}: {at?: number; most?: number} = {},
	): void {
		const row = this.#database.prepare('SELECT gen, files, bytes FROM peer WHERE number=?').get(number);
		const {gen, files, bytes} = row as {gen: number} & Sum;
		if (mode === 'replace')
			writing(this.#database, 'UPDATE peer SET epoch=NULL, version=0, gen=gen+1 WHERE number=?').run(number);
		this.#uploads.set(number, {
			number,
			gen: mode === 'replace' ? gen + 1 : gen,
			online,
			...(at !== undefined && {at}),
			waiting: [],
			count: 0,
			sum: {files, bytes},
			isFirst: files === 0,
			most,
			...(mode === 'replace' && {received: 0}),
		});
	}

	/** Takes in changes; they are written when enough came together. */
	add(number: number, changes: PackedChanges): Sum {
		const upload = this.#need(number);
		upload.waiting.push(changes);
		upload.count += changes.sizes.length;
		if (upload.received !== undefined) for (const size of changes.sizes) if (size >= 0) upload.received++;
		if (upload.count >= limits.catalogBatch) this.#write(upload);
		return upload.sum;
	}

	/** Ends an upload that came to its end: `have` is the point that is reached then. Resolves when it is written. */
	finish(number: number, have: CatalogPoint): Promise<Sum> {
		const upload = this.#need(number);
		return new Promise((written, failed) => {
			this.#due.push({upload, have, written, failed});
			let count = 0;
			for (const due of this.#due) count += due.upload.count;
			if (count >= limits.catalogBatch) this.#writeDue();
			else this.#flush ??= setImmediate(() => this.#writeDue());
		});
	}

	/** Ends an upload that broke: what came is written, the version stays. */
	abandon(number: number): Sum {
		const upload = this.#need(number);
		try {
			this.#write(upload);
		} finally {
			this.#uploads.delete(number);
		}
		return upload.sum;
	}

	/** Marks a peer as gone; {@link sweep} takes its shares out. */
	leave(number: number): void {
		writing(this.#database, 'UPDATE peer SET gone=1, epoch=NULL, version=0, gen=gen+1 WHERE number=?').run(number);
	}

	/**
	 * Takes out shares that are not of the peer's present catalog, some at a time. Where there were none before the
	 * upload that is running, there is nothing to do.
	 *
	 * @param after where the last step stopped, 0 at first
	 * @returns where to go on, undefined when all are out; and what the peer has now
	 */
	sweep(number: number, after: number): {next: number | undefined; sum: Sum} {
		const upload = this.#uploads.get(number);
		if (upload?.isFirst) return {next: undefined, sum: {...upload.sum}};
		if (upload) this.#write(upload);
		const peer = this.#database.prepare('SELECT gen, files, bytes FROM peer WHERE number=?').get(number);
		const {gen, ...sum} = peer as {gen: number} & Sum;
		const rows = this.#database
			.prepare(
				`SELECT f.id, s.nh, s.file, s.name FROM folder f JOIN share s ON s.folder=f.id
				WHERE f.peer=? AND f.id>=? AND s.gen<>? ORDER BY f.id LIMIT ${sweepStep}`,
			)
			.all(number, after, gen) as {id: number; nh: number; file: number; name: string}[];
		const total = upload?.sum ?? sum;
		if (rows.length > 0) {
			const apply = (batch: CatalogBatch) => {
				for (const {id, nh, file, name} of rows) batch.removeShare(id, nh, file, name);
			};
			this.#transaction([{peer: {number, gen, online: this.#presence.isOnline(number)}, sum: total, apply}]);
		}
		return {next: rows.length < sweepStep ? undefined : rows.at(-1)?.id, sum: {...total}};
	}

	/** Keeps a note of the caller's in the database: it is as new as the changes written before it, also after a crash. */
	note(name: string, value: string): void {
		writing(this.#database, 'INSERT OR REPLACE INTO meta VALUES(?, ?)').run(`note:${name}`, value);
	}

	/** A note that was kept. */
	readNote(name: string): string | undefined {
		const row = this.#database.prepare('SELECT value FROM meta WHERE name=?').get(`note:${name}`);
		return row && String(row.value);
	}

	/** Made with the database, and copied with it. */
	fingerprint(): string {
		const row = this.#database.prepare("SELECT hex(value) AS text FROM meta WHERE name='content-key'").get();
		return createHash('sha256').update(String(row?.text)).digest('hex').slice(0, 32);
	}

	/** Some upkeep, when nothing else is to do; returns whether there is more. */
	maintain(): boolean {
		if (this.#uploads.size > 0) return false;
		if (this.#moves.isDone) return this.#maintenance.step();
		let moved: number[] = [];
		this.#atomic(() => {
			moved = this.#moves.step();
		});
		if (moved.length > 0) this.#presence.wrote(moved);
		this.#maintenance.wrote(moved.length);
		return true;
	}

	close(): void {
		try {
			this.#writeDue();
			this.sawOnline(Date.now());
			this.#database.exec('PRAGMA optimize');
		} finally {
			this.#database.close();
		}
	}

	#need(number: number): Upload {
		const upload = this.#uploads.get(number);
		if (!upload) throw new Error(`no upload of peer ${number} is running`);
		return upload;
	}

	/** Writes what came of an upload so far. */
	#write(upload: Upload): void {
		const part = this.#partOf(upload);
		if (part) this.#transaction([part]);
	}

	/** Writes the uploads that came to their end, and tells so. */
	#writeDue(): void {
		clearImmediate(this.#flush);
		this.#flush = undefined;
		const due = this.#due;
		this.#due = [];
		if (due.length === 0) return;
		const parts = due.map(({upload, have}) => {
			const nothing = {peer: upload, sum: upload.sum, apply: () => undefined};
			return {...(this.#partOf(upload) ?? nothing), have};
		});
		let all: unknown;
		try {
			this.#transaction(parts);
		} catch (error) {
			all = error;
		}
		for (const [index, {upload, written, failed}] of due.entries()) {
			try {
				// One that cannot be written is no reason to refuse the others.
				if (all !== undefined && due.length > 1) this.#transaction(parts.slice(index, index + 1));
				else if (all !== undefined) throw all;
				this.#uploads.delete(upload.number);
				written({...upload.sum});
			} catch (error) {
				failed(error);
			}
		}
	}

	#partOf(upload: Upload): Part | undefined {
		const changes = upload.waiting;
		upload.waiting = [];
		upload.count = 0;
		if (changes.length === 0) return undefined;
		const {sum, number, most, received} = upload;
		const apply = (batch: CatalogBatch) => {
			batch.apply(changes);
			const more = batch.totalOf(number).files;
			// Who was let in with more may still change and remove; of a list that replaces another only its own files count.
			const isMore = received === undefined ? more > 0 : received > most;
			if (isMore && sum.files + more > most) throw tooManyFiles(most);
		};
		return {peer: upload, sum, apply};
	}

	#transaction(parts: Part[]): void {
		const batch = new CatalogBatch(this.#statements, this.#presence, this.#texts);
		this.#atomic(() => {
			for (const {peer, apply} of parts) {
				batch.begin(peer);
				apply(batch);
			}
			batch.finish();
			for (const {peer, sum, have} of parts) {
				const {files, bytes} = batch.totalOf(peer.number);
				this.#sumUp.run(sum.files + files, sum.bytes + bytes, peer.number);
				if (have) this.#reach.run(have.epoch, have.version, peer.number);
			}
		});
		for (const {peer, sum} of parts) {
			const {files, bytes} = batch.totalOf(peer.number);
			sum.files += files;
			sum.bytes += bytes;
		}
		batch.count();
		this.#moves.add(batch.moved);
		this.#maintenance.wrote(batch.texts);
	}

	#atomic(work: () => void): void {
		this.#database.exec('BEGIN IMMEDIATE');
		try {
			work();
			this.#database.exec('COMMIT');
		} catch (error) {
			this.#vocabulary.reset();
			this.#texts.reset();
			if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
			throw error;
		}
	}

	#isEmpty(): boolean {
		return this.#database.prepare('SELECT 1 FROM file LIMIT 1').get() === undefined;
	}
}
