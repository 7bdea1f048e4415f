// Sending the catalog: what changed since the server last heard of it, as one streamed request.
import {Readable} from 'node:stream';
import {createZstdCompress} from 'node:zlib';
import {type CatalogPoint, type ChangesResponse, changesResponseSchema} from '../../api/schemas.ts';
import {P2pError} from '../../core/errors.ts';
import type {SecureClient, Target} from '../../net/secure-client.ts';
import {compactType} from '../compact-changes.ts';
import {compactDelta} from './compact-delta.ts';
import type {CatalogLog} from './link.ts';

/** Changes that are read from the catalog at once. */
const pageSize = 1000;
/** An upload of more changes than this is compressed. */
const compressAbove = 50;

/** Where and how to publish. `compact`: the server takes changes in columns as well. */
export type PublishOptions = {
	client: SecureClient;
	target: Target;
	catalog: CatalogLog;
	stall: number;
	compact?: boolean;
	signal: AbortSignal;
};

type Range = {epoch: string; from: number; to: number};
type Body = {body: Readable | Buffer; type: string; encoding?: string};

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
	const {catalog, compact, signal} = options;
	const {epoch, version: to} = catalog;
	const from = have && have.epoch === epoch && catalog.canContinueFrom(have) ? have.version : 0;
	if (have?.epoch === epoch && from === to && have.version === to) return undefined;
	const range = {epoch, from, to};
	const body = compact ? await compactDelta(catalog, range, signal) : undefined;
	if (body) {
		const answer = await sendCompact(body, range, options);
		if (answer) return answer;
	}
	return sendLines(range, options);
}

/** Undefined when the server cannot use it; what it then gets as lines is the same. */
async function sendCompact(body: Buffer, range: Range, options: PublishOptions): Promise<ChangesResponse | undefined> {
	const stalled = new Stall(options.stall);
	try {
		return await send({body, type: compactType, encoding: 'zstd'}, range, options, stalled);
	} catch (error) {
		if (error instanceof P2pError && ['ambiguous', 'bad-request', 'too-large'].includes(error.code)) return undefined;
		throw error;
	} finally {
		stalled.end();
	}
}

async function sendLines(range: Range, options: PublishOptions): Promise<ChangesResponse> {
	const stalled = new Stall(options.stall);
	const compressed = range.to - range.from > compressAbove;
	const lines = Readable.from(
		changeLines(options.catalog, range, () => stalled.moved()),
		{objectMode: false, highWaterMark: 65_536},
	);
	const body = compressed ? lines.pipe(createZstdCompress()) : lines;
	lines.once('error', error => body.destroy(error));
	try {
		const encoding = compressed ? {encoding: 'zstd'} : {};
		return await send({body, type: 'application/x-ndjson', ...encoding}, range, options, stalled);
	} catch (error) {
		throw lines.errored ?? error;
	} finally {
		stalled.end();
		lines.destroy();
		body.destroy();
	}
}

function send(
	{body, type, encoding}: Body,
	{epoch, from, to}: Range,
	{client, target, signal}: PublishOptions,
	stalled: Stall,
): Promise<ChangesResponse> {
	stalled.moved();
	return client.json(target, {
		method: 'POST',
		path: `/v1/peers/me/files?epoch=${epoch}&from=${from}&to=${to}`,
		body,
		headers: {'content-type': type, ...(encoding !== undefined && {'content-encoding': encoding})},
		schema: changesResponseSchema,
		signal: AbortSignal.any([signal, stalled.signal]),
		// Taking in a million files takes longer than any other answer; the stall timer watches instead.
		headersTimeout: 0,
	});
}

/** Aborts when the server takes in nothing for so many milliseconds. */
class Stall {
	readonly #controller = new AbortController();
	readonly #patience: number;
	#timer: NodeJS.Timeout | undefined;

	constructor(patience: number) {
		this.#patience = patience;
	}

	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	moved(): void {
		clearTimeout(this.#timer);
		const stop = () => this.#controller.abort(new P2pError('timeout', 'The server stopped taking in the catalog'));
		this.#timer = setTimeout(stop, this.#patience);
	}

	end(): void {
		clearTimeout(this.#timer);
	}
}

async function* changeLines(catalog: CatalogLog, {epoch, from, to}: Range, moved: () => void): AsyncGenerator<Buffer> {
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
