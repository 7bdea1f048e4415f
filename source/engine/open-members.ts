import type {ServerOptions} from '../config/options.ts';
import type {EngineBus} from '../core/events.ts';
import {MemberBook} from '../identity/member-book.ts';

/**
 * The members of a server's network, when it is private: because it is asked for now, or was at an earlier start. What
 * was private stays so until `--open`.
 *
 * @throws P2pError bad-database: a network whose list of members is damaged does not become open by that
 */
export function openMembers(
	{dataDir, private: asked}: Pick<ServerOptions, 'dataDir' | 'private'>,
	bus: EngineBus,
): MemberBook | undefined {
	const members = MemberBook.open(dataDir, {make: asked === true, synced: false});
	if (!members) return undefined;
	const log = (message: string) => bus.emit('log', {level: 'info', message});
	const before = members.isPrivate;
	if (asked !== undefined) members.setPrivate(asked);
	if (!members.isPrivate) {
		if (before) log('this network is open from now on: everybody who reaches it may search and download');
		members.close();
		return undefined;
	}
	if (!before) log('this network is private from now on; p2p-tui invite lets somebody in');
	else if (asked === undefined) log('this network is private, as it was made; --open would open it to everybody');
	return members;
}
