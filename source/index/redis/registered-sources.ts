import {limits} from '../../api/limits.ts';
import type {ContentSources} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import type {FileRegistry} from './file-registry.ts';
import type {PresenceBoard} from './presence-board.ts';

/**
 * The sources of a content by the cluster's registry alone, for a server whose read model is not whole. The registry
 * knows no paths; who wants one content needs none.
 *
 * @throws P2pError not-found
 */
export async function registeredSources(
	content: string,
	{files, board}: {files: FileRegistry; board: PresenceBoard},
): Promise<ContentSources> {
	const found = await files.find(content, limits.sourcesPerHit);
	if (!found) throw new P2pError('not-found', `Nobody here has the content ${content.slice(0, 8)}`);
	const sharedAt = new Date(found.at * 1000).toISOString();
	const sources = found.holders.map(({id, number, info}) => {
		const {name, host, port} = JSON.parse(info) as {name: string; host: string; port: number};
		return {peer: id, number, name, host, port, path: '', sharedAt, online: board.isOnline(id)};
	});
	sources.sort((a, b) => Number(b.online) - Number(a.online));
	const online = sources.filter(source => source.online).length;
	return {content, name: found.name, size: found.size, sources, sourceCount: online};
}
