import type {FastifyInstance, FastifyReply, FastifyRequest} from 'fastify';
import PQueue from 'p-queue';
import * as z from 'zod';
import {limits} from '../api/limits.ts';
import {browseResponseSchema, type PeerNodeInfo, peerNodeInfoSchema} from '../api/schemas.ts';
import {encodePieceLayer} from '../content/piece-layer.ts';
import {P2pError} from '../core/errors.ts';
import {checkSharePath} from '../core/share-path.ts';
import {RateLimiter} from '../net/call-rates.ts';
import type {QuietLog} from '../net/quiet-log.ts';
import {remotePeerId} from '../net/remote-id.ts';
import {callerOf as connectionOf} from './caller.ts';
import {contentParameter} from './file-route.ts';
import {layerOf} from './partial-file.ts';
import type {ServedCatalog} from './served-catalog.ts';

const cursorSchema = z
	.string()
	.max(limits.pathBytes * 2)
	.optional();
const browseQuerySchema = z.object({path: z.string().default(''), cursor: cursorSchema});
const searchQuerySchema = z.object({
	q: z.string(),
	limit: z.coerce.number().int().min(1).max(limits.searchPage).default(limits.searchDefault),
	cursor: cursorSchema,
});

/** All calls of DESIGN section 5 that a peer answers from its catalog alone, without reading a shared file. */
export function catalogRoutes(
	app: FastifyInstance,
	catalog: ServedCatalog,
	self: Pick<PeerNodeInfo, 'id' | 'name' | 'version'>,
	log: QuietLog,
): void {
	const questions = new RateLimiter(limits.questionsPerCaller);
	const searches = new PQueue({concurrency: limits.questionsAtOnce});
	const callerOf = (request: FastifyRequest) => remotePeerId(request.raw.socket);

	app.get('/v1', request => peerNodeInfoSchema.parse({kind: 'peer', ...self, ...catalog.totals(callerOf(request))}));

	app.get('/v1/files/:content/pieces', async (request, reply) => {
		const content = contentParameter(request);
		const caller = callerOf(request);
		const partial = (await catalog.find(content, caller)).length === 0 ? catalog.partial(content) : undefined;
		const pieces = partial ? layerOf(partial) : await catalog.pieceLayer(content, caller);
		if (!pieces) throw new P2pError('not-found', 'No such content is shared here');
		return noSniff(reply).type('application/octet-stream').send(encodePieceLayer(pieces));
	});

	app.get('/v1/browse', async request => {
		const {path, cursor} = parseQuery(browseQuerySchema, request.query);
		// A trailing slash is how people and completion write a folder.
		const folder = path.replace(/^\/+|\/+$/g, '');
		const page = await catalog.browse(folder === '' ? '' : checkSharePath(folder), cursor, callerOf(request));
		if (!page) throw new P2pError('not-found', 'No such folder is shared here');
		return browseResponseSchema.parse(page);
	});

	app.get('/v1/search', async request => {
		const {key} = connectionOf(request.raw);
		try {
			questions.take(key);
		} catch (error) {
			log.tell(`questions ${key}`, `${key.slice(0, 24)} searches here too often; it is put off`);
			throw error;
		}
		const {q, limit, cursor} = parseQuery(searchQuerySchema, request.query);
		if (q.length > limits.queryLength) {
			throw new P2pError('bad-query', `A search has at most ${limits.queryLength} characters`);
		}
		const caller = callerOf(request);
		return browseResponseSchema.parse(await searches.add(async () => catalog.search(q, {limit, cursor, caller})));
	});
}

function noSniff(reply: FastifyReply): FastifyReply {
	return reply.header('x-content-type-options', 'nosniff');
}

/** @throws P2pError bad-request */
function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
	const parsed = schema.safeParse(query);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	throw new P2pError('bad-request', `Wrong query: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim());
}
