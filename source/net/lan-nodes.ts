// Nodes of the distributed hash table on the LAN: announcing the own one by mDNS, and hearing of others.
import {isIPv4} from 'node:net';
import type {Browser} from 'bonjour-service';
import * as z from 'zod';
import {peerIdSchema} from '../api/ids.ts';
import {limits} from '../api/limits.ts';
import type {Address} from '../core/address.ts';
import {reaches} from './announce.ts';
import {type MdnsLink, type MdnsScope, type MdnsTrouble, mdnsScope, nodeType, openLink} from './mdns.ts';

/** The own node; without `port` nothing is announced and others are only heard. */
export type LanNode = {
	/** Peer or server ID. */
	id: string;
	/** Which network: nodes of others are passed over. */
	network: string;
	/** The address that its UDP socket is bound to, and its port. */
	host: string;
	port?: number;
};

/** Milliseconds between two looks at the machine's interfaces, and between two questions. */
const lookEvery = 10_000;
/** mDNS is UDP, and a packet is easily lost: asked again after so many milliseconds. */
const askAgain = [300, 900, 2000];
const goodbyeMs = 300;

const portSchema = z.int().min(1).max(65_535);
const textSchema = z.object({id: peerIdSchema, network: z.string().max(64)});

/**
 * Announces the own node on every interface it can be reached by, and tells of each other node of its network, once.
 *
 * @param found told of nodes; what they claim to be is proved by asking them
 */
export function watchLanNodes(
	node: LanNode,
	found: (address: Address) => void,
	trouble: MdnsTrouble = () => undefined,
	scope: MdnsScope | undefined = mdnsScope(),
): {stop(): Promise<void>} {
	if (!scope) return {stop: async () => undefined};
	const links = new Map<string, {link: MdnsLink; browser: Browser}>();
	const told = new Set<string>();
	let opened: string | undefined;

	const hear = (browser: Browser) => {
		for (const service of browser.services.slice(0, limits.serversFound)) {
			const text = textSchema.safeParse(service.txt);
			const host = service.referer?.address;
			if (!text.success || !host || !isIPv4(host) || !portSchema.safeParse(service.port).success) continue;
			if (text.data.network !== node.network || text.data.id === node.id) continue;
			const name = `${host}:${service.port}`;
			if (told.has(name) || told.size >= limits.serversFound) continue;
			told.add(name);
			found({host, port: service.port});
		}
	};
	const look = () => {
		const wanted = scope.interfaces().filter(address => reaches(node.host, address));
		if (wanted.join() !== opened) {
			opened = wanted.join();
			for (const {link} of links.values()) link.close();
			links.clear();
			for (const address of wanted) {
				const link = openLink(address, scope.port, trouble);
				if (!link) continue;
				if (node.port !== undefined) publish(link, {...node, port: node.port});
				const browser = link.bonjour.find({type: nodeType, protocol: 'udp'}, () => hear(browser));
				links.set(address, {link, browser});
			}
		}
		ask();
	};
	const ask = () => {
		for (const {browser} of links.values()) {
			browser.update();
			hear(browser);
		}
	};
	look();
	const timers = [...askAgain.map(after => setTimeout(ask, after)), setInterval(look, lookEvery)];
	for (const timer of timers) timer.unref();
	// Who has gone and comes back is told of again.
	const forget = setInterval(() => told.clear(), 3 * lookEvery).unref();
	return {
		async stop() {
			for (const timer of [...timers, forget]) clearInterval(timer);
			await Promise.all([...links.values()].map(({link}) => goodbye(link)));
			for (const {link} of links.values()) link.close();
			links.clear();
		},
	};
}

function publish({bonjour}: MdnsLink, {id, network, port}: LanNode & {port: number}): void {
	const label = `p2p-tui-node-${id.slice(0, 16)}-${network.slice(0, 8)}`;
	bonjour.publish({
		...{name: label, type: nodeType, protocol: 'udp', host: `${label}.local`, port, probe: false},
		txt: {id, network},
	});
}

function goodbye({bonjour}: MdnsLink): Promise<void> {
	return new Promise(resolve => {
		const late = setTimeout(resolve, goodbyeMs);
		bonjour.unpublishAll(() => {
			clearTimeout(late);
			resolve();
		});
	});
}
