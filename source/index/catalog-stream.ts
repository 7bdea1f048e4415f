// The body of a catalog upload: from bytes off the wire to checked changes.
import {isUtf8} from 'node:buffer';
import type {Readable} from 'node:stream';
import {constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress} from 'node:zlib';
import {limits} from '../api/limits.ts';
import type {CatalogChange, ChangesResponse} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {sharePathProblem} from '../core/share-path.ts';
import {readChange} from './read-change.ts';

/** Changes that go on together. */
const batchSize = 1000;
/** Decompressed bytes of a whole upload. */
const totalBytes = limits.filesPerPeer * limits.catalogBytesPerFile;

/** The lines that were not taken, as they will be answered. */
export type Rejected = Pick<ChangesResponse, 'rejected' | 'rejectedCount'>;

/** Counts of an upload while it runs. */
export type UploadCounts = Rejected & {added: number; removed: number};

/**
 * Reads NDJSON changes. A line that does not fit is put into `counts.rejected` and the rest goes on.
 *
 * @param encoding the content-encoding header: gzip, zstd or nothing
 * @throws P2pError bad-request for a body that cannot be decompressed or an unknown encoding; too-large for one that
 * inflates beyond reason; timeout when the sender stalls
 */
export async function* readCatalogStream(
	body: Readable,
	encoding: string | undefined,
	counts: UploadCounts,
): AsyncGenerator<CatalogChange[]> {
	let batch: CatalogChange[] = [];
	let line = 0;
	for await (const text of readLines(inflate(body, encoding))) {
		line++;
		if (text === '') continue;
		const change = readLine(text);
		if (typeof change === 'string' || change instanceof P2pError) {
			counts.rejectedCount++;
			const {code, message} = typeof change === 'string' ? {code: 'bad-request', message: change} : change;
			if (counts.rejected.length < limits.rejectedNamed) counts.rejected.push({line, code, message});
			continue;
		}
		if (change.op === 'add') counts.added++;
		else counts.removed++;
		batch.push(change);
		if (batch.length < batchSize) continue;
		yield batch;
		batch = [];
	}
	if (batch.length > 0) yield batch;
}

function readLine(text: string | undefined): CatalogChange | P2pError | string {
	if (text === undefined) return new P2pError('too-large', `A line has at most ${limits.catalogLine} bytes of UTF-8`);
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return 'not JSON';
	}
	const change = readChange(value);
	if (typeof change === 'string') return change;
	const problem = sharePathProblem(change.path);
	return problem ? new P2pError('bad-name', `the path is ${problem}`) : change;
}

/** The lines of a stream; undefined for one that is too long or not UTF-8. */
async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string | undefined> {
	let rest: Buffer = Buffer.alloc(0);
	let skipping = false;
	for await (const chunk of chunks) {
		let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
		for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
			const line = data.subarray(0, end);
			data = data.subarray(end + 1);
			yield skipping ? undefined : decode(line);
			skipping = false;
		}
		if (data.length > limits.catalogLine) {
			skipping = true;
			data = Buffer.alloc(0);
		}
		rest = data;
	}
	if (skipping) yield undefined;
	else if (rest.length > 0) yield decode(rest);
}

function decode(line: Buffer): string | undefined {
	if (line.length > limits.catalogLine || !isUtf8(line)) return undefined;
	return line.toString('utf8').trim();
}

async function* inflate(body: Readable, encoding = 'identity'): AsyncGenerator<Buffer> {
	const decoder = decoderFor(encoding);
	let bytes = 0;
	let waited = 0;
	let since = 0;
	let stalled: NodeJS.Timeout | undefined;
	const watch = () => {
		since = performance.now();
		clearTimeout(stalled);
		stalled = setTimeout(() => body.destroy(new P2pError('timeout', 'The upload stalled')), limits.bodyTimeout);
	};
	if (decoder) body.once('error', error => decoder.destroy(error)).pipe(decoder);
	try {
		// Waiting for the sender counts; waiting for our own database does not.
		watch();
		for await (const chunk of (decoder ?? body) as AsyncIterable<Buffer>) {
			clearTimeout(stalled);
			waited += performance.now() - since;
			bytes += chunk.length;
			const received = decoder?.bytesWritten ?? bytes;
			if (waited > limits.catalogPatience && received < (waited / 1000) * limits.catalogRate)
				throw new P2pError('timeout', 'The upload comes in too slowly');
			const bomb = decoder && bytes > limits.inflationFree && bytes > decoder.bytesWritten * limits.inflation;
			if (bomb || bytes > totalBytes) throw new P2pError('too-large', 'The upload is longer than any catalog');
			yield chunk;
			watch();
		}
	} catch (error) {
		if (error instanceof P2pError || !decoder || body.errored) throw error;
		throw new P2pError('bad-request', `The body is not ${encoding}`, {cause: error});
	} finally {
		clearTimeout(stalled);
		decoder?.destroy();
	}
}

function decoderFor(encoding: string): Gunzip | ZstdDecompress | undefined {
	switch (encoding.trim().toLowerCase()) {
		case 'identity':
		case '':
			return undefined;
		case 'gzip':
			return createGunzip();
		case 'zstd':
			return createZstdDecompress({params: {[constants.ZSTD_d_windowLogMax]: limits.zstdWindowLog}});
		default:
			throw new P2pError('bad-request', `The content encoding ${encoding} is not known`, {
				hint: 'Send gzip, zstd or none',
			});
	}
}
