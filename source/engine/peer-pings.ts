import PQueue from 'p-queue';
import {peerNodeInfoSchema} from '../api/schemas.ts';
import type {SecureClient, Target} from '../net/secure-client.ts';

/** Round trips that are younger than this are not measured again, in milliseconds. */
const freshFor = 10_000;
const atOnce = 6;
const patience = 3000;

/** Round trips to other peers over their kept-open connections, in milliseconds. */
export class PeerPings {
	readonly #client: SecureClient;
	readonly #queue = new PQueue({concurrency: atOnce});
	readonly #known = new Map<string, {rtt: number | undefined; time: number}>();

	constructor(client: SecureClient) {
		this.#client = client;
	}

	/** The last measurement of a peer, if it answered. */
	rtt(peer: string): number | undefined {
		return this.#known.get(peer)?.rtt;
	}

	/** Measures those that have no fresh measurement; resolves when all have answered or failed to. */
	async measure(targets: Target[]): Promise<void> {
		const now = Date.now();
		const stale = targets.filter(target => now - (this.#known.get(target.id)?.time ?? 0) > freshFor);
		await Promise.all(stale.map(target => this.#queue.add(() => this.#measure(target))));
	}

	/** Forgets who is gone. */
	keepOnly(peers: Set<string>): void {
		for (const peer of this.#known.keys()) if (!peers.has(peer)) this.#known.delete(peer);
	}

	async #measure(target: Target): Promise<void> {
		this.#known.set(target.id, {rtt: this.rtt(target.id), time: Date.now()});
		const ask = async () => {
			const start = performance.now();
			await this.#client.json(target, {path: '/v1', schema: peerNodeInfoSchema, signal: AbortSignal.timeout(patience)});
			return performance.now() - start;
		};
		try {
			// The first call may have to connect; the second one is the round trip.
			const first = await ask();
			const second = await ask();
			this.#known.set(target.id, {rtt: Math.min(first, second), time: Date.now()});
		} catch {
			this.#known.set(target.id, {rtt: undefined, time: Date.now()});
		}
	}
}
