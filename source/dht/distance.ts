// Who is close to what: Kademlia's XOR metric.
import {replicas, type TableNode} from './node.ts';

/** Less than 0 when `a` is closer to the target than `b`. */
export function compareDistance(target: Buffer, a: Buffer, b: Buffer): number {
	for (let index = 0; index < target.length; index++) {
		if (a[index] === b[index]) continue;
		return (target[index]! ^ a[index]!) - (target[index]! ^ b[index]!);
	}
	return 0;
}

/** Leading bits that two IDs share. */
export function sharedBits(a: Buffer, b: Buffer): number {
	for (let index = 0; index < a.length; index++) {
		const different = a[index]! ^ b[index]!;
		if (different !== 0) return index * 8 + Math.clz32(different) - 24;
	}
	return a.length * 8;
}

/** Most of the replicas that may lie in one /24 while there are others: one house must not hold all copies. */
const mostInSubnet = 4;

/**
 * The nodes that keep a key, of those given: the closest, but not all of them in one subnet (/24, private ones aside)
 * where there is a choice.
 */
export function keepersOf(target: Buffer, nodes: TableNode[], count: number = replicas): TableNode[] {
	const sorted = nodes.toSorted((a, b) => compareDistance(target, a.id, b.id));
	if (sorted.length <= count) return sorted;
	const chosen: TableNode[] = [];
	const inSubnet = new Map<string, number>();
	const passed: TableNode[] = [];
	for (const node of sorted.slice(0, count + mostInSubnet)) {
		const subnet = node.host.slice(0, node.host.lastIndexOf('.'));
		const there = inSubnet.get(subnet) ?? 0;
		if (there >= mostInSubnet) passed.push(node);
		else chosen.push(node);
		inSubnet.set(subnet, there + 1);
	}
	// In one subnet there is no choice.
	return [...chosen, ...passed].slice(0, count);
}
