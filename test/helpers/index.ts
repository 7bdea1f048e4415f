// A small network in one process, over real TLS: an index server, and clients with identities of their own.
import {mkdtempSync, rmSync} from 'node:fs';
import {request as httpsRequest} from 'node:https';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {CatalogChange, CatalogPoint} from '../../source/api/schemas.ts';
import {EngineBus} from '../../source/core/events.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {openKnownServers} from '../../source/identity/known-servers.ts';
import {type CatalogLog, createIndexClient, type IndexClient} from '../../source/index/client.ts';
import {MemoryStore} from '../../source/index/memory/memory-store.ts';
import {createIndexApp, type IndexApp, type IndexAppOptions} from '../../source/index/server.ts';
import type {IndexStore} from '../../source/index/store.ts';
import {SecureClient} from '../../source/net/secure-client.ts';

/** Waits until a condition holds. @throws after `patience` milliseconds, naming what was waited for */
export async function until(what: string, condition: () => unknown, patience = 60_000): Promise<void> {
	const end = Date.now() + patience;
	while (!(await condition())) {
		if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
		await new Promise(resolve => setTimeout(resolve, 10));
	}
}

/** A temporary folder and how to remove it. */
export function temporaryFolder(): {folder: string; remove: () => void} {
	const folder = mkdtempSync(path.join(tmpdir(), 'p2p-index-'));
	return {folder, remove: () => rmSync(folder, {recursive: true, force: true})};
}

/** A content ID made up from a number. */
export function contentId(seed: number | string): string {
	return Buffer.from(String(seed)).toString('hex').padStart(64, '0').slice(-64);
}

/** A line that adds a file. */
export function add(file: string, content: number | string = file, size = 100): CatalogChange {
	return {op: 'add', path: file, content: contentId(content), size};
}

/** A catalog in memory that counts its versions as the real one does. */
export class TestCatalog implements CatalogLog {
	epoch = '00'.repeat(16);
	version = 0;
	/** Versions up to this one were lost from the log. */
	lostUpTo = 0;
	readonly #files = new Map<string, {change: CatalogChange; version: number; since: number}>();
	pages = 0;

	constructor(files: CatalogChange[] = []) {
		for (const file of files) this.change(file);
	}

	get files(): number {
		return [...this.#files.values()].filter(({change}) => change.op === 'add').length;
	}

	get bytes(): number {
		return [...this.#files.values()].reduce((sum, {change}) => sum + (change.op === 'add' ? change.size : 0), 0);
	}

	change(change: CatalogChange): void {
		this.version++;
		const before = this.#files.get(change.path);
		const since = before?.change.op === 'add' ? before.since : this.version;
		this.#files.delete(change.path);
		this.#files.set(change.path, {change, version: this.version, since});
	}

	canContinueFrom(point: CatalogPoint | null): boolean {
		return point?.epoch === this.epoch && point.version <= this.version && point.version >= this.lostUpTo;
	}

	changesSince(version: number, limit: number, since = 0) {
		this.pages++;
		const after = [...this.#files.values()].filter(file => file.version > version);
		const page = after.slice(0, limit);
		const last = page.length === after.length;
		const to = last ? this.version : (page.at(-1)?.version ?? version);
		const known = page.filter(file => file.since <= since).map(({change}) => change.path);
		return {epoch: this.epoch, changes: page.map(({change}) => change), to, last, known};
	}
}

/** A running index server. */
export type TestServer = {
	app: IndexApp;
	store: IndexStore;
	identity: Identity;
	bus: EngineBus;
	port: number;
	address: string;
	stop(): Promise<void>;
};

/** Starts an index server on a free port of loopback, or on the port given. */
export async function startServer(
	options: Partial<IndexAppOptions> & {port?: number; host?: string} = {},
): Promise<TestServer> {
	const identity = options.identity ?? (await temporaryIdentity());
	const bus = options.bus ?? new EngineBus();
	const store = options.store ?? new MemoryStore();
	if (!options.store) await store.open();
	const app = createIndexApp({name: 'test', version: '0', grace: 50, ...options, identity, bus, store});
	const {port} = await app.start({host: options.host ?? '127.0.0.1', port: options.port ?? 0, defaultPort: 0});
	return {app, store, identity, bus, port, address: `127.0.0.1:${port}`, stop: () => app.stop()};
}

/** A peer's side of an index server. */
export type TestPeer = {
	identity: Identity;
	bus: EngineBus;
	client: SecureClient;
	index: IndexClient;
	catalog: TestCatalog;
	stop(): Promise<void>;
};

/** A client with a fresh identity and fast retries; it is not started. */
export async function makePeer(
	address: string,
	options: {
		files?: CatalogChange[];
		name?: string;
		port?: number;
		folder?: string;
		identity?: Identity;
		catalog?: TestCatalog;
	} = {},
): Promise<TestPeer> {
	const identity = options.identity ?? (await temporaryIdentity());
	const bus = new EngineBus();
	const client = new SecureClient(identity);
	const catalog = options.catalog ?? new TestCatalog(options.files);
	const own = options.folder ? undefined : temporaryFolder();
	const index = createIndexClient({
		identity,
		client,
		address,
		knownServers: openKnownServers(options.folder ?? own?.folder ?? ''),
		bus,
		catalog,
		announce: {name: options.name ?? 'peer', port: options.port ?? 25_000},
		timing: {retryFirst: 50, retryMost: 300, settle: 20},
	});
	const stop = async () => {
		await index.stop();
		await client.close();
		own?.remove();
	};
	return {identity, bus, client, index, catalog, stop};
}

/** An answer as it came. */
export type RawAnswer = {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	text: string;
	// biome-ignore lint/suspicious/noExplicitAny: whatever came; tests say what it must be
	body: any;
};

/** One HTTPS request without our client: as curl would, or with a peer's certificate. */
export function request(
	server: {port: number},
	path: string,
	options: {
		host?: string;
		method?: string;
		headers?: Record<string, string>;
		body?: string | Buffer;
		identity?: Identity;
	} = {},
): Promise<RawAnswer> {
	const {host = '127.0.0.1', method = 'GET', headers, body, identity} = options;
	const tls = identity ? {key: identity.keyPem, cert: identity.certificatePem} : {};
	return new Promise((resolve, reject) => {
		const call = httpsRequest(
			{host, port: server.port, path, method, headers, rejectUnauthorized: false, agent: false, ...tls},
			response => {
				const chunks: Buffer[] = [];
				response.on('data', chunk => chunks.push(chunk));
				response.once('error', reject);
				response.once('end', () => {
					const text = Buffer.concat(chunks).toString();
					const json = String(response.headers['content-type']).includes('json') && text !== '';
					resolve({
						status: response.statusCode ?? 0,
						headers: response.headers,
						text,
						body: json ? JSON.parse(text) : undefined,
					});
				});
			},
		);
		call.once('error', reject);
		call.end(body);
	});
}
