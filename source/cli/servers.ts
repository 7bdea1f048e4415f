import {dataFolderFor} from '../config/data-folders.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {shortId} from '../core/format.ts';
import {type KnownServers, openKnownServers} from '../identity/known-servers.ts';
import {discoverServers, type FoundServer} from '../net/discovery.ts';
import {type Command, printJson, printLine} from './context.ts';

/** Milliseconds to listen for answers: a person asked for the list, so that late ones count as well. */
const patience = 2500;

/** `p2p-tui servers`: the index servers that announce themselves on the LAN. */
export const command: Command = async context => {
	if (context.input.length > 0) throw new P2pError('usage', `servers takes no arguments, got ${context.input[0]}`);
	const known = openKnownServers(dataFolderFor('peer', context.flags.dataDir));
	const trouble = context.debug ? (message: string) => void process.stderr.write(`${message}\n`) : undefined;
	const servers = await discoverServers({signal: context.signal, timeout: patience, trouble});
	for (const server of servers) {
		if (context.json) printJson({...server, known: standing(known, server)});
		else printLine(serverLine(server, standing(known, server)));
	}
	if (servers.length === 0) {
		throw new P2pError('not-found', 'No index server announces itself on this network', {
			hint: 'Start one with: p2p-tui --mode server; one elsewhere is named by --server HOST',
		});
	}
	return exitCodes.done;
};

/** How a found server stands to the pinned keys: `changed` is another key than the one pinned for its address. */
function standing(known: KnownServers, {address, id}: FoundServer): 'known' | 'new' | 'changed' {
	const pinned = known.get(address);
	return pinned === undefined ? 'new' : pinned === id ? 'known' : 'changed';
}

function serverLine(server: FoundServer, state: string): string {
	return `${state.padEnd(7)}  ${server.private ? 'private' : 'open   '}  ${server.address.padEnd(21)}  ${shortId(server.id)}  ${server.name}`;
}
