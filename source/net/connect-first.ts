// Several addresses of one peer, tried as RFC 8305 ("happy eyeballs") does: one after the other without waiting for the
// slow, and the first that proves the right key wins.
import {isIPv6} from 'node:net';
import {type Address, formatAddress, parseAddress} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';

/** Milliseconds before the next address is tried beside those under way (RFC 8305, section 5). */
const stagger = 250;
/** Peers whose address that worked last is remembered. */
const remembered = 1000;

const lastGood = new Map<string, string>();

/** A peer and all addresses under which it may be found: the likeliest as host and port, more as HOST:PORT. */
export type Reachable = Address & {id: string; addresses?: readonly string[]};

/**
 * The addresses of a peer in the order in which to try them: what worked last, what is named first, then the rest, the
 * families in turns (RFC 8305, section 4). Each once; texts that are none are left out.
 */
export function addressesOf(peer: Reachable): Address[] {
	const all = new Map<string, Address>();
	const take = (address: Address) => void all.set(formatAddress(address), {host: address.host, port: address.port});
	take(peer);
	if (!peer.addresses?.length) return [...all.values()];
	for (const text of peer.addresses) {
		try {
			take(parseAddress(text, peer.port));
		} catch {
			// Whoever named it made a mistake; the others count.
		}
	}
	const good = lastGood.get(peer.id);
	const known = good === undefined ? undefined : all.get(good);
	const rest = [...all.values()].filter(address => address !== known);
	return known ? [known, ...inTurns(rest)] : inTurns(rest);
}

/**
 * Tries addresses until one attempt succeeds; the others are aborted then.
 *
 * @param attempt connects, and checks the key; must end when its signal is aborted
 * @param discard closes what a second attempt made that succeeded at the same time
 * @throws what the attempt at the first address threw, when none succeeds; the signal's reason when aborted
 */
export async function connectFirst<T>(
	peer: Reachable,
	attempt: (address: Address, signal: AbortSignal) => Promise<T>,
	{discard, signal, delay = stagger}: {discard(made: T): void; signal?: AbortSignal; delay?: number},
): Promise<T> {
	const addresses = addressesOf(peer);
	const ended = new AbortController();
	const all = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
	const {promise, resolve, reject} = Promise.withResolvers<T>();
	const failures = new Map<number, unknown>();
	let won = false;
	let next = 0;
	let timer: NodeJS.Timeout | undefined;

	const start = () => {
		clearTimeout(timer);
		const index = next++;
		const address = addresses[index];
		if (!address || all.aborted) return;
		if (next < addresses.length) timer = setTimeout(start, delay);
		attempt(address, all).then(
			made => {
				if (won || all.aborted) return discard(made);
				won = true;
				if (addresses.length > 1) remember(peer.id, address);
				resolve(made);
			},
			error => {
				failures.set(index, error);
				if (failures.size === addresses.length) reject(failures.get(0));
				else start();
			},
		);
	};
	const abort = () => reject(signal?.reason);
	if (signal?.aborted) abort();
	else signal?.addEventListener('abort', abort, {once: true});
	start();
	try {
		return await promise;
	} finally {
		clearTimeout(timer);
		signal?.removeEventListener('abort', abort);
		ended.abort(new P2pError('cancelled', 'Another address was faster'));
	}
}

function remember(id: string, address: Address): void {
	lastGood.delete(id);
	lastGood.set(id, formatAddress(address));
	if (lastGood.size <= remembered) return;
	const [oldest] = lastGood.keys();
	if (oldest !== undefined) lastGood.delete(oldest);
}

/** IPv6 and IPv4 by turns, beginning with the family of the first, each in its own order. */
function inTurns(addresses: Address[]): Address[] {
	const first = isIPv6(addresses[0]?.host ?? '');
	const one = addresses.filter(({host}) => isIPv6(host) === first);
	const other = addresses.filter(({host}) => isIPv6(host) !== first);
	const turns: Address[] = [];
	for (let i = 0; i < Math.max(one.length, other.length); i++)
		turns.push(...[one[i], other[i]].filter(address => address !== undefined));
	return turns;
}
