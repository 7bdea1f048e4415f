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
import {displayText} from '../../core/display.ts';
import {P2pError} from '../../core/errors.ts';
import type {JsonCall, SecureClient, Target} from '../../net/secure-client.ts';
import {reachableOnly} from './reachable-only.ts';

type Page = {limit?: number; cursor?: string; signal?: AbortSignal};

/** Questions to one index server. Every failure is a P2pError: the server's own, or unreachable, timeout, identity-changed. */
export type IndexCalls = {
	/**
	 * `sources`: how many of each hit are named. `typing`: names the box that somebody types into; the server drops its
	 * earlier searches that it has not begun. Where it is given, `signal` ends the wait, while the connection is kept.
	 */
	search(query: string, page?: Page & {sources?: number; typing?: string}): Promise<SearchResponse>;
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
 * @param toldBy the server's IP address: some addresses that it names are not connected to on its word
 */
export function createCalls(
	client: SecureClient,
	reach: (signal?: AbortSignal) => Promise<Target>,
	failed: (error: unknown) => void,
	toldBy: () => string,
): IndexCalls {
	const reachable = <T extends Pick<ContentSources, 'sources'>>(content: T): T => ({
		...content,
		sources: reachableOnly(content.sources, toldBy()),
	});
	const call = async <T>(path: string, schema: JsonCall<T>['schema'], signal?: AbortSignal, isShared = false) => {
		try {
			return await client.json(await reach(isShared ? undefined : signal), {
				path,
				schema,
				signal,
				headersTimeout: limits.headersTimeout,
			});
		} catch (error) {
			failed(error);
			throw error;
		}
	};
	return {
		async search(query, {limit, cursor, sources, typing, signal} = {}) {
			const path = `/v1/search?${parameters({q: query, limit, cursor, sources, typing})}`;
			// Looking who listens there is for the next search as well.
			const ask = (until: AbortSignal) => call(path, searchResponseSchema, until, true);
			const isTyped = typing !== undefined && signal !== undefined;
			const answer = await (isTyped ? overtakable(ask, signal) : call(path, searchResponseSchema, signal));
			return {...answer, hits: answer.hits.map(reachable)};
		},
		async sources(content, signal) {
			return reachable(await call(`/v1/files/${encodeURIComponent(content)}`, contentSourcesSchema, signal));
		},
		browse: (peer, {path, cursor, signal}) =>
			call(`/v1/peers/${encodeURIComponent(peer)}/files?${parameters({path, cursor})}`, browseResponseSchema, signal),
		async peers({limit, cursor, signal} = {}) {
			const answer = await call(`/v1/peers?${parameters({limit, cursor})}`, peersResponseSchema, signal);
			return {...answer, peers: reachableOnly(answer.peers, toldBy())};
		},
		async peer(peer, signal) {
			const info = await call(`/v1/peers/${encodeURIComponent(peer)}`, peerInfoSchema, signal);
			const [known] = reachableOnly([info], toldBy());
			if (known) return known;
			throw new P2pError('no-source', `The server names no address of ${displayText(info.name)} that can be reached`);
		},
		info: signal => call('/v1', serverInfoSchema, signal),
	};
}

/** Milliseconds that the answer to an overtaken search has to come in before its connection is given up. */
const overtakenPatience = 2000;

/**
 * Rejects at once when the signal says so. The call itself is left to its end: a new connection would cost the server
 * more than the search does.
 */
async function overtakable<T>(ask: (until: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
	signal.throwIfAborted();
	const ended = new AbortController();
	const overtaken = Promise.withResolvers<never>();
	let late: NodeJS.Timeout | undefined;
	const abort = () => {
		overtaken.reject(signal.reason);
		late = setTimeout(() => ended.abort(signal.reason), overtakenPatience);
	};
	signal.addEventListener('abort', abort, {once: true});
	const asked = ask(ended.signal).finally(() => {
		clearTimeout(late);
		signal.removeEventListener('abort', abort);
	});
	// Nobody hears of it once it is overtaken.
	asked.catch(() => undefined);
	return Promise.race([asked, overtaken.promise]);
}

function parameters(values: Record<string, string | number | undefined>): URLSearchParams {
	const search = new URLSearchParams();
	for (const [name, value] of Object.entries(values)) if (value !== undefined) search.set(name, String(value));
	return search;
}
