// The members of a private network on their way with its index: without them nobody would be let in any more.
import {P2pError} from '../../core/errors.ts';
import {MemberBook} from '../../identity/member-book.ts';
import {keys} from './keys.ts';
import {MemberSync} from './member-sync.ts';
import {RedisLink} from './redis-link.ts';
import {parseRedisUrl} from './redis-url.ts';

/**
 * Puts the members and invites of a data folder into a cluster, which is private from then on.
 *
 * @returns how many members; undefined where the folder's network is open, or not known
 */
export async function putMembers(folder: string, url: string): Promise<number | undefined> {
	if (!readBook(folder)?.isPrivate) return undefined;
	return withLink(url, async link => {
		await exchange(link, folder);
		// Which key it has, the first server says that starts.
		await link.call(keys.meta, ['HSET', keys.meta, 'private', '1']);
		return readBook(folder)?.members;
	});
}

/**
 * Puts the members and invites of a cluster's network into the `members.db` of a folder.
 *
 * @returns how many members; undefined where the network is open
 */
export async function fetchMembers(folder: string, url: string): Promise<number | undefined> {
	return withLink(url, async link => {
		if (!(await isPrivate(link))) return undefined;
		await exchange(link, folder);
		const book = MemberBook.open(folder, {make: false, synced: true});
		try {
			book?.setPrivate(true);
			return book?.members().length;
		} finally {
			book?.close();
		}
	});
}

/** @throws P2pError in-use where a folder has the members of another network than the cluster has */
export async function checkMembersBeside(folder: string, url: string): Promise<void> {
	const here = readBook(folder);
	if (!here) return;
	await withLink(url, async link => {
		if (!(await isPrivate(link))) return;
		const key = await link.call<string | null>(keys.members, ['HGET', keys.members, 'network-key']);
		if (key === here.networkKey) return;
		throw new P2pError('in-use', `The members.db in ${folder} is of another network`, {
			hint: 'Move the index into another folder: the members of its network are put beside it',
		});
	});
}

function readBook(folder: string) {
	const book = MemberBook.open(folder, {make: false, synced: false});
	if (!book) return undefined;
	try {
		return {isPrivate: book.isPrivate, networkKey: book.networkKey, members: book.members().length};
	} finally {
		book.close();
	}
}

async function isPrivate(link: RedisLink): Promise<boolean> {
	return (await link.call<string | null>(keys.meta, ['HGET', keys.meta, 'private'])) === '1';
}

/** Both have what either had. */
async function exchange(link: RedisLink, folder: string): Promise<void> {
	const sync = new MemberSync(link, folder, () => undefined);
	try {
		await sync.start();
	} finally {
		await sync.stop();
	}
}

async function withLink<T>(url: string, work: (link: RedisLink) => Promise<T>): Promise<T> {
	const link = new RedisLink(parseRedisUrl(url));
	try {
		await link.open();
		return await work(link);
	} finally {
		await link.close();
	}
}
