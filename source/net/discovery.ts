import {isIPv4} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Browser, Service} from 'bonjour-service';
import * as z from 'zod';
import {peerIdSchema} from '../api/ids.ts';
import {limits} from '../api/limits.ts';
import {formatAddress} from '../core/address.ts';
import {displayText} from '../core/display.ts';
import {type MdnsLink, type MdnsScope, type MdnsTrouble, mdnsScope, openLink, serviceType} from './mdns.ts';

/** An index server that announces itself on the LAN. Anybody there can announce anything: the ID is a claim. */
export type FoundServer = {
	/** Server ID as announced; the TLS connection proves it or not. */
	id: string;
	/** HOST:PORT. */
	address: string;
	/** Nickname, made safe for a terminal. */
	name: string;
	version: string;
	/** Joining needs an invite. */
	private: boolean;
};

/** A look around that goes on until it is stopped. */
export type ServerWatch = {stop(): void};

/** What both ways of looking take. */
export type DiscoveryOptions = {
	scope?: MdnsScope | undefined;
	/** Told what does not work. */
	trouble?: MdnsTrouble;
	/** For tests: milliseconds that are otherwise constants. */
	times?: {round: number; settle: number};
};

/** Milliseconds after which it is asked again: mDNS is UDP, and a packet is easily lost. */
const askAgain = [300, 900];
/**
 * Milliseconds of one round of {@link watchServers}, after which everybody is asked anew: who vanished without a goodbye
 * is gone from the list then. `settle`: by then the new round's answers have come, and replace those of the one before.
 */
const usualTimes = {round: 10_000, settle: 1500};

const portSchema = z.int().min(1).max(65_535);
const textSchema = z.object({
	id: peerIdSchema,
	name: z.string().default(''),
	version: z.string().max(32).default(''),
	private: z.enum(['0', '1']).default('0'),
});

/**
 * Looks for index servers on the LAN for `timeout` milliseconds. Without multicast (no network, no permission) it finds
 * none, and tells `trouble` why.
 *
 * @throws the signal's reason when aborted
 */
export async function discoverServers({
	signal,
	timeout = 1500,
	...options
}: DiscoveryOptions & {signal?: AbortSignal; timeout?: number} = {}): Promise<FoundServer[]> {
	let found: FoundServer[] = [];
	const watch = watchServers(servers => {
		found = servers;
	}, options);
	try {
		await sleep(timeout, undefined, {signal});
		return found;
	} catch (error) {
		if (signal?.aborted) throw signal.reason;
		throw error;
	} finally {
		watch.stop();
	}
}

/** Calls `onChange` with all index servers of the LAN whenever one comes, goes or changes, sorted by name. */
export function watchServers(
	onChange: (servers: FoundServer[]) => void,
	{scope = mdnsScope(), trouble = () => undefined, times = usualTimes}: DiscoveryOptions = {},
): ServerWatch {
	if (!scope) return {stop: () => undefined};
	let rounds: Round[] = [];
	let told = '[]';
	const tell = () => {
		const servers = collect(rounds);
		const text = JSON.stringify(servers);
		if (text === told) return;
		told = text;
		onChange(servers);
	};
	let settling: NodeJS.Timeout | undefined;
	const begin = () => {
		const before = rounds;
		const round = startRound(scope, trouble, tell);
		rounds = [round, ...before];
		settling = setTimeout(() => {
			for (const old of before) old.stop();
			rounds = [round];
			tell();
		}, times.settle);
	};
	begin();
	const timer = setInterval(begin, times.round);
	return {
		stop() {
			clearInterval(timer);
			clearTimeout(settling);
			for (const round of rounds) round.stop();
			rounds = [];
		},
	};
}

/** One question to every interface, and what answers. */
type Round = {browsers: Browser[]; stop(): void};

function startRound(scope: MdnsScope, trouble: MdnsTrouble, changed: () => void): Round {
	const links: MdnsLink[] = [];
	const browsers: Browser[] = [];
	for (const address of scope.interfaces()) {
		const link = openLink(address, scope.port, trouble);
		if (!link) continue;
		links.push(link);
		const browser = link.bonjour.find({type: serviceType});
		browsers.push(browser);
		for (const event of ['up', 'down', 'txt-update', 'srv-update'] as const) {
			browser.on(event, () => {
				// Somebody floods the LAN with servers: those heard so far must do.
				if (browser.services.length >= limits.serversFound) browser.stop();
				changed();
			});
		}
	}
	const timers = askAgain.map(after =>
		setTimeout(() => {
			for (const browser of browsers) browser.update();
		}, after),
	);
	return {
		browsers,
		stop() {
			for (const timer of timers) clearTimeout(timer);
			for (const browser of browsers) browser.stop();
			for (const link of links) link.close();
		},
	};
}

/** Each server once, by its ID, as it was heard first. */
function collect(rounds: Round[]): FoundServer[] {
	const byId = new Map<string, FoundServer>();
	for (const service of rounds.flatMap(({browsers}) => browsers.flatMap(browser => browser.services))) {
		const server = readService(service);
		if (server && !byId.has(server.id)) byId.set(server.id, server);
	}
	return [...byId.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
}

/** A service as announced; undefined when it is none of ours. */
export function readService(service: Pick<Service, 'port' | 'txt' | 'referer'>): FoundServer | undefined {
	const text = textSchema.safeParse(service.txt);
	// Where the packet came from can be reached from here; of the addresses that are named, perhaps another.
	const host = service.referer?.address;
	if (!text.success || !host || !isIPv4(host) || !portSchema.safeParse(service.port).success) return undefined;
	const {id, name, version, private: isPrivate} = text.data;
	return {
		id,
		address: formatAddress({host, port: service.port}),
		name: displayText(name.slice(0, limits.nameLength)),
		version: displayText(version),
		private: isPrivate === '1',
	};
}
