import {lookup} from 'node:dns/promises';
import {isIPv4} from 'node:net';
import type {DhtSettings} from '../config/options.ts';
import type {Address} from '../core/address.ts';
import type {EngineBus} from '../core/events.ts';
import type {Dht} from '../dht/dht.ts';
import type {Identity} from '../identity/identity.ts';
import type {SecureClient} from '../net/secure-client.ts';
import type {Catalog} from '../share/catalog.ts';

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
};

/** What a peer or a server joins with besides. `wildcard`: it listens on all addresses. */
export type DhtHost = {name: string; address: Address; wildcard: boolean; catalog?: Catalog};

/**
 * Takes a place in the distributed hash table. Without `address` only to ask, as a command does; without a catalog to
 * keep a part of it for others, as an index server does.
 *
 * @throws P2pError bad-database
 */
export async function joinDht(settings: DhtSettings, guest: DhtGuest & Partial<DhtHost>): Promise<Dht> {
	// Loaded here only: its native parts cost 20 ms at every start otherwise.
	const {Dht} = await import('../dht/dht.ts');
	const {identity, client, bus, dataDir, host, servers, name, address, wildcard, catalog} = guest;
	const bootstrap = await Promise.all([...settings.bootstrap, ...(servers ?? []).map(readAddress)].map(resolved));
	return Dht.start({
		...{identity, client, bus, dataDir, network: settings.network},
		bootstrap: bootstrap.filter(node => node !== undefined),
		host: host === undefined || host === '::' || !isIPv4(host) ? undefined : host,
		port: address?.port,
		keeps: address !== undefined,
		...(catalog &&
			address &&
			name && {share: {catalog, name, port: address.port, host: wildcard ? undefined : address.host}}),
	});
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
