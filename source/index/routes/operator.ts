import type {FastifyInstance} from 'fastify';
import {privateInfoSchema, serverInfoSchema} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import {remotePeerId} from '../../net/remote-id.ts';
import {answer, type IndexContext, tell} from '../context.ts';

/** Who this server is, whether it works, and its counters. */
export function operatorRoutes(
	app: FastifyInstance,
	{identity, store, name, version, metrics, hub, network}: IndexContext,
): void {
	const clusterInfo = () =>
		store.cluster && {cluster: {state: store.cluster.state(), servers: store.cluster.servers()}};

	app.get('/v1', async (request, reply) => {
		tell(request, 'INFO');
		const self = {kind: 'server', id: identity.id} as const;
		if (network && !network.isMember(remotePeerId(request.raw.socket)))
			return answer(reply, privateInfoSchema, {...self, private: true});
		const counts = await store.counts();
		return answer(reply, serverInfoSchema, {
			...self,
			name,
			version,
			private: network !== undefined,
			...counts,
			...clusterInfo(),
		});
	});

	app.get('/healthz', async (request, reply) => {
		tell(request, 'HEALTH');
		const state = store.cluster?.state() ?? 'whole';
		if (state !== 'whole')
			throw new P2pError('catching-up', `The index of this server is ${state}`, {details: {state, retryAfter: 2}});
		// Asks for what nobody has: goes all the way to where answers come from.
		await store.sources('0'.repeat(64)).catch(error => {
			if (!(error instanceof P2pError) || error.code !== 'not-found') throw error;
		});
		return reply.type('application/json; charset=utf-8').send('{"status":"ok"}');
	});

	app.get('/metrics', async (request, reply) => {
		tell(request, 'METRICS');
		const {peers, online, files, bytes} = await store.counts();
		const gauges = {
			peers: {help: 'Registered peers.', value: peers},
			peers_online: {help: 'Peers that are online.', value: online},
			files: {help: 'Files that online peers share.', value: files},
			file_bytes: {help: 'Their size together.', value: bytes},
			event_listeners: {help: 'Open event streams.', value: hub.size},
			memory_bytes: {help: 'Resident memory of the process.', value: process.memoryUsage.rss()},
			...store.cluster?.gauges(),
		};
		return reply.type('text/plain; version=0.0.4; charset=utf-8').send(metrics.text(gauges));
	});
}
