// Which nodes keep which keys, for many keys in their order: one lookup tells it for a whole region of them.
import {limits} from '../api/limits.ts';
import {compareDistance, keepersOf, sharedBits} from './distance.ts';
import {bucketSize, type DhtNode, replicas, type TableNode} from './node.ts';

/** A node that keeps a key; `self` is this one. */
export type KeyKeeper = {name: string; to: TableNode | 'self'};

/** Finds the keepers of keys; keys must come sorted, so that neighbours share lookups. */
export class KeyRegions {
	readonly #node: DhtNode;
	readonly #everybody: TableNode[] | undefined;
	readonly #before: TableNode[] | undefined;
	readonly #remembered = new Map<string, KeyKeeper[]>();
	#region: {at: Buffer; bits: number; nodes: TableNode[]} | undefined;
	/** Nodes that lookups found, by ID. */
	readonly #seen = new Map<string, TableNode>();

	/**
	 * @param everybody all nodes, where they are known: then nothing is looked up
	 * @param before what the network was: only keepers that were none then are named
	 */
	constructor(node: DhtNode, everybody: TableNode[] | undefined, before?: TableNode[]) {
		this.#node = node;
		this.#everybody = everybody;
		this.#before = before;
	}

	/** Nodes that were found, this one among them: the keepers of every key that was asked for are among them. */
	get seen(): TableNode[] {
		const {id} = this.#node;
		return [...this.#seen.values(), ...(id ? [{...this.#node.address, id}] : [])];
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
		if (this.#remembered.size >= limits.table.regions) this.#remembered.clear();
		this.#remembered.set(name, keepers);
		return keepers;
	}

	#keeper(to: TableNode): KeyKeeper {
		return this.#node.id?.equals(to.id) ? {name: 'self', to: 'self'} : {name: `${to.host}:${to.port}`, to};
	}

	async #nodesAround(topic: Buffer): Promise<TableNode[]> {
		const region = this.#region;
		if (region && sharedBits(region.at, topic) >= region.bits) return region.nodes;
		const {id} = this.#node;
		const nodes = new Map<string, TableNode>();
		if (id) nodes.set(id.toString('hex'), {...this.#node.address, id});
		// What lies closer than the furthest node found is known completely: that part of the key space, if it has enough
		// nodes for all its keys, is the region that this lookup speaks for.
		let bits = await this.#look(topic, nodes);
		// With too few nodes its other half is looked at as well, until they are enough or everybody is known.
		for (let tries = 0; tries < 4 && bits > 0; tries++) {
			const inside = [...nodes.values()].filter(node => sharedBits(topic, node.id) >= bits);
			if (inside.length >= replicas) break;
			const other = Buffer.from(topic);
			other[(bits - 1) >> 3]! ^= 0x80 >> ((bits - 1) & 7);
			if ((await this.#look(other, nodes)) > bits) {
				bits = 256;
				break;
			}
			bits--;
		}
		const sorted = [...nodes.values()].sort((a, b) => compareDistance(topic, a.id, b.id));
		this.#region = {at: topic, bits, nodes: sorted};
		return sorted;
	}

	/** Looks up the nodes around a target. @returns the leading bits of the part around it that is known completely */
	async #look(target: Buffer, nodes: Map<string, TableNode>): Promise<number> {
		const found = await this.#node.findClosest(target);
		for (const node of found) {
			const id = node.id.toString('hex');
			nodes.set(id, node);
			if (this.#seen.size < limits.table.seen) this.#seen.set(id, node);
		}
		const furthest = found.at(-1);
		return found.length < bucketSize || !furthest ? 0 : sharedBits(target, furthest.id) + 1;
	}
}
