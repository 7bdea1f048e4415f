// Looking through what a peer shares: it is asked itself, as only it knows what it shares with us alone, and its empty
// folders; what its index server lists does when it cannot be asked.
import {type BrowseResponse, browseResponseSchema} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import type {SecureClient, Target} from '../net/secure-client.ts';
import type {Router} from './directory.ts';

/** Milliseconds that a peer has to answer before its index server's list must do. */
const patience = 3000;
/** What tells the cursors of the two lists apart. */
const own = 'peer:';

/** One page of a folder, as the peer itself lists it. */
export function askPeer(
	client: SecureClient,
	peer: Target,
	{path, cursor, signal}: {path: string; cursor?: string; signal?: AbortSignal},
): Promise<BrowseResponse> {
	const query = new URLSearchParams({path, ...(cursor !== undefined && {cursor})});
	return client.json(peer, {path: `/v1/browse?${query}`, schema: browseResponseSchema, signal});
}

/**
 * One page of a folder of a peer.
 *
 * @param peer number, peer ID or its start, or nickname
 * @throws P2pError not-found, ambiguous, and what the index server answers
 */
export async function browsePeer(
	router: Router,
	client: SecureClient,
	peer: string,
	{path, cursor, signal}: {path: string; cursor?: string; signal?: AbortSignal},
): Promise<BrowseResponse> {
	if (cursor === undefined || cursor.startsWith(own)) {
		const {id, host, port, addresses, online} = await router.peer(peer, signal);
		const soon = AbortSignal.any([AbortSignal.timeout(patience), ...(signal ? [signal] : [])]);
		const options = {path, cursor: cursor?.slice(own.length), signal: soon};
		const page = online
			? await askPeer(client, {id, host, port, addresses}, options).catch(error => {
					signal?.throwIfAborted();
					if (cursor !== undefined || (error instanceof P2pError && error.code === 'not-found')) throw error;
					return undefined;
				})
			: undefined;
		if (page) return {...page, ...(page.cursor !== undefined && {cursor: own + page.cursor})};
	}
	return router.browse(peer, {path, cursor, signal});
}
