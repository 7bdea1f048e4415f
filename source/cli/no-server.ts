import {P2pError} from '../core/errors.ts';
import type {FoundServer} from '../net/discovery.ts';

/** At most so many found servers are named in an error. */
const named = 8;

/**
 * The error for a peer that knows no index server. None is joined by itself, so it names those that the LAN has, with
 * the command that joins one.
 *
 * @throws the signal's reason when aborted
 */
export async function noServerForPeer(signal: AbortSignal): Promise<P2pError> {
	const {discoverServers} = await import('../net/discovery.ts');
	const found = await discoverServers({signal});
	const [first] = found;
	return new P2pError(
		'no-server',
		first ? `No index server was chosen. Found here: ${list(found)}` : 'No index server is known',
		{
			hint: first
				? `Join with: p2p-tui --mode peer --server ${first.private ? 'LINK, an invite link to it' : first.address}`
				: 'Name one with --server HOST, start one with: p2p-tui --mode server, or do without: --dht',
			...(first && {details: {found}}),
		},
	);
}

/** The error for a command that could go to any of several servers. */
export function severalServers(found: FoundServer[]): P2pError {
	return new P2pError('no-server', `Several index servers are here: ${list(found)}`, {
		hint: `Name one with --server ${found[0]?.address}`,
		details: {found},
	});
}

function list(found: FoundServer[]): string {
	const names = found
		.slice(0, named)
		.map(({name, address, private: isPrivate}) => `${name || 'server'} at ${address}${isPrivate ? ' (private)' : ''}`);
	if (found.length > named) names.push(`${found.length - named} more`);
	return names.join(', ');
}
