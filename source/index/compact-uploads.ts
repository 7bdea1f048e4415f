import type {Readable} from 'node:stream';
import PQueue from 'p-queue';
import {limits} from '../api/limits.ts';
import type {CatalogChange} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {inflate} from './catalog-stream.ts';
import {ChangeChecker, type UploadCounts} from './check-change.ts';
import {areThesePaths, compactValues, unpackCompact} from './compact-changes.ts';
import type {IndexStore} from './store.ts';

/** Reads uploads of changes in columns; a few at a time look up the paths that they mean. */
export class CompactUploads {
	readonly #store: IndexStore;
	readonly #lookups = new PQueue({concurrency: limits.compactLookups});

	constructor(store: IndexStore) {
		this.#store = store;
	}

	/**
	 * Reads a whole upload, and finds the paths that it names by hashes alone. A change that does not fit is put into
	 * `counts.rejected` and the rest goes on; its line is its place in the upload.
	 *
	 * @throws P2pError ambiguous when it is not certain which paths are meant: nothing of it is taken in, and it is to be
	 * sent as NDJSON; not-found for a peer that never registered; what readCatalogStream throws
	 */
	async read(
		id: string,
		body: Readable,
		encoding: string | undefined,
		counts: UploadCounts,
	): Promise<AsyncIterable<CatalogChange[]>> {
		const chunks: Buffer[] = [];
		let length = 0;
		for await (const chunk of inflate(body, encoding)) {
			length += chunk.length;
			if (length > limits.compactBytes)
				throw new P2pError('too-large', `Changes in this form have at most ${limits.compactBytes} bytes`);
			chunks.push(chunk);
		}
		const changes = await unpackCompact(Buffer.concat(chunks));
		if (this.#lookups.size >= limits.compactWaiting) throw notCertain('others are being looked up');
		const found = await this.#lookups.add(() => this.#store.findPaths(id, changes));
		const paths = found.filter(path => path !== undefined);
		if (paths.length < found.length) throw notCertain(`${found.length - paths.length} are not known, or not clear`);
		if (!areThesePaths(changes, paths)) throw notCertain('one has the hash of another');
		return checked(compactValues(changes, paths), counts);
	}
}

async function* checked(
	lists: Iterable<(object | undefined)[]>,
	counts: UploadCounts,
): AsyncGenerator<CatalogChange[]> {
	const checker = new ChangeChecker(counts);
	let line = 0;
	for (const values of lists) {
		const batch: CatalogChange[] = [];
		for (const value of values) {
			line++;
			if (value === undefined) checker.reject(line, {code: 'bad-request', message: 'the path is not UTF-8'});
			else {
				const change = checker.check(value, line);
				if (change) batch.push(change);
			}
		}
		yield batch;
	}
}

function notCertain(why: string): P2pError {
	return new P2pError('ambiguous', `The server cannot tell which paths are meant: ${why}`, {
		hint: 'Send the changes as application/x-ndjson',
	});
}
