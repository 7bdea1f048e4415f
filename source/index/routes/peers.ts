import {isIP} from 'node:net';
import type {FastifyInstance} from 'fastify';
import * as z from 'zod';
import {limits} from '../../api/limits.ts';
import {
	browseResponseSchema,
	partialsRequestSchema,
	partialsResponseSchema,
	peerInfoSchema,
	peersResponseSchema,
	registerRequestSchema,
	registerResponseSchema,
} from '../../api/schemas.ts';
import {formatAddress} from '../../core/address.ts';
import {P2pError} from '../../core/errors.ts';
import {plainHost} from '../../net/listen.ts';
import {answer, callerOf, type IndexContext, readInput, tell} from '../context.ts';
import {hostView} from '../host-view.ts';
import {candidateAddresses} from '../reachability.ts';

const cursor = z.string().max(limits.cursorLength).optional();
const listSchema = z.object({cursor, limit: z.coerce.number().int().min(1).max(limits.peersPage).optional()});
const browseSchema = z.object({
	path: z.string().max(limits.pathBytes).default(''),
	cursor,
	limit: z.coerce.number().int().min(1).max(limits.browsePage).optional(),
});
const peerSchema = z.object({peer: z.string().min(1).max(limits.nameLength)});

/** Registering, leaving, who is here, and what they share. */
export function peerRoutes(app: FastifyInstance, context: IndexContext): void {
	const {store, presence, partials, reachability, hub, network} = context;

	app.put('/v1/peers/me', async (request, reply) => {
		const story = tell(request, 'REGISTER');
		const id = callerOf(request);
		const body = readInput(registerRequestSchema, request.body, 'Registration');
		const from = plainHost(request.raw.socket.remoteAddress ?? '');
		await context.admit(id, from);
		const chosen = body.host === undefined ? undefined : chosenHost(body.host);
		const addresses = candidateAddresses({host: from, port: body.port}, chosen, body.addresses);
		const observed = addresses[0]!;
		story.argument = formatAddress(observed);
		const reached = reachability.check({id, from, addresses});
		const known = await store.register({
			...{id, name: body.name, addresses: addresses.length > 1 ? addresses.map(formatAddress) : []},
			...(reached?.address ?? observed),
		});
		network?.registered(id, {name: body.name, number: known.number});
		if (presence.isHere(id)) story.verb = 'RENEW';
		presence.renewed(id);
		const problem = reached?.problem === undefined ? {} : {problem: reached.problem};
		return answer(reply, registerResponseSchema, {
			...{...known, observed, lease: context.leaseSeconds, compact: true},
			...problem,
		});
	});

	app.put('/v1/peers/me/partials', async (request, reply) => {
		const story = tell(request, 'PARTIALS');
		const id = callerOf(request);
		const {contents} = readInput(partialsRequestSchema, request.body, 'Parts');
		if (!presence.isHere(id))
			throw new P2pError('not-found', 'Only a peer that is online can announce parts', {
				hint: 'Register and hold GET /v1/events open first',
			});
		partials.set(id, contents);
		story.argument = `${contents.length} contents`;
		return answer(reply, partialsResponseSchema, {contents: contents.length});
	});

	app.delete('/v1/peers/me', async (request, reply) => {
		tell(request, 'LEAVE');
		const id = callerOf(request);
		const peer = await store.getPeer(id).catch(() => undefined);
		await presence.drop(id);
		reachability.forget(id);
		await store.leave(id);
		if (peer) context.announce({...peer, online: false}, false);
		hub.tellCounts(await store.counts());
		return reply.code(204).send();
	});

	app.get('/v1/peers', async (request, reply) => {
		const story = tell(request, 'PEERS');
		const page = await store.listPeers(readInput(listSchema, request.query, 'Query'));
		story.result = `${page.total} peers`;
		const view = hostView(request.raw.socket);
		return answer(reply, peersResponseSchema, {...page, peers: page.peers.map(view)});
	});

	app.get('/v1/peers/:peer', async (request, reply) => {
		const {peer} = readInput(peerSchema, request.params, 'Peer');
		tell(request, 'PEERS', peer);
		return answer(reply, peerInfoSchema, hostView(request.raw.socket)(await store.getPeer(peer)));
	});

	app.get('/v1/peers/:peer/files', async (request, reply) => {
		const {peer} = readInput(peerSchema, request.params, 'Peer');
		const {path, ...page} = readInput(browseSchema, request.query, 'Query');
		const story = tell(request, 'BROWSE', `${peer}/${path}`);
		const entries = await store.browse(peer, path.replace(/\/+$/, ''), page);
		story.result = `${entries.entries.length} entries`;
		return answer(reply, browseResponseSchema, entries);
	});
}

/** @throws P2pError bad-request for a name: it could be made to mean any address */
function chosenHost(host: string): string {
	const plain = plainHost(host.trim().replace(/^\[(.*)\]$/, '$1'));
	if (isIP(plain)) return plain;
	throw new P2pError('bad-request', 'Registration: host: must be an IP address');
}
