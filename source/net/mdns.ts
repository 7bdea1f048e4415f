// Multicast DNS (RFC 6762) as the announcer and the browser use it: one socket a network interface, nothing thrown.
import {BlockList, isIPv4} from 'node:net';
import {networkInterfaces} from 'node:os';
import BonjourService from 'bonjour-service';
import {parseAddress} from '../core/address.ts';
import {errorLine} from '../core/errors.ts';
import {isLoopback} from './listen.ts';

/** The DNS-SD service type of an index server: `_p2p-tui._tcp`. */
export const serviceType = 'p2p-tui';
/** The same of a node of the distributed hash table: `_p2p-tui-dht._udp`. */
export const nodeType = 'p2p-tui-dht';
/** Interfaces that are spoken on at most: a machine with dozens of container bridges does not need them all. */
const mostInterfaces = 8;
const group = '224.0.0.251';
const mdnsPort = 5353;

/** Where mDNS is spoken: the addresses of the interfaces, by IPv4, and the UDP port. */
export type MdnsScope = {interfaces(): string[]; port: number};

/** Told what does not work, for a debug log: a machine without multicast is no failure. */
export type MdnsTrouble = (message: string) => void;

/**
 * The scope that `P2P_TUI_MDNS` sets: `off`, or `ADDRESS:PORT` for one interface and a port of its own, as tests have it
 * on loopback; unset, all interfaces but loopback and the standard port.
 *
 * @returns undefined when it is switched off
 * @throws P2pError usage when the setting is neither
 */
export function mdnsScope(setting: string | undefined = process.env.P2P_TUI_MDNS): MdnsScope | undefined {
	if (setting === 'off') return undefined;
	if (setting === undefined || setting === '') return {interfaces: lanAddresses, port: mdnsPort};
	const {host, port} = parseAddress(setting, mdnsPort);
	return {interfaces: () => [host], port};
}

/** The first IPv4 address of each interface that leads out of this machine. */
function lanAddresses(): string[] {
	return Object.values(networkInterfaces())
		.flatMap(list => list?.find(entry => entry.family === 'IPv4' && !entry.internal)?.address ?? [])
		.slice(0, mostInterfaces);
}

/** One interface on which mDNS is spoken. */
export type MdnsLink = {bonjour: BonjourService; close(): void};

/** Opens a socket on the interface with this address; what fails, now or later, is told to `trouble` and nothing else. */
export function openLink(address: string, port: number, trouble: MdnsTrouble): MdnsLink | undefined {
	const tell = (error: unknown) => trouble(`mDNS on ${address}: ${errorLine(error)}`);
	// The system would send from another interface instead, and say nothing.
	const own = Object.values(networkInterfaces()).flatMap(list => list ?? []);
	if (!isLoopback(address) && !own.some(entry => entry.address === address)) {
		tell(new Error('no interface of this machine has that address'));
		return undefined;
	}
	try {
		// Multicast does not reach a socket bound to the interface's own address. On loopback it is bound to the group, so
		// that it hears nothing from outside.
		const bind = isLoopback(address) && process.platform !== 'win32' ? group : '0.0.0.0';
		const options = {interface: address, bind, port, reuseAddr: true};
		const bonjour = new BonjourService(options as never, tell);
		const {mdns} = (bonjour as unknown as {server: {mdns: MdnsEmitter}}).server;
		mdns.on('error', tell);
		mdns.on('warning', tell);
		takeOnlyGoodPackets(mdns, tell);
		return {bonjour, close: () => bonjour.destroy()};
	} catch (error) {
		tell(error);
		return undefined;
	}
}

type MdnsEmitter = {
	on(event: string, listener: (...values: never[]) => void): void;
	emit(event: string, ...values: unknown[]): boolean;
};

/**
 * Packets from beyond the link are dropped (RFC 6762, section 11: they can only be forged), and one on which the library
 * trips must not end the process.
 */
function takeOnlyGoodPackets(mdns: MdnsEmitter, tell: (error: unknown) => void): void {
	const emit = mdns.emit.bind(mdns);
	mdns.emit = (event, ...values) => {
		if (event !== 'query' && event !== 'response') return emit(event, ...values);
		const from = (values[1] as {address?: string} | undefined)?.address ?? '';
		if (!isOnLink(from)) return false;
		try {
			return emit(event, ...values);
		} catch (error) {
			tell(error);
			return false;
		}
	};
}

let subnets = new BlockList();
let subnetsUntil = 0;
/** Milliseconds that this machine's subnets are remembered: reading them costs more than a packet. */
const subnetsLife = 5000;

/** Whether the IPv4 address is in one of this machine's own subnets. */
function isOnLink(address: string): boolean {
	if (Date.now() >= subnetsUntil) {
		subnets = ownSubnets();
		subnetsUntil = Date.now() + subnetsLife;
	}
	return isIPv4(address) && subnets.check(address, 'ipv4');
}

function ownSubnets(): BlockList {
	const own = new BlockList();
	for (const {family, cidr} of Object.values(networkInterfaces()).flatMap(list => list ?? [])) {
		const [network, prefix] = cidr?.split('/') ?? [];
		if (family === 'IPv4' && network && prefix) own.addSubnet(network, Number(prefix), 'ipv4');
	}
	return own;
}
