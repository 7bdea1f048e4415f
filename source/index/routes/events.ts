import type {FastifyInstance} from 'fastify';
import {remotePeerId} from '../../net/remote-id.ts';
import {type IndexContext, tell} from '../context.ts';
import {hereFor} from '../host-view.ts';

/** `GET /v1/events`: a registered peer is online while it holds this open; guests may listen as well. */
export function eventRoutes(app: FastifyInstance, {store, presence, hub, network}: IndexContext): void {
	app.get('/v1/events', {exposeHeadRoute: false}, async (request, reply) => {
		tell(request, 'EVENTS');
		const id = remotePeerId(request.raw.socket);
		const {raw} = reply;
		if (id) {
			await store.getPeer(id);
			const closed = await presence.opened(id, () => raw.destroy());
			if (raw.destroyed || request.raw.socket.destroyed) closed();
			else raw.once('close', closed);
		}
		const hello = await store.counts();
		reply.hijack();
		request.raw.socket.setNoDelay(true);
		hub.add(raw, hereFor(request.raw.socket), hello, network?.removedLately());
	});
}
