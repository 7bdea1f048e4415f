// Sending the catalog: what changed since the server last heard of it, as one streamed request.
import {Readable} from 'node:stream';
import {createZstdCompress} from 'node:zlib';
import {type CatalogPoint, type ChangesResponse, changesResponseSchema} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import type {SecureClient, Target} from '../../net/secure-client.ts';
import type {CatalogLog} from './link.ts';

/** Changes that are read from the catalog at once. */
const pageSize = 1000;
/** An upload of more changes than this is compressed. */
const compressAbove = 50;

/** Where and how to publish. */
export type PublishOptions = {
	client: SecureClient;
	target: Target;
	catalog: CatalogLog;
	stall: number;
	signal: AbortSignal;
};

/**
 * Brings a server up to the catalog's present version.
 *
 * @param have what the server knows
 * @returns its answer; undefined when there was nothing to send
 * @throws P2pError version-mismatch with `details.have` when it knows something else; `changed` when the catalog was
 * rebuilt meanwhile; timeout when it stops taking bytes
 */
export async function publish(
	have: CatalogPoint | null,
	options: PublishOptions,
): Promise<ChangesResponse | undefined> {
	const {client, target, catalog, stall, signal} = options;
	const {epoch, version: to} = catalog;
	const from = have && have.epoch === epoch && catalog.canContinueFrom(have) ? have.version : 0;
	if (have?.epoch === epoch && from === to && have.version === to) return undefined;

	const stalled = new AbortController();
	let timer: NodeJS.Timeout | undefined;
	const moved = () => {
		clearTimeout(timer);
		timer = setTimeout(() => stalled.abort(new P2pError('timeout', 'The server stopped taking in the catalog')), stall);
	};
	const compressed = to - from > compressAbove;
	const lines = Readable.from(changeLines(catalog, {epoch, from, to}, moved), {
		objectMode: false,
		highWaterMark: 65_536,
	});
	const body = compressed ? lines.pipe(createZstdCompress()) : lines;
	lines.once('error', error => body.destroy(error));
	moved();
	try {
		return await client.json(target, {
			method: 'POST',
			path: `/v1/peers/me/files?epoch=${epoch}&from=${from}&to=${to}`,
			body,
			headers: {'content-type': 'application/x-ndjson', ...(compressed && {'content-encoding': 'zstd'})},
			schema: changesResponseSchema,
			signal: AbortSignal.any([signal, stalled.signal]),
			// Taking in a million files takes longer than any other answer; the stall timer watches instead.
			headersTimeout: 0,
		});
	} catch (error) {
		throw lines.errored ?? error;
	} finally {
		clearTimeout(timer);
		lines.destroy();
		body.destroy();
	}
}

async function* changeLines(
	catalog: CatalogLog,
	{epoch, from, to}: {epoch: string; from: number; to: number},
	moved: () => void,
): AsyncGenerator<Buffer> {
	for (let at = from; at < to; ) {
		const page = catalog.changesSince(at, pageSize);
		if (page.epoch !== epoch) throw new P2pError('changed', 'The catalog was rebuilt while it was being sent');
		if (page.changes.length > 0) yield Buffer.from(page.changes.map(change => `${JSON.stringify(change)}\n`).join(''));
		moved();
		// Changes past `to` do no harm: they are sent again, and say the same.
		if (page.last || page.to <= at) return;
		at = page.to;
	}
}
