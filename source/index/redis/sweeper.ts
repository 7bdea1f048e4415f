import {FileRegistry} from './file-registry.ts';
import {keys, partitions} from './keys.ts';
import type {RedisLink} from './redis-link.ts';
import {Rounds} from './rounds.ts';
import * as scripts from './scripts.ts';

/** Milliseconds between two rounds over the partitions. */
const pause = 2000;
/** Milliseconds that a server has a peer for itself; renewed with each step. */
const claim = 15_000;

/**
 * Takes out of the registry what peers had that left or began a new catalog. The work is kept in the cluster until it is
 * done, so that another server goes on where one died; two never work on the same peer.
 */
export class Sweeper {
	readonly #link: RedisLink;
	readonly #self: string;
	readonly #rounds: Rounds;

	constructor(link: RedisLink, self: string, failed: (error: unknown) => void) {
		this.#link = link;
		this.#self = self;
		this.#rounds = new Rounds(pause, () => this.#lookAtAll(), failed);
	}

	start(): void {
		this.#rounds.start();
	}

	async stop(): Promise<void> {
		await this.#rounds.stop();
	}

	async #lookAtAll(): Promise<void> {
		for (let partition = 0; partition < partitions && !this.#rounds.signal.aborted; partition++)
			await this.#look(partition);
	}

	async #look(partition: number): Promise<void> {
		const waiting = keys.sweeps(partition);
		const id = await this.#link.call<string | null>(waiting, ['SRANDMEMBER', waiting]);
		if (id === null || !(await this.#claim(id, 'NX'))) return;
		const record = keys.peer(id);
		const [number, gen] = await this.#link.call<(string | null)[]>(record, ['HMGET', record, 'number', 'gen']);
		const peer = {id, number: Number(number), gen: Number(gen ?? 0)};
		const goOn = async () => !this.#rounds.signal.aborted && (await this.#claim(id, 'XX'));
		const done = await new FileRegistry(this.#link).sweep(peer, goOn);
		if (done) await this.#link.run(scripts.sweptPeer, [record, waiting], [id, String(peer.gen)]);
		await this.#link.call(keys.sweeping(id), ['DEL', keys.sweeping(id)]);
	}

	async #claim(id: string, condition: 'NX' | 'XX'): Promise<boolean> {
		const key = keys.sweeping(id);
		return (await this.#link.call(key, ['SET', key, this.#self, condition, 'PX', String(claim)])) === 'OK';
	}
}
