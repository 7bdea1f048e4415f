// Which nodes keep which keys, for many keys in their order: one lookup tells it for a whole region of them.
import {compareDistance, keepersOf, sharedBits} from './distance.ts';
import {bucketSize, type DhtNode, replicas, type TableNode} from './node.ts';

/** A node that keeps a key; `self` is this one. */
export type KeyKeeper = {name: string; to: TableNode | 'self'};

const mostRemembered = 20_000;

/** Finds the keepers of keys; keys must come sorted, so that neighbours share lookups. */
export class KeyRegions {
	readonly #node: DhtNode;
	readonly #everybody: TableNode[] | undefined;
	readonly #before: TableNode[] | undefined;
	readonly #remembered = new Map<string, KeyKeeper[]>();
	#region: {at: Buffer; bits: number; nodes: TableNode[]} | undefined;
	/** Lookups that were made. */
	lookups = 0;

	/**
	 * @param everybody all nodes, where they are known: then nothing is looked up
	 * @param before what the network was: only keepers that were none then are named
	 */
	constructor(node: DhtNode, everybody: TableNode[] | undefined, before?: TableNode[]) {
		this.#node = node;
		this.#everybody = everybody;
		this.#before = before;
	}

	async keepers(topic: Buffer): Promise<KeyKeeper[]> {
		const name = topic.toString('latin1');
		const known = this.#remembered.get(name);
		if (known) return known;
		let nodes = keepersOf(topic, this.#everybody ?? (await this.#nodesAround(topic)));
		if (this.#before) {
			const had = new Set(keepersOf(topic, this.#before).map(({id}) => id.toString('hex')));
			nodes = nodes.filter(({id}) => !had.has(id.toString('hex')));
		}
		const keepers = nodes.map(to => this.#keeper(to));
		if (this.#remembered.size >= mostRemembered) this.#remembered.clear();
		this.#remembered.set(name, keepers);
		return keepers;
	}

	#keeper(to: TableNode): KeyKeeper {
		return this.#node.id?.equals(to.id) ? {name: 'self', to: 'self'} : {name: `${to.host}:${to.port}`, to};
	}

	async #nodesAround(topic: Buffer): Promise<TableNode[]> {
		const region = this.#region;
		if (region && sharedBits(region.at, topic) >= region.bits) return region.nodes;
		this.lookups++;
		const {id} = this.#node;
		const others = await this.#node.findClosest(topic);
		const nodes = id ? [...others, {...this.#node.address, id}] : others;
		nodes.sort((a, b) => compareDistance(topic, a.id, b.id));
		// What lies closer than the furthest node found is known completely: the largest such part of the key space that has
		// enough nodes for all its keys is the region that this lookup speaks for.
		const furthest = others.at(-1);
		let bits = 256;
		if (furthest) {
			const complete = others.length < bucketSize ? 0 : sharedBits(topic, furthest.id) + 1;
			const enough = nodes[replicas - 1];
			if (enough && sharedBits(topic, enough.id) >= complete) bits = sharedBits(topic, enough.id);
			if (others.length < bucketSize) bits = 0;
		}
		this.#region = {at: topic, bits, nodes};
		return nodes;
	}
}
