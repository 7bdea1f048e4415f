import {configFile} from '../config/config-file.ts';
import {dataFolderFor} from '../config/data-folders.ts';
import {lastServers, rememberServers} from '../config/remembered.ts';
import {dhtSettings, type Flags, mergeFlags, readServers, serverAddress} from '../config/settings.ts';
import {defaultPorts, formatAddress, parseHost} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import {EngineBus} from '../core/events.ts';
import {mergeRouters, type Router} from '../engine/directory.ts';
import {joinDhts, mayJoinDht} from '../engine/join-dht.ts';
import {type Identity, loadIdentity} from '../identity/identity.ts';
import {openKnownServers} from '../identity/known-servers.ts';
import {createIndexClient} from '../index/client.ts';
import {Memberships} from '../net/memberships.ts';
import {probeIdentity, SecureClient} from '../net/secure-client.ts';
import type {CommandContext} from './context.ts';
import {severalServers} from './no-server.ts';

/** What a one-shot command works with; it shares nothing and is gone when the command ends. */
export type Network = {
	identity: Identity;
	client: SecureClient;
	router: Router;
	/** HOST:PORT of the servers asked. */
	servers: string[];
	/** Flags, environment and config file together. */
	flags: Flags;
	dataDir: string;
	bus: EngineBus;
	/** Whether the table is asked: what it says of where peers are is claimed, and asking for sources tries it. */
	dht: boolean;
	memberships: Memberships;
};

/**
 * Runs a command against the network: the servers named, else those that a link names with those used last, else the
 * only one that the LAN has, else one on this machine.
 *
 * @param linked servers that a link names
 * @throws P2pError no-server when there is none of these, or several on the LAN
 */
export async function withNetwork<T>(
	context: CommandContext,
	use: (network: Network) => Promise<T>,
	linked: readonly string[] = [],
): Promise<T> {
	const dataDir = dataFolderFor('peer', context.flags.dataDir);
	const flags = mergeFlags(context.flags, configFile(dataDir));
	const identity = await loadIdentity(dataDir);
	const settings = dhtSettings(flags);
	const {invites} = readServers(flags.server);
	const servers =
		settings && !flags.server?.length ? [] : await chooseServers(flags, dataDir, identity, linked, context.signal);
	const memberships = new Memberships({folder: dataDir, id: identity.id, name: undefined, servers, invites});
	const client = new SecureClient(identity, {membership: () => memberships.current()});
	const bus = new EngineBus();
	const guest = {identity, client, bus, dataDir, servers, host: bindHost(flags)};
	const dhts = mayJoinDht(settings, memberships, bus) ? await joinDhts(settings, memberships.networks, guest) : [];
	try {
		const knownServers = openKnownServers(dataDir);
		const clients = servers.map(address =>
			createIndexClient({identity, client, address, knownServers, bus, memberships}),
		);
		const router = mergeRouters([...clients, ...dhts]);
		const dht = dhts.length > 0;
		const result = await use({identity, client, router, servers, flags, dataDir, bus, memberships, dht});
		// What a link brings along does not replace what the person uses.
		if (linked.length === 0 && servers.length > 0) await rememberServers(dataDir, servers);
		return result;
	} finally {
		await Promise.all(dhts.map(dht => dht.stop()));
		client.close();
	}
}

/** Where a command's own socket is bound: to loopback, where that is asked for. */
function bindHost({host}: Flags): string | undefined {
	return host === undefined ? undefined : parseHost(host);
}

async function chooseServers(
	flags: Flags,
	dataDir: string,
	identity: Identity,
	linked: readonly string[],
	signal: AbortSignal,
): Promise<string[]> {
	if (flags.server?.length) return readServers(flags.server).servers;
	const last = [...new Set([...linked.map(serverAddress), ...lastServers(dataDir)])];
	if (last.length > 0) return last;
	// Loaded here only: multicast DNS is a tenth of what a command loads.
	const {discoverServers} = await import('../net/discovery.ts');
	const found = await discoverServers({signal});
	if (found.length > 1) throw severalServers(found);
	if (found[0]) {
		const {name, address} = found[0];
		process.stderr.write(`p2p-tui: using ${name} at ${address}, the only index server on this network\n`);
		return [address];
	}
	const here = {host: '127.0.0.1', port: defaultPorts.server};
	try {
		await probeIdentity(identity, here, signal);
		return [formatAddress(here)];
	} catch {
		if (signal.aborted) throw signal.reason;
		throw new P2pError('no-server', 'No index server is known', {
			hint: 'Name one with --server HOST, start one with: p2p-tui --mode server, or do without: --dht',
		});
	}
}
