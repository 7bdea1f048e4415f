import type {FastifyInstance} from 'fastify';
import * as z from 'zod';
import {contentIdSchema} from '../../api/ids.ts';
import {limits} from '../../api/limits.ts';
import {contentSourcesSchema} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import {answer, type IndexContext, readInput, storyOf, tell} from '../context.ts';
import {hostView} from '../host-view.ts';
import {searchSchema} from '../searches.ts';

const fileSchema = z.object({content: contentIdSchema});

/** `GET /v1/search`, as far as quick-search.ts leaves it, and `GET /v1/files/:content`. */
export function searchRoutes(app: FastifyInstance, {store, searches, partials}: IndexContext): void {
	/** Who holds all of a content; undefined when nobody does. */
	const whole = (content: string) =>
		store.sources(content).catch(error => {
			if (error instanceof P2pError && error.code === 'not-found') return undefined;
			throw error;
		});

	app.get('/v1/search', async (request, reply) => {
		const question = readInput(searchSchema, request.query, 'Query');
		const body = await searches.answer(question, request.raw.socket, storyOf(request));
		return reply.type('application/json; charset=utf-8').send(body);
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
