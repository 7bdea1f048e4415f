// Where a node finds the first others: nodes of last time, this machine's own ports, and who is named.
import {readFileSync} from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import * as z from 'zod';
import {defaultPorts} from '../core/address.ts';
import {lanAddresses, type NodeAddress} from './node.ts';

const fileName = 'dht-nodes.json';
/** Nodes that are remembered for next time. */
const mostKept = 50;
/** Ports above the default ones that another peer of this machine may have taken instead. */
const portsTried = 4;

const schema = z.object({
	network: z.string(),
	nodes: z.array(z.object({host: z.ipv4(), port: z.int().min(1).max(65_535)})).max(mostKept),
});

/** Nodes of this network that were there last time; none when there is no record. */
export function rememberedNodes(dataDir: string, network: string): NodeAddress[] {
	try {
		const kept = schema.parse(JSON.parse(readFileSync(path.join(dataDir, fileName), 'utf8')));
		return kept.network === network ? kept.nodes : [];
	} catch {
		// Only a convenience: others are found in other ways.
		return [];
	}
}

/** Remembers nodes for the next start, and for one-shot commands beside a running peer. */
export async function rememberNodes(dataDir: string, network: string, nodes: NodeAddress[]): Promise<void> {
	const kept = {network, nodes: nodes.slice(0, mostKept).map(({host, port}) => ({host, port}))};
	await writeFileAtomic(path.join(dataDir, fileName), `${JSON.stringify(kept)}\n`, {mode: 0o600});
}

/** Where other peers of this machine listen that run with default ports. @param host that this node is bound to */
export function localNodes(host: string | undefined): NodeAddress[] {
	const address = host ?? lanAddresses()[0] ?? '127.0.0.1';
	const ports = Array.from({length: portsTried}, (_, index) => defaultPorts.peer + index);
	return [...ports, defaultPorts.server].map(port => ({host: address, port}));
}
