import {limits} from '../../api/limits.ts';
import {formatAddress} from '../../core/address.ts';
import {usableAddresses} from '../../net/address-scope.ts';

type Placed = {host: string; port: number; online: boolean; addresses?: string[] | undefined};

/**
 * What a server says about peers, with only those addresses that may be connected to on its word: see `mayConnect`.
 * Whoever is online and has none left is left out. Who is offline is not connected to, and stays as it is.
 *
 * @param toldBy the server's IP address
 */
export function reachableOnly<T extends Placed>(peers: readonly T[], toldBy: string): T[] {
	return peers.flatMap(peer => {
		if (!peer.online) return [peer];
		const named = [formatAddress(peer), ...(peer.addresses ?? [])];
		const [first, ...more] = usableAddresses(named, toldBy, limits.addressesPerPeer + 1);
		if (!first) return [];
		const {addresses, ...rest} = peer;
		return [{...rest, ...first, ...(more.length > 0 && {addresses: more.map(formatAddress)})} as T];
	});
}
