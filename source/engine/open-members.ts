import {readFileSync} from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type {ServerOptions} from '../config/options.ts';
import {P2pError} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';
import {MemberBook} from '../identity/member-book.ts';

/** Says beside the list of members that there must be one: a list that is gone must not open the network. */
const markFile = 'network.json';

/**
 * The members of a server's network, when it is private: by this start or by an earlier one. What
 * was private stays so until `--open`.
 *
 * @throws P2pError bad-database: a network whose list of members is damaged or gone does not become open by that
 */
export async function openMembers(
	{dataDir, private: asked}: Pick<ServerOptions, 'dataDir' | 'private'>,
	bus: EngineBus,
): Promise<MemberBook | undefined> {
	const mark = path.join(dataDir, markFile);
	const members = MemberBook.open(dataDir, {make: asked === true, synced: false});
	try {
		if (asked === undefined && isMarked(mark) && !members?.isPrivate) {
			throw new P2pError('bad-database', `This network is private, and its list of members is gone from ${dataDir}`, {
				hint: 'Restore members.db from a backup; --private begins with an empty list, --open lets everybody in',
			});
		}
		const log = (message: string) => bus.emit('log', {level: 'info', message});
		const before = members?.isPrivate ?? false;
		if (asked !== undefined) {
			members?.setPrivate(asked);
			if (asked || isMarked(mark)) await writeFileAtomic(mark, `${JSON.stringify({private: asked})}\n`, {mode: 0o600});
		}
		if (!members?.isPrivate) {
			if (before) log('this network is open from now on: everybody who reaches it may search and download');
			members?.close();
			return undefined;
		}
		if (!before) log('this network is private from now on; p2p-tui invite lets somebody in');
		else if (asked === undefined) log('this network is private, as it was made; --open would open it to everybody');
		return members;
	} catch (error) {
		members?.close();
		throw error;
	}
}

function isMarked(file: string): boolean {
	try {
		return (JSON.parse(readFileSync(file, 'utf8')) as {private?: unknown}).private === true;
	} catch (error) {
		// One that cannot be read says nothing good: the list itself decides only where there never was a mark.
		return (error as NodeJS.ErrnoException).code !== 'ENOENT';
	}
}
