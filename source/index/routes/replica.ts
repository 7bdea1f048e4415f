import {createReadStream} from 'node:fs';
import {pipeline} from 'node:stream';
import {constants, createZstdCompress} from 'node:zlib';
import type {FastifyInstance} from 'fastify';
import {P2pError} from '../../core/errors.ts';
import {callerOf, type IndexContext, tell} from '../context.ts';

/** `GET /v1/replica`: the whole index as a file, for another server of the same cluster. */
export function replicaRoutes(app: FastifyInstance, {store}: IndexContext): void {
	let running = false;

	app.get('/v1/replica', {exposeHeadRoute: false}, async (request, reply) => {
		const story = tell(request, 'REPLICA');
		const caller = callerOf(request);
		if (!store.cluster) throw new P2pError('not-found', 'This server is not one of a cluster');
		if (running) throw new P2pError('busy', 'Another server is copying the index', {details: {retryAfter: 2}});
		running = true;
		try {
			const {file, remove} = await store.cluster.replicaFor(caller);
			const compressed = createZstdCompress({params: {[constants.ZSTD_c_compressionLevel]: 1}});
			pipeline(createReadStream(file), compressed, error => {
				running = false;
				void remove();
				if (error) story.result = 'broken off';
			});
			return reply.type('application/zstd').send(compressed);
		} catch (error) {
			running = false;
			throw error;
		}
	});
}
