import {isLoopback} from '../net/listen.ts';
import {type DhtNode, isPrivateAddress, lanAddresses} from './node.ts';

/** Where this node hears of others: on this machine when it knows a node there, else by its own address. */
export function toldAt(node: DhtNode): string {
	const nodes = [node.address, ...node.known()];
	return (nodes.find(({host}) => isLoopback(host)) ?? node.address).host;
}

/** The address to connect to: one in a network of this machine, else a public one, else the first. */
export function nearest(addresses: string[]): string {
	const own = lanAddresses().map(address => address.slice(0, address.lastIndexOf('.')));
	return (
		addresses.find(address => own.includes(address.slice(0, address.lastIndexOf('.')))) ??
		addresses.find(address => !isPrivateAddress(address)) ??
		addresses[0] ??
		'127.0.0.1'
	);
}
