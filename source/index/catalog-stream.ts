// The body of a catalog upload: from bytes off the wire to checked changes.
import {isUtf8} from 'node:buffer';
import type {Readable} from 'node:stream';
import {constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress} from 'node:zlib';
import {limits} from '../api/limits.ts';
import type {CatalogChange} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {ChangeChecker, type UploadCounts} from './check-change.ts';

/** Changes that go on together. */
const batchSize = 1000;
/** Decompressed bytes of a whole upload. */
const totalBytes = limits.filesPerPeer * limits.catalogBytesPerFile;

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
	const reader = new ChangeReader(counts);
	for await (const chunk of inflate(body, encoding)) {
		reader.take(chunk);
		if (reader.changes.length >= batchSize) yield reader.drain();
	}
	reader.end();
	if (reader.changes.length > 0) yield reader.drain();
}

/** From bytes to changes, as many lines at a time as have come: a million lines one by one take several times as long. */
class ChangeReader {
	changes: CatalogChange[] = [];
	readonly #checker: ChangeChecker;
	#rest: Buffer = Buffer.alloc(0);
	/** The line that is coming in is too long already. */
	#isSkipping = false;
	#line = 0;

	constructor(counts: UploadCounts) {
		this.#checker = new ChangeChecker(counts);
	}

	drain(): CatalogChange[] {
		const {changes} = this;
		this.changes = [];
		return changes;
	}

	take(chunk: Buffer): void {
		const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
		let end = data.lastIndexOf(10);
		let start = 0;
		if (end >= 0 && this.#isSkipping) {
			start = data.indexOf(10) + 1;
			this.#isSkipping = false;
			this.#line++;
			this.#reject(tooLong());
		}
		if (end >= start) this.#readLines(data.subarray(start, end));
		else end = start - 1;
		const rest = data.subarray(end + 1);
		this.#isSkipping ||= rest.length > limits.catalogLine;
		this.#rest = this.#isSkipping ? Buffer.alloc(0) : rest;
	}

	/** The last line may have no end. */
	end(): void {
		if (this.#isSkipping || this.#rest.length > 0) this.take(Buffer.from('\n'));
	}

	#readLines(bytes: Buffer): void {
		if (!isUtf8(bytes)) {
			for (let from = 0; from <= bytes.length; ) {
				const next = bytes.indexOf(10, from);
				const line = bytes.subarray(from, next < 0 ? bytes.length : next);
				this.#line++;
				if (isUtf8(line)) this.#readLine(line.toString());
				else this.#reject(tooLong());
				from += line.length + 1;
			}
			return;
		}
		const lines = bytes.toString().split('\n');
		const values = parseAll(lines);
		for (const [index, line] of lines.entries()) {
			this.#line++;
			if (values) this.#take(values[index]);
			else this.#readLine(line);
		}
	}

	#readLine(line: string): void {
		const text = line.trim();
		if (text === '') return;
		if (Buffer.byteLength(line) > limits.catalogLine) {
			this.#reject(tooLong());
			return;
		}
		let value: unknown;
		try {
			value = JSON.parse(text);
		} catch {
			this.#reject({code: 'bad-request', message: 'not JSON'});
			return;
		}
		this.#take(value);
	}

	#take(value: unknown): void {
		const change = this.#checker.check(value, this.#line);
		if (change) this.changes.push(change);
	}

	#reject(problem: {code: string; message: string}): void {
		this.#checker.reject(this.#line, problem);
	}
}

/** The values of lines that hold an object each; undefined where something else is among them. */
function parseAll(lines: string[]): unknown[] | undefined {
	for (const line of lines) {
		const isShort = line.length * 3 <= limits.catalogLine;
		if (!isShort || line.charCodeAt(0) !== openBrace || line.charCodeAt(line.length - 1) !== closeBrace)
			return undefined;
	}
	try {
		const values = JSON.parse(`[${lines.join()}]`) as unknown[];
		return values.length === lines.length ? values : undefined;
	} catch {
		return undefined;
	}
}

const openBrace = 0x7b;
const closeBrace = 0x7d;

function tooLong(): P2pError {
	return new P2pError('too-large', `A line has at most ${limits.catalogLine} bytes of UTF-8`);
}

/**
 * The body of an upload without its encoding, as it comes in.
 *
 * @throws P2pError as {@link readCatalogStream} does
 */
export async function* inflate(body: Readable, encoding = 'identity'): AsyncGenerator<Buffer> {
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
