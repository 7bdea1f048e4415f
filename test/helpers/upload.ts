// A peer's file server over real files, with a catalog that the tests hash themselves.
import {createReadStream} from 'node:fs';
import {mkdir, stat, utimes, writeFile} from 'node:fs/promises';
import type {IncomingHttpHeaders} from 'node:http';
import {type Agent, request} from 'node:https';
import path from 'node:path';
import {onTestFinished} from 'vitest';
import type {BrowseEntry, BrowseResponse} from '../../source/api/schemas.ts';
import {contentOfPieceLayer, type HashedContent, PieceLayerHasher} from '../../source/content/content-hasher.ts';
import {blockSize} from '../../source/content/content-id.ts';
import type {PieceLayer} from '../../source/content/piece-layer.ts';
import {EngineBus, type EngineEvents} from '../../source/core/events.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsOptions} from '../../source/net/tls-options.ts';
import type {PartialFile, ServedCatalog, ServedFile} from '../../source/upload/served-catalog.ts';
import {createUploadServer, type UploadServerOptions} from '../../source/upload/upload-server.ts';
import {tempFolder} from './temp-folder.ts';

/** Content ID and piece layer of a file on disk, read in runs of whole blocks. */
export async function hashFile(file: string): Promise<HashedContent> {
	const {size} = await stat(file);
	const hasher = new PieceLayerHasher(size);
	for await (const run of createReadStream(file, {highWaterMark: 64 * blockSize}) as AsyncIterable<Buffer>) {
		hasher.update(run);
	}
	return contentOfPieceLayer(hasher.finish(), size);
}

/** A {@link ServedCatalog} over one share, whose files are added by hand. */
export class TestCatalog implements ServedCatalog {
	readonly folder: string;
	readonly share: string;
	readonly files: ServedFile[] = [];
	/** What is being downloaded, by content. */
	readonly partials = new Map<string, PartialFile>();
	/** What the server said is no longer what was hashed. */
	readonly changes: string[] = [];
	readonly #layers = new Map<string, PieceLayer>();

	constructor(folder: string, share = 'share') {
		this.folder = folder;
		this.share = share;
	}

	/** Writes, hashes and adds a file. @param name path inside the share */
	async write(name: string, bytes: Uint8Array | string): Promise<ServedFile> {
		const file = path.join(this.folder, name);
		await mkdir(path.dirname(file), {recursive: true});
		await writeFile(file, bytes);
		// Some time ago, so that a change of the test's changes the time as well.
		await utimes(file, new Date(1e12), new Date(1e12));
		return this.add(name);
	}

	/** Hashes and adds a file that is there. */
	async add(name: string): Promise<ServedFile> {
		const file = path.join(this.folder, name);
		const {content, size, pieceSize, pieceLayer} = await hashFile(file);
		const {mtimeNs} = await stat(file, {bigint: true});
		const served = {content, path: `${this.share}/${name}`, file, folder: this.folder, size, mtimeNs};
		this.files.push(served);
		this.#layers.set(content, {pieceSize, size, layer: pieceLayer});
		return served;
	}

	find(content: string): readonly ServedFile[] {
		return this.files.filter(file => file.content === content);
	}

	partial(content: string): PartialFile | undefined {
		return this.partials.get(content);
	}

	pieceLayer(content: string): PieceLayer | undefined {
		return this.#layers.get(content);
	}

	browse(folder: string): BrowseResponse | undefined {
		const below = this.files.filter(file => folder === '' || file.path.startsWith(`${folder}/`));
		return below.length === 0 ? undefined : {entries: below.map(entryOf)};
	}

	search(query: string): BrowseResponse {
		return {entries: this.files.filter(file => file.path.includes(query)).map(entryOf)};
	}

	totals() {
		return {files: this.files.length, bytes: this.files.reduce((sum, {size}) => sum + size, 0)};
	}

	changed(file: ServedFile): void {
		this.changes.push(file.path);
	}
}

function entryOf({path, size, content}: ServedFile): BrowseEntry {
	return {type: 'file', path, size, content};
}

/** An upload event with its name. */
export type SeenEvent = {
	event: 'upload-started' | 'upload-finished' | 'upload-failed';
} & EngineEvents['upload-started'] & {
		message?: string;
	};

/** A running file server over an empty share in a temp folder, stopped when the test ends. */
export async function uploadServer(options: Partial<UploadServerOptions> = {}) {
	const identity = await temporaryIdentity();
	const catalog = new TestCatalog(await tempFolder());
	const bus = new EngineBus();
	const events: SeenEvent[] = [];
	for (const event of ['upload-started', 'upload-finished', 'upload-failed'] as const) {
		bus.on(event, payload => events.push({event, ...payload}));
	}
	const bugs: string[] = [];
	bus.on('error', ({message}) => bugs.push(message));
	const server = createUploadServer({identity, name: 'alice', version: '1.2.3', catalog, bus, ...options});
	const {port} = await server.start({host: '127.0.0.1', port: 0, defaultPort: 0});
	onTestFinished(() => server.stop());
	return {server, identity, catalog, events, bugs, port, bus};
}

/** An answer as it came over the wire, also one that was broken off. */
export type Answer = {status: number; headers: IncomingHttpHeaders; body: Buffer; complete: boolean};

/** A plain HTTPS call; rejects only when no answer came at all. */
export async function fetchFrom(
	port: number,
	url: string,
	options: {
		method?: string;
		headers?: Record<string, string>;
		/** Shows this identity's certificate; a guest without. */
		identity?: Parameters<typeof tlsOptions>[0];
		agent?: Agent;
		/** Address to come from: loopback has millions. */
		from?: string;
	} = {},
): Promise<Answer> {
	const {method = 'GET', headers, identity, agent, from} = options;
	return new Promise((resolve, reject) => {
		const call = request(
			{
				...{host: '127.0.0.1', port, path: url, method, headers, agent, localAddress: from},
				...{rejectUnauthorized: false, minVersion: 'TLSv1.3'},
				...(identity && tlsOptions(identity)),
			},
			response => {
				const chunks: Buffer[] = [];
				response.on('data', (chunk: Buffer) => chunks.push(chunk));
				response.on('error', () => undefined);
				response.on('close', () => {
					const {statusCode = 0, complete} = response;
					resolve({status: statusCode, headers: response.headers, body: Buffer.concat(chunks), complete});
				});
			},
		);
		call.once('error', reject);
		call.end();
	});
}

/** Bytes that look random and are the same at every run. */
export function someBytes(length: number, seed = 1): Buffer {
	const bytes = Buffer.allocUnsafe(length);
	let state = seed >>> 0 || 1;
	for (let at = 0; at < length; at++) {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		bytes[at] = state;
	}
	return bytes;
}
