import type {FastifyInstance} from 'fastify';
import {z} from 'zod';
import {contentIdSchema} from '../../api/ids.ts';
import {limits} from '../../api/limits.ts';
import {parseQuery} from '../../api/query.ts';
import {contentSourcesSchema} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import {answer, type IndexContext, readInput, tell} from '../context.ts';
import {hereFor, hostView} from '../host-view.ts';

const searchSchema = z.object({
	q: z.string(),
	limit: z.coerce.number().int().min(1).max(limits.searchPage).optional(),
	cursor: z.string().max(limits.searchCursorLength).optional(),
	sources: z.coerce.number().int().min(1).max(limits.sourcesPerHit).optional(),
});
const fileSchema = z.object({content: contentIdSchema});

/** `GET /v1/search` and `GET /v1/files/:content`. */
export function searchRoutes(app: FastifyInstance, {store, partials}: IndexContext): void {
	/** Who holds all of a content; undefined when nobody does. */
	const whole = (content: string) =>
		store.sources(content).catch(error => {
			if (error instanceof P2pError && error.code === 'not-found') return undefined;
			throw error;
		});

	app.get('/v1/search', async (request, reply) => {
		const {q, ...page} = readInput(searchSchema, request.query, 'Query');
		const story = tell(request, 'SEARCH', q.slice(0, limits.queryLength));
		const {json, total, more} = await store.searchText(parseQuery(q), {...page, here: hereFor(request.raw.socket)});
		story.result = `${total}${more ? '+' : ''} hits`;
		return reply
			.type('application/json; charset=utf-8')
			.send(Buffer.from(json.buffer, json.byteOffset, json.byteLength));
	});

	app.get('/v1/files/:content', async (request, reply) => {
		const {content} = readInput(fileSchema, request.params, 'Content ID');
		const story = tell(request, 'LOOKUP', content);
		const found = await partials.withSources(
			content,
			await whole(content),
			id => store.getPeer(id),
			limits.sourcesPerHit,
		);
		if (!found) throw new P2pError('not-found', `Nobody here has the content ${content.slice(0, 8)}`);
		story.result = `${found.sourceCount} sources`;
		return answer(reply, contentSourcesSchema, {...found, sources: found.sources.map(hostView(request.raw.socket))});
	});
}
