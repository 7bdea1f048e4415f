import {limits} from '../../api/limits.ts';
import type {ContentSources} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import type {FileRegistry} from './file-registry.ts';
import {keys} from './keys.ts';
import type {PresenceBoard} from './presence-board.ts';
import type {RedisLink} from './redis-link.ts';

/**
 * The sources of a content by the cluster's registry alone, for a server whose read model is not whole. The registry
 * knows no paths; who wants one content needs none.
 *
 * @throws P2pError not-found
 */
export async function registeredSources(
	content: string,
	{link, files, board}: {link: RedisLink; files: FileRegistry; board: PresenceBoard},
): Promise<ContentSources> {
	const found = await files.find(content, limits.sourcesPerHit);
	const sources: ContentSources['sources'] = [];
	for (const number of found?.peers ?? []) {
		const numbered = keys.numbered(number);
		const id = await link.call<string | null>(numbered, ['HGET', numbered, String(number)]);
		if (!id) continue;
		const [info, gone] = await link.call<(string | null)[]>(keys.peer(id), ['HMGET', keys.peer(id), 'info', 'gone']);
		if (!info || gone === '1') continue;
		const {name, host, port} = JSON.parse(info) as {name: string; host: string; port: number};
		const sharedAt = new Date((found?.at ?? 0) * 1000).toISOString();
		sources.push({peer: id, number, name, host, port, path: '', sharedAt, online: board.isOnline(id)});
	}
	if (!found || sources.length === 0)
		throw new P2pError('not-found', `Nobody here has the content ${content.slice(0, 8)}`);
	sources.sort((a, b) => Number(b.online) - Number(a.online));
	const online = sources.filter(source => source.online).length;
	return {content, name: found.name, size: found.size, sources, sourceCount: online};
}
