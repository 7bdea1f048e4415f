import {isIPv4} from 'node:net';
import {isLoopback} from './listen.ts';
import {type MdnsLink, type MdnsScope, type MdnsTrouble, mdnsScope, openLink, serviceType} from './mdns.ts';

/** What an index server tells its LAN about itself. */
export type Announcement = {
	/** Server ID. */
	id: string;
	name: string;
	version: string;
	/** Joining needs an invite. */
	private: boolean;
	/** The address it listens on, as {@link listen} gave it. */
	host: string;
	port: number;
};

/** A running announcement. */
export type Announcer = {/** Says goodbye and closes the sockets. */ stop(): Promise<void>};

/** Milliseconds between two looks at the machine's interfaces: a laptop changes networks. */
const lookEvery = 10_000;
/** Milliseconds that a goodbye may take; whoever misses it notices later that nobody answers. */
const goodbyeMs = 500;
/** A TXT string has 255 bytes (RFC 6763, section 6.1), its key included. */
const textBytes = 255;

/**
 * Announces an index server by mDNS as `_p2p-tui._tcp` on every interface it can be reached by. One that listens on
 * loopback only is not announced: nobody else could reach it.
 *
 * @param trouble told what does not work; the server runs all the same
 */
export function announceServer(
	announcement: Announcement,
	trouble: MdnsTrouble,
	scope: MdnsScope | undefined = mdnsScope(),
): Announcer {
	const links = new Map<string, MdnsLink>();
	let stopped = false;
	let announced: string | undefined;
	if (!scope) return {stop: async () => undefined};

	const look = () => {
		const wanted = scope.interfaces().filter(address => reaches(announcement.host, address));
		if (wanted.join() === announced) return;
		announced = wanted.join();
		// The records name all addresses, so that they are made anew when one of them changed.
		closeAll();
		for (const address of wanted) {
			const link = openLink(address, scope.port, trouble);
			if (!link) continue;
			links.set(address, link);
			publish(link, announcement);
		}
		if (wanted.length === 0) trouble(`mDNS: ${announcement.host} is not announced`);
	};
	const closeAll = () => {
		for (const link of links.values()) link.close();
		links.clear();
	};

	look();
	const timer = setInterval(look, lookEvery);
	timer.unref();
	return {
		async stop() {
			if (stopped) return;
			stopped = true;
			clearInterval(timer);
			await Promise.all([...links.values()].map(goodbye));
			closeAll();
		},
	};
}

/** Whether a server that listens at `host` hears what comes to the interface with this address. */
export function reaches(host: string, address: string): boolean {
	if (host === '::' || host === '0.0.0.0' || host === address) return true;
	return isIPv4(host) && isLoopback(host) && isLoopback(address);
}

function publish({bonjour}: MdnsLink, {id, name, version, private: isPrivate, port}: Announcement): void {
	// Named by the ID: unique without probing for conflicts, and no name of a person's choice to escape.
	const label = `p2p-tui-${id.slice(0, 16)}`;
	bonjour.publish({
		name: label,
		type: serviceType,
		host: `${label}.local`,
		port,
		probe: false,
		txt: {id, name: cutTo(name, textBytes - 'name='.length), version, private: isPrivate ? '1' : '0'},
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

/** The start of a text that fits into so many bytes of UTF-8. */
function cutTo(text: string, bytes: number): string {
	let fitting = text;
	while (Buffer.byteLength(fitting) > bytes) fitting = [...fitting].slice(0, -1).join('');
	return fitting;
}
