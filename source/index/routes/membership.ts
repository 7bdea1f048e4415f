import type {FastifyInstance} from 'fastify';
import {membershipRequestSchema, membershipResponseSchema} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import {plainHost} from '../../net/listen.ts';
import {answer, callerOf, type IndexContext, readInput, tell} from '../context.ts';

/** `PUT /v1/membership`: joining a private network, and renewing what proves it to others. */
export function membershipRoutes(app: FastifyInstance, {network}: IndexContext): void {
	app.put('/v1/membership', async (request, reply) => {
		const story = tell(request, 'MEMBER');
		const id = callerOf(request);
		if (!network) throw new P2pError('not-found', 'This network is open to everybody: there is nothing to join');
		const body = readInput(membershipRequestSchema, request.body, 'Membership');
		story.argument = body.invite === undefined ? 'renew' : `invite ${body.invite.slice(0, 5)}`;
		const grant = await network.grant(id, body, plainHost(request.raw.socket.remoteAddress ?? ''));
		return answer(reply, membershipResponseSchema, grant);
	});
}
