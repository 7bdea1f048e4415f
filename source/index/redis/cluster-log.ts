import {setTimeout as sleep} from 'node:timers/promises';
import {errorLine, P2pError} from '../../core/errors.ts';
import type {IndexState} from '../store.ts';
import type {ClusterNewsDesk} from './cluster-news-desk.ts';
import {keys, partitionOf, partitions} from './keys.ts';
import {isBefore, isGap, justBefore, logStart} from './log-entry.ts';
import {LogFollower} from './log-follower.ts';
import type {OwnBatches} from './own-batches.ts';
import type {PresenceBoard, ServerCard} from './presence-board.ts';
import type {ReadModel} from './read-model.ts';
import type {RedisLink} from './redis-link.ts';
import * as scripts from './scripts.ts';

/** Milliseconds without a word of a log after which the read model counts as stale: a failover takes a third of it. */
const usuallyStaleAfter = 30_000;
/** Milliseconds between two notes of how far the read model is. */
const noteEvery = 1000;
/** Milliseconds that a server without a read model looks for one that has a whole one. */
const neighbourPatience = 8000;

/** A server to copy from; its ID is the one of its key. */
export type Neighbour = {id: string; host: string; port: number};

/** What the logs work on, and whom they tell. */
export type ClusterLogOptions = {
	link: RedisLink;
	model: ReadModel;
	board: PresenceBoard;
	desk: ClusterNewsDesk;
	own: OwnBatches;
	/** Copies the read model of another server into a file. */
	fetch(server: Neighbour, file: string): Promise<void>;
	log(level: 'info' | 'warn', message: string): void;
	failed(error: unknown): void;
	/** Milliseconds that entries stay after every server has noted them. Default: a minute */
	keep?: number;
	/** Milliseconds between two cuts. Default: half a minute */
	trimEvery?: number;
	/** Milliseconds without a word of a log after which the read model counts as stale. Default: half a minute */
	staleAfter?: number | undefined;
	/** No new lineage is begun and nothing is cut. */
	onlyReads?: boolean;
};

/**
 * All logs of a cluster and the read model that follows them: from where its own file stands, else from a copy of another
 * server's, else from the beginning. Where the beginning is gone and nobody has a copy, a new lineage starts: all peers
 * are told that nothing of them is known, and send their catalogs again. Logs are cut behind what every server has noted.
 */
export class ClusterLog {
	readonly #options: ClusterLogOptions;
	#followers: LogFollower[] = [];
	#cluster = '';
	#told: IndexState | undefined;
	#lineage = '1';
	#ready = false;
	/** Nobody has a copy of what the cut parts of the logs said, and `onlyReads` forbids to begin anew. */
	isStuck = false;
	#behindCut = false;
	/** The cluster is empty, or another: nothing may be written there, and what is here is old. */
	#isEmptied = false;
	#timers: NodeJS.Timeout[] = [];
	#working: Promise<void> = Promise.resolve();
	readonly #closed = new AbortController();

	constructor(options: ClusterLogOptions) {
		this.#options = options;
	}

	/** What catalogs that are known belong to; see the class. */
	get lineage(): string {
		return this.#lineage;
	}

	/** Entries applied since the start. */
	get entries(): number {
		return this.#followers.reduce((sum, follower) => sum + follower.entries, 0);
	}

	/** Opens the read model and begins to follow; the rest goes on in the background, see {@link state}. */
	async open(cluster: string): Promise<void> {
		this.#cluster = cluster;
		await this.#readLineage();
		await this.#options.model.open(cluster);
		const every = (ms: number, work: () => Promise<void>) => {
			this.#timers.push(setInterval(() => this.#queue(work), ms));
		};
		this.#timers.push(setInterval(() => this.#tellState(), noteEvery));
		every(noteEvery, () => this.#note());
		every(this.#options.trimEvery ?? 30_000, () => this.#trim());
		this.#queue(() => this.#follow());
	}

	async close(): Promise<void> {
		for (const timer of this.#timers) clearInterval(timer);
		this.#closed.abort();
		await this.#working;
		await Promise.all(this.#followers.map(follower => follower.stop()));
		if (this.#ready) await this.#writePositions().catch(() => undefined);
	}

	state(): IndexState {
		if (!this.#ready || this.#behindCut) return 'catching-up';
		if (this.#oldest() === 0) return 'catching-up';
		if (this.#isEmptied) return 'stale';
		const lost = this.#followers.map(({lostAt}) => lostAt).filter(at => at > 0);
		return Date.now() - Math.min(...lost) > (this.#options.staleAfter ?? usuallyStaleAfter) ? 'stale' : 'whole';
	}

	/** Milliseconds since the log that was read to its end longest ago. */
	behind(): number {
		return this.#oldest() === 0 ? 0 : Date.now() - this.#oldest();
	}

	/** Resolves when an entry about a peer was applied here. */
	async applied(peer: string, entry: string): Promise<void> {
		await this.#followers[partitionOf(peer)]?.applied(entry);
	}

	/** There is something new about a peer. */
	wake(peer: string): void {
		this.#followers[partitionOf(peer)]?.wake();
	}

	#oldest(): number {
		return Math.min(...this.#followers.map(({caughtUpAt}) => caughtUpAt));
	}

	/** Who runs the server without a screen reads it in the log. */
	#tellState(): void {
		const state = this.state();
		if (state === this.#told) return;
		const isFirst = this.#told === undefined;
		this.#told = state;
		if (state === 'whole') {
			if (!isFirst) this.#options.log('info', 'index: this server has the whole index and answers searches');
		} else if (state === 'stale')
			this.#options.log(
				'warn',
				'index: the cluster is out of reach or was emptied, so the index is stale and searches are refused',
			);
		else
			this.#options.log('warn', 'index: this server is catching up with its cluster; until then it refuses searches');
	}

	/** One thing after the other. */
	#queue(work: () => Promise<void>): void {
		this.#working = this.#working.then(async () => {
			if (this.#closed.signal.aborted) return;
			try {
				await work();
			} catch (error) {
				if (!this.#closed.signal.aborted) this.#options.failed(error);
			}
		});
	}

	/** Sees to a read model that the logs continue, and starts to follow them. */
	async #follow(): Promise<void> {
		const {model, desk, link, log, own} = this.#options;
		let marks = await this.#marks();
		const fits = () => marks.every((mark, part) => !mark || !isGap(model.positions[part] ?? logStart, mark));
		if (!fits()) {
			log('info', 'index: the logs no longer go back to what this server has, so it copies the index of another');
			if (await this.#copy()) marks = await this.#marks();
			else if (this.#options.onlyReads) {
				this.isStuck = true;
				return;
			} else if (!this.#closed.signal.aborted) await this.#begin(marks);
		}
		if (this.#closed.signal.aborted) return;
		let isGone = false;
		this.#followers = Array.from({length: partitions}, (_, partition) => {
			const options = {
				partition,
				link,
				read: model.store,
				own,
				changed: desk.catalogChanged.bind(desk),
				missing: (id: string, epoch: string) => this.#missing(id, epoch),
				gone: () => {
					isGone = true;
					this.#gone();
				},
				failed: this.#options.failed,
			};
			return new LogFollower(options, model.positions[partition]);
		});
		for (const follower of this.#followers) follower.start();
		// A whole index in which nobody is online would find nothing: those who are there are known before it counts as ready.
		const {signal} = this.#closed;
		while (!signal.aborted && !isGone && this.#oldest() === 0)
			await sleep(20, undefined, {signal}).catch(() => undefined);
		await desk.restore();
		this.#ready = true;
	}

	/** Copies the read model of a server that is whole. @returns whether there was one */
	async #copy(): Promise<boolean> {
		const {model, board, fetch, log} = this.#options;
		const end = Date.now() + neighbourPatience;
		// One that has not heard of this server yet refuses at first.
		const failures = new Map<string, unknown>();
		while (!this.#closed.signal.aborted && Date.now() < end) {
			for (const card of board.servers().values()) {
				if (!isUsable(card)) continue;
				try {
					await model.replace(this.#cluster, file =>
						fetch({id: card.identity, host: card.host, port: card.port}, file),
					);
					log('info', `index: copied the index of the server ${card.name}`);
					return true;
				} catch (error) {
					failures.set(card.name, error);
				}
			}
			await sleep(250, undefined, {signal: this.#closed.signal}).catch(() => undefined);
		}
		for (const [name, error] of failures)
			log('warn', `index: could not copy the index of the server ${name}: ${errorLine(error)}`);
		return false;
	}

	/** Nobody has what the cut parts of the logs said: an empty read model, and a lineage in which nothing is known. */
	async #begin(marks: (string | null)[]): Promise<void> {
		const {model, link, log} = this.#options;
		log('warn', 'index: no server has a whole index, so every peer is asked for its catalog again');
		await link.run(scripts.nextLineage, [keys.meta], [this.#lineage]);
		await this.#readLineage();
		await model.clear();
		await model.open(this.#cluster);
		await model.note(marks.map(mark => (mark ? justBefore(mark) : logStart)));
	}

	/** The logs went on without this server for so long that what it lacks is gone. */
	#gone(): void {
		if (this.#behindCut) return;
		this.#behindCut = true;
		this.#queue(async () => {
			await Promise.all(this.#followers.map(follower => follower.stop()));
			await this.#follow();
			this.#behindCut = false;
		});
	}

	/** What comes before a change is not in this read model: the peer is made to send its catalog whole. */
	async #missing(id: string, epoch: string): Promise<void> {
		const {log, link} = this.#options;
		log('warn', `index: a part of the catalog of ${id.slice(0, 8)} is missing here; it is asked for again`);
		await link.run(scripts.forgetCatalog, [keys.peer(id)], [epoch]);
	}

	async #note(): Promise<void> {
		await this.#readLineage();
		if (this.#ready && !this.#behindCut) await this.#writePositions();
	}

	async #writePositions(): Promise<void> {
		await this.#options.model.note(this.#followers.map(({position}) => position));
	}

	/** Cuts every log behind what all servers that are there have noted, and some time before now. */
	async #trim(): Promise<void> {
		const {model, board, link, onlyReads, keep = 60_000} = this.#options;
		if (this.state() !== 'whole' || onlyReads) return;
		const others = [...board.servers().values()].filter(({alive}) => alive);
		// Who is catching up may need any of it.
		if (others.some(({positions}) => positions.length !== partitions)) return;
		const newest = `${Date.now() - keep}-0`;
		for (let part = 0; part < partitions; part++) {
			let border = newest;
			for (const positions of [model.positions, ...others.map(other => other.positions)]) {
				const position = positions[part] ?? logStart;
				if (isBefore(position, border)) border = position;
			}
			if (border !== logStart) await link.run(scripts.trimLog, [keys.log(part), keys.trimmed(part)], [border]);
		}
	}

	async #marks(): Promise<(string | null)[]> {
		const {link} = this.#options;
		return Promise.all(
			Array.from({length: partitions}, (_, part) =>
				link.call<string | null>(keys.trimmed(part), ['GET', keys.trimmed(part)]),
			),
		);
	}

	/** @throws P2pError bad-database when what this server follows is there no longer, which makes it stale for good */
	async #readLineage(): Promise<void> {
		const read = this.#options.link.call<(string | null)[]>(keys.meta, ['HMGET', keys.meta, 'id', 'lineage']);
		const [cluster, lineage] = await read;
		this.#isEmptied = !lineage || cluster !== this.#cluster;
		if (!lineage || this.#isEmptied)
			throw new P2pError('bad-database', 'The Redis Cluster was emptied while this server was using it', {
				hint: 'Stop all index servers, and fill it again with p2p-tui migrate from the cluster.db of one of them',
			});
		this.#lineage = lineage;
	}
}

function isUsable(card: ServerCard & {alive: boolean}): boolean {
	return card.alive && card.whole && card.port > 0;
}
