// The way for much at once into the table without a server: what UDP packets bring otherwise, over the TLS connection that
// peers have anyway (docs/protocol.md, "With no server").
import type {FastifyInstance} from 'fastify';
import PQueue from 'p-queue';
import * as z from 'zod';
import {limits} from '../api/limits.ts';
import {P2pError} from '../core/errors.ts';
import {plainHost} from './listen.ts';
import {remotePeerId} from './remote-id.ts';

/** Where it is. */
export const tablePath = '/v1/table';

/** Of the files that were sent, by their place, the words that are full at this node, as masks. */
export const tableAnswerSchema = z.object({
	full: z.array(z.tuple([z.int().min(0), z.int().min(0)])).max(limits.table.filesAtOnce),
});
export type TableAnswer = z.infer<typeof tableAnswerSchema>;

/** Takes in what a peer publishes. @param peer who has proved its key @throws P2pError refused, bad-request */
export type TakeTable = (peer: string, address: string, body: Buffer) => Promise<TableAnswer>;

/** Adds the route. @param table asked at each call; undefined: this program is no node */
export function tableRoute(app: FastifyInstance, table: () => TakeTable | undefined): void {
	const turns = new PQueue({concurrency: 1});
	app.register(async scope => {
		const options = {parseAs: 'buffer', bodyLimit: limits.table.bodyBytes} as const;
		scope.addContentTypeParser('application/octet-stream', options, (_request, body, done) => done(null, body));
		scope.post(tablePath, {bodyLimit: limits.table.bodyBytes}, async request => {
			const take = table();
			if (!take) throw new P2pError('not-found', 'This is no node of a network without a server');
			const {socket} = request.raw;
			const peer = remotePeerId(socket);
			if (!peer) throw new P2pError('refused', 'Only peers publish files, and this connection showed no key');
			if (!Buffer.isBuffer(request.body)) throw new P2pError('bad-request', 'Not the body of a batch');
			if (turns.size >= limits.table.waitingBodies)
				throw new P2pError('busy', 'Too many peers publish here at once', {details: {retryAfter: 1}});
			const {body} = request;
			return tableAnswerSchema.parse(await turns.add(() => take(peer, plainHost(socket.remoteAddress ?? ''), body)));
		});
	});
}
