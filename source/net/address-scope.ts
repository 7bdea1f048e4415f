// How far an IP address reaches, and which addresses that a stranger names may be connected to.
import {BlockList, isIP, isIPv4} from 'node:net';
import {type Address, formatAddress, parseAddress} from '../core/address.ts';
import {plainHost} from './listen.ts';

/** From this machine to the whole internet; `none`: nobody listens there (unspecified, multicast, reserved). */
export type AddressScope = 'none' | 'loopback' | 'link-local' | 'private' | 'global';

/** In the order in which they are looked up (RFC 6890, RFC 4193, RFC 6598). */
const ranges: [AddressScope, string[]][] = [
	['loopback', ['127.0.0.0/8', '::1/128']],
	['none', ['0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4', '::/96', 'ff00::/8', '64:ff9b::/96']],
	['link-local', ['169.254.0.0/16', 'fe80::/10']],
	['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10']],
];
const lists = ranges.map(([scope, subnets]) => {
	const list = new BlockList();
	for (const subnet of subnets) {
		const [net = '', prefix] = subnet.split('/');
		list.addSubnet(net, Number(prefix), isIPv4(net) ? 'ipv4' : 'ipv6');
	}
	return {scope, list};
});

/** Scopes that were looked up: the same thousand hosts are in every answer. */
const known = new Map<string, AddressScope | undefined>();
const remembered = 4096;

/** The scope of an IP address, also of one in the IPv4-in-IPv6 form; undefined for a host name. */
export function addressScope(host: string): AddressScope | undefined {
	if (known.has(host)) return known.get(host);
	const scope = lookUp(host);
	if (known.size >= remembered) known.clear();
	known.set(host, scope);
	return scope;
}

function lookUp(host: string): AddressScope | undefined {
	const plain = plainHost(host.replace(/%.*$/, ''));
	const family = isIP(plain);
	if (family === 0) return undefined;
	const mapped = family === 6 && /^::ffff:/i.test(plain);
	for (const {scope, list} of lists) {
		// The unspecified range holds the mapped form of every IPv4 address.
		if (mapped && scope === 'none' && !list.check(plain, 'ipv6')) continue;
		if (list.check(plain, family === 4 ? 'ipv4' : 'ipv6')) return scope;
	}
	return 'global';
}

/**
 * Whether an address that somebody at `toldBy` names may be connected to. Never where nobody can listen, never a host
 * name (it can be made to mean anything, at any time); this machine itself only when told on this machine, and its
 * link only when told there. Private addresses are what most networks are made of, and are let through.
 */
export function mayConnect(host: string, toldBy: string): boolean {
	const scope = addressScope(host);
	switch (scope) {
		case undefined:
		case 'none':
			return false;
		case 'loopback':
			return addressScope(toldBy) === 'loopback';
		case 'link-local':
			// Without its interface an IPv6 one leads nowhere.
			return isIPv4(host) && ['loopback', 'link-local'].includes(addressScope(toldBy) ?? '');
		default:
			return true;
	}
}

/**
 * HOST:PORT texts as addresses, each once; those that make no sense or that {@link mayConnect} refuses are left out.
 *
 * @param most so many are taken
 */
export function usableAddresses(texts: readonly string[], toldBy: string, most: number): Address[] {
	const all = new Map<string, Address>();
	for (const text of texts) {
		if (all.size >= most) break;
		try {
			const {host, port} = parseAddress(text, 0);
			const address = {host: plainHost(host), port};
			if (port > 0 && mayConnect(address.host, toldBy)) all.set(formatAddress(address), address);
		} catch {
			// An address that is none can be reached by nobody.
		}
	}
	return [...all.values()];
}
