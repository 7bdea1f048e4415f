import {isIPv4} from 'node:net';
import {type NetworkInterfaceInfo, networkInterfaces} from 'node:os';
import {limits} from '../api/limits.ts';
import {formatAddress} from '../core/address.ts';
import {addressScope} from './address-scope.ts';

/**
 * All addresses under which others may reach what listens here on all interfaces, as HOST:PORT: private ones first, since
 * they are nearest. Without loopback, and without link-local ones, which mean nothing without their interface.
 *
 * @param host as listened on: the chosen address of one that does not listen everywhere is the only one
 */
export function ownAddresses(
	{host, port}: {host: string; port: number},
	interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces,
): string[] {
	const everywhere = host === '::' || host === '0.0.0.0';
	const found = everywhere ? readInterfaces(interfaces) : [host];
	const usable = found
		.filter(address => host !== '0.0.0.0' || isIPv4(address))
		.map(address => ({address, scope: addressScope(address)}))
		.filter(({scope}) => scope === 'private' || scope === 'global')
		.sort((a, b) => Number(a.scope === 'global') - Number(b.scope === 'global'));
	const texts = usable.map(({address}) => formatAddress({host: address, port}));
	return [...new Set(texts)].slice(0, limits.addressesPerPeer);
}

function readInterfaces(interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]>): string[] {
	try {
		return Object.values(interfaces()).flatMap(each => (each ?? []).map(({address}) => address));
	} catch {
		// Some containers do not tell; the address that the server sees has to do.
		return [];
	}
}

/** Whether an IP address is one of this machine. */
export function isOwnAddress(host: string): boolean {
	return addressScope(host) === 'loopback' || readInterfaces(networkInterfaces).includes(host);
}
