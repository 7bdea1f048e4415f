// What anyone may ask an index server, registered or not.
import {limits} from '../../api/limits.ts';
import {
	type BrowseResponse,
	browseResponseSchema,
	type ContentSources,
	contentSourcesSchema,
	type PeerInfo,
	type PeersResponse,
	peerInfoSchema,
	peersResponseSchema,
	type SearchResponse,
	type ServerInfo,
	searchResponseSchema,
	serverInfoSchema,
} from '../../api/schemas.ts';
import type {JsonCall, SecureClient, Target} from '../../net/secure-client.ts';

type Page = {limit?: number; cursor?: string; signal?: AbortSignal};

/** Questions to one index server. Every failure is a P2pError: the server's own, or unreachable, timeout, identity-changed. */
export type IndexCalls = {
	/** `sources`: how many of each hit are named. */
	search(query: string, page?: Page & {sources?: number}): Promise<SearchResponse>;
	sources(content: string, signal?: AbortSignal): Promise<ContentSources>;
	/** `peer`: number, peer ID or its start, or nickname. */
	browse(peer: string, where: {path: string; cursor?: string; signal?: AbortSignal}): Promise<BrowseResponse>;
	peers(page?: Page): Promise<PeersResponse>;
	peer(peer: string, signal?: AbortSignal): Promise<PeerInfo>;
	info(signal?: AbortSignal): Promise<ServerInfo>;
};

/**
 * The calls, over a connection whose other end `reach` has checked.
 *
 * @param failed told of each failure, so that the next call may look anew at who listens there
 */
export function createCalls(
	client: SecureClient,
	reach: (signal?: AbortSignal) => Promise<Target>,
	failed: (error: unknown) => void,
): IndexCalls {
	const call = async <T>(path: string, schema: JsonCall<T>['schema'], signal?: AbortSignal) => {
		try {
			return await client.json(await reach(signal), {path, schema, signal, headersTimeout: limits.headersTimeout});
		} catch (error) {
			failed(error);
			throw error;
		}
	};
	return {
		search: (query, {limit, cursor, sources, signal} = {}) =>
			call(`/v1/search?${parameters({q: query, limit, cursor, sources})}`, searchResponseSchema, signal),
		sources: (content, signal) => call(`/v1/files/${encodeURIComponent(content)}`, contentSourcesSchema, signal),
		browse: (peer, {path, cursor, signal}) =>
			call(`/v1/peers/${encodeURIComponent(peer)}/files?${parameters({path, cursor})}`, browseResponseSchema, signal),
		peers: ({limit, cursor, signal} = {}) =>
			call(`/v1/peers?${parameters({limit, cursor})}`, peersResponseSchema, signal),
		peer: (peer, signal) => call(`/v1/peers/${encodeURIComponent(peer)}`, peerInfoSchema, signal),
		info: signal => call('/v1', serverInfoSchema, signal),
	};
}

function parameters(values: Record<string, string | number | undefined>): URLSearchParams {
	const search = new URLSearchParams();
	for (const [name, value] of Object.entries(values)) if (value !== undefined) search.set(name, String(value));
	return search;
}
