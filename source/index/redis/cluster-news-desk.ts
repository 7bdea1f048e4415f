import type {PeerInfo} from '../../api/schemas.ts';
import {Emitter} from '../../core/emitter.ts';
import type {ClusterNews} from '../store.ts';
import type {PresenceBoard} from './presence-board.ts';
import type {ReadModel} from './read-model.ts';

/** Milliseconds that a lost peer has to come back, maybe at another server, before listeners here are told. */
const grace = 500;

/** What happened to a peer in the log. */
export type PeerChange = 'registered' | 'files' | 'left';

/** Brings what others did into the read model's presence, and tells listeners of it. */
export class ClusterNewsDesk {
	readonly news = new Emitter<ClusterNews>();
	readonly #model: ReadModel;
	readonly #board: PresenceBoard;
	readonly #failed: (error: unknown) => void;
	readonly #leaving = new Map<string, NodeJS.Timeout>();
	/** Changes of presence, one after the other. */
	#work: Promise<void> = Promise.resolve();

	constructor(model: ReadModel, board: PresenceBoard, failed: (error: unknown) => void) {
		this.#model = model;
		this.#board = board;
		this.#failed = failed;
	}

	/** A peer came to the first server, or went from the last. */
	presenceChanged(id: string, online: boolean): void {
		this.#queue(async () => {
			const {store} = this.#model;
			if (!store.isRegistered(id)) return;
			await store.setOnline(id, online);
			this.#tell(await store.getPeer(id));
		});
	}

	/** The log said something of a peer, and the read model has it. */
	async catalogChanged(id: string, what: PeerChange): Promise<void> {
		const peer = await this.#model.store.getPeer(id).catch(() => undefined);
		if (!peer) return;
		this.#model.sawNumber(peer.number);
		if (what === 'left') {
			if (peer.online) this.news.emit('peer-left', {...peer, online: false});
		} else if (peer.online) this.news.emit('peer-updated', peer);
		else if (this.#board.isOnline(id)) this.presenceChanged(id, true);
	}

	/** Puts everyone online who is, in a read model that was just opened. */
	async restore(): Promise<void> {
		this.#queue(async () => {
			const {store} = this.#model;
			for (const id of this.#board.online()) if (store.isRegistered(id)) await store.setOnline(id, true);
		});
		await this.#work;
	}

	async close(): Promise<void> {
		for (const timer of this.#leaving.values()) clearTimeout(timer);
		await this.#work;
	}

	#queue(work: () => Promise<void>): void {
		this.#work = this.#work.then(work).catch(this.#failed);
	}

	#tell(peer: PeerInfo): void {
		const {id} = peer;
		clearTimeout(this.#leaving.get(id));
		const wasLeaving = this.#leaving.delete(id);
		if (peer.online) {
			if (!wasLeaving) this.news.emit('peer-joined', peer);
			return;
		}
		const timer = setTimeout(() => {
			this.#leaving.delete(id);
			if (!this.#board.isOnline(id)) this.news.emit('peer-left', peer);
		}, grace);
		this.#leaving.set(id, timer.unref());
	}
}
