import type {Readable} from 'node:stream';
import type {FastifyInstance} from 'fastify';
import PQueue from 'p-queue';
import * as z from 'zod';
import {epochSchema} from '../../api/ids.ts';
import {limits} from '../../api/limits.ts';
import {changesResponseSchema} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import {isLoopback, plainHost} from '../../net/listen.ts';
import {readCatalogStream} from '../catalog-stream.ts';
import type {UploadCounts} from '../check-change.ts';
import {compactType} from '../compact-changes.ts';
import {CompactUploads} from '../compact-uploads.ts';
import {answer, callerOf, type IndexContext, readInput, tell} from '../context.ts';

const version = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const rangeSchema = z.object({epoch: epochSchema, from: version, to: version});

type Upload = {body: Readable; done: Promise<unknown>};

/** `POST /v1/peers/me/files`: changes of a peer's catalog, streamed. */
export function catalogRoutes(app: FastifyInstance, context: IndexContext): void {
	const running = new Map<string, Upload>();
	const compact = new CompactUploads(context.store);
	const turns = new PQueue({concurrency: limits.catalogUploads});
	const byAddress = new Map<string, number>();

	/** Counts an upload of an address; returns what ends it. @throws P2pError busy for one too many */
	const enter = (address: string): (() => void) => {
		const uploads = byAddress.get(address) ?? 0;
		if (uploads >= limits.catalogUploadsPerAddress && !isLoopback(address))
			throw new P2pError('busy', 'Too many catalogs come from this address at once', {details: {retryAfter: 5}});
		byAddress.set(address, uploads + 1);
		return () => {
			const left = (byAddress.get(address) ?? 1) - 1;
			if (left > 0) byAddress.set(address, left);
			else byAddress.delete(address);
		};
	};

	app.addContentTypeParser(['application/x-ndjson', 'application/ndjson', compactType], (_request, body, done) =>
		done(null, body),
	);

	app.post('/v1/peers/me/files', async (request, reply) => {
		const story = tell(request, 'PUBLISH');
		const id = callerOf(request);
		const range = readInput(rangeSchema, request.query, 'Query');
		const body = request.body as Readable;
		if (typeof body?.pipe !== 'function')
			throw new P2pError('bad-request', 'The changes must come as application/x-ndjson');
		// A peer that starts again while its last upload hangs on a dead connection does not wait for it.
		const before = running.get(id);
		before?.body.destroy(new P2pError('busy', 'A newer upload of the same peer takes over'));
		await before?.done.catch(() => undefined);

		const address = plainHost(request.raw.socket.remoteAddress ?? '');
		const leave = enter(address);
		const counts: UploadCounts = {rejected: [], rejectedCount: 0, added: 0, removed: 0};
		const encoding = request.headers['content-encoding'];
		const isCompact = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() === compactType;
		const done = turns.add(async () => {
			const batches = isCompact
				? await compact.read(id, body, encoding, counts)
				: readCatalogStream(body, encoding, counts);
			return context.store.applyChanges(id, range, batches);
		});
		const upload = {body, done};
		running.set(id, upload);
		try {
			const applied = await done;
			story.argument = `+${counts.added} -${counts.removed} files`;
			context.presence.renewed(id);
			const {rejected, rejectedCount} = counts;
			if (rejectedCount > 0) story.result = `${rejectedCount} lines rejected`;
			if (context.presence.isHere(id)) context.hub.tellPeer('peer-updated', await context.store.getPeer(id));
			return answer(reply, changesResponseSchema, {...applied, rejected, rejectedCount});
		} finally {
			leave();
			if (running.get(id) === upload) running.delete(id);
		}
	});
}
