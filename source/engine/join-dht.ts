import {lookup} from 'node:dns/promises';
import {isIPv4} from 'node:net';
import type {DhtSettings} from '../config/options.ts';
import type {Address} from '../core/address.ts';
import type {EngineBus} from '../core/events.ts';
import type {Dht, DhtShare} from '../dht/dht.ts';
import type {Identity} from '../identity/identity.ts';
import type {Memberships} from '../net/memberships.ts';
import {probeIdentity, type SecureClient} from '../net/secure-client.ts';
import type {TakeTable} from '../net/table-route.ts';

/** Who joins, and with what. */
export type DhtGuest = {
	identity: Identity;
	client: SecureClient;
	bus: EngineBus;
	dataDir: string;
	/** As asked for: the address to listen on. */
	host?: string;
	/** Index servers as HOST:PORT: each may be a node on the same UDP port number. */
	servers?: string[];
	/** Of a private network, in hex. */
	networkKey?: string;
	/** How it is called beside others. */
	label?: string;
	/** By how much its UDP port is above that of the file server, as others have the ones below. */
	portAbove?: number;
};

/** What a peer or a server joins with besides. `wildcard`: it listens on all addresses. */
export type DhtHost = {name: string; address: Address; wildcard: boolean; catalog?: DhtShare['catalog']};

/**
 * Takes a place in the distributed hash table. Without `address` only to ask, as a command does; without a catalog to
 * keep a part of it for others, as an index server does.
 *
 * @throws P2pError bad-database
 */
export async function joinDht(settings: DhtSettings, guest: DhtGuest & Partial<DhtHost>): Promise<Dht> {
	// Loaded here only: its native parts cost 20 ms at every start otherwise.
	const {Dht} = await import('../dht/dht.ts');
	const {identity, client, bus, dataDir, host, servers, name, address, wildcard, catalog, networkKey, label} = guest;
	const port = address && address.port + (guest.portAbove ?? 0);
	const bootstrap = await Promise.all([...settings.bootstrap, ...(servers ?? []).map(readAddress)].map(resolved));
	return Dht.start({
		...{identity, client, bus, dataDir, label, network: settings.network},
		networkKey: networkKey === undefined ? undefined : Buffer.from(networkKey, 'hex'),
		bootstrap: bootstrap.filter(node => node !== undefined),
		host: host === undefined || host === '::' || !isIPv4(host) ? undefined : host,
		port: port !== undefined && port < 65_536 ? port : undefined,
		door: address?.port,
		probe: (where, signal) => probeIdentity(identity, where, signal),
		keeps: address !== undefined,
		...(catalog &&
			address &&
			name && {share: {catalog, name, port: address.port, host: wildcard ? undefined : address.host}}),
	});
}

/**
 * Takes a place in the table of each private network that this process is a member of, or else in that of the open one.
 *
 * @throws P2pError bad-database
 */
export async function joinDhts(
	settings: DhtSettings,
	networks: Memberships['networks'],
	guest: Omit<DhtGuest, 'networkKey' | 'label' | 'portAbove'> & Partial<DhtHost>,
): Promise<Dht[]> {
	if (networks.length === 0) return [await joinDht(settings, guest)];
	const joined: Dht[] = [];
	try {
		for (const [portAbove, {networkKey, address}] of networks.entries()) {
			const own = networks.length > 1 && {servers: [address], label: `DHT of ${address}`, portAbove};
			joined.push(await joinDht(settings, {...guest, networkKey, ...own}));
		}
		return joined;
	} catch (error) {
		for (const dht of joined) await dht.stop();
		throw error;
	}
}

/** Takes in what others publish, each list for its own network; undefined where there is none. */
export function tableOf(dhts: readonly Dht[]): TakeTable | undefined {
	const [first] = dhts;
	if (!first) return undefined;
	return (peer, from, body) => (dhts.find(dht => dht.isFor(body)) ?? first).take(peer, from, body);
}

function readAddress(text: string): Address {
	const colon = text.lastIndexOf(':');
	return {host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1))};
}

/** The IPv4 address of a node; undefined where it has none: the table does not speak IPv6. */
async function resolved({host, port}: Address): Promise<Address | undefined> {
	if (isIPv4(host)) return {host, port};
	try {
		return {host: (await lookup(host, {family: 4})).address, port};
	} catch {
		return undefined;
	}
}

/**
 * Whether a peer may take part: what belongs to a private network must not be told in the open one, so that without the
 * key of its network it does not.
 */
export function mayJoinDht(
	settings: DhtSettings | undefined,
	{isPrivate, networks}: Pick<Memberships, 'isPrivate' | 'networks'>,
	bus: EngineBus,
): settings is DhtSettings {
	if (!settings || !isPrivate || networks.length > 0) return settings !== undefined;
	const message = 'Not in the distributed hash table: its key comes with the membership, and the server is away';
	bus.emit('log', {level: 'warn', message});
	return false;
}
