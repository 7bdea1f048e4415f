import type {FastifyInstance} from 'fastify';
import {z} from 'zod';
import {contentIdSchema} from '../../api/ids.ts';
import {limits} from '../../api/limits.ts';
import {parseQuery} from '../../api/query.ts';
import {contentSourcesSchema, searchResponseSchema} from '../../api/schemas.ts';
import {answer, type IndexContext, readInput, tell} from '../context.ts';
import {hostView} from '../host-view.ts';

const searchSchema = z.object({
	q: z.string(),
	limit: z.coerce.number().int().min(1).max(limits.searchPage).optional(),
	cursor: z.string().max(1024).optional(),
});
const fileSchema = z.object({content: contentIdSchema});

/** `GET /v1/search` and `GET /v1/files/:content`. */
export function searchRoutes(app: FastifyInstance, {store}: IndexContext): void {
	app.get('/v1/search', async (request, reply) => {
		const {q, ...page} = readInput(searchSchema, request.query, 'Query');
		const story = tell(request, 'SEARCH', q.slice(0, limits.queryLength));
		const found = await store.search(parseQuery(q), page);
		story.result = `${found.total}${found.more ? '+' : ''} hits`;
		const view = hostView(request.raw.socket);
		const hits = found.hits.map(hit => ({...hit, sources: hit.sources.map(view)}));
		return answer(reply, searchResponseSchema, {...found, hits});
	});

	app.get('/v1/files/:content', async (request, reply) => {
		const {content} = readInput(fileSchema, request.params, 'Content ID');
		const story = tell(request, 'LOOKUP', content);
		const found = await store.sources(content);
		story.result = `${found.sourceCount} sources`;
		return answer(reply, contentSourcesSchema, {...found, sources: found.sources.map(hostView(request.raw.socket))});
	});
}
