import {dataFolderFor} from '../config/data-folders.ts';
import {P2pError} from '../core/errors.ts';
import {MemberBook} from '../identity/member-book.ts';
import type {CommandContext} from './context.ts';

/**
 * Runs a command on the members of this machine's private network, also while its server runs.
 *
 * @throws P2pError refused when the network is open, or there is none
 */
export function withMembers<T>({flags}: CommandContext, use: (members: MemberBook) => T): T {
	const dataDir = dataFolderFor('server', flags.dataDir);
	const members = MemberBook.open(dataDir, {make: false, synced: true});
	try {
		if (members?.isPrivate) return use(members);
		throw new P2pError('refused', `The server with the data folder ${dataDir} has no private network`, {
			hint: 'Make its network private with: p2p-tui --mode server --private',
		});
	} finally {
		members?.close();
	}
}
