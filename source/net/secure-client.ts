import {type TLSSocket, connect as tlsConnect} from 'node:tls';
import {buildConnector, Pool} from 'undici';
import type {z} from 'zod';
import {limits} from '../api/limits.ts';
import {errorBodySchema} from '../api/schemas.ts';
import {type Address, formatAddress} from '../core/address.ts';
import {displayText} from '../core/display.ts';
import {isErrorCode, networkError, P2pError} from '../core/errors.ts';
import type {Identity} from '../identity/identity.ts';
import {membershipHeader} from '../identity/membership.ts';
import {connectFirst, type Reachable} from './connect-first.ts';
import {plainHost} from './listen.ts';
import {remotePeerId} from './remote-id.ts';
import {tlsOptions} from './tls-options.ts';

/** Where to connect, and who must answer there: any other key is refused before a byte is sent. */
export type Target = Reachable;

/** One call of {@link SecureClient.json}. */
export type JsonCall<T> = {
	method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
	/** Path and query. */
	path: string;
	/** Sent as JSON; a string, buffer or stream goes as it is under `headers`. */
	body?: unknown;
	headers?: Record<string, string>;
	/** What the answer must look like. */
	schema: z.ZodType<T>;
	signal?: AbortSignal;
	/** Milliseconds to wait for the answer's headers. */
	headersTimeout?: number;
};

/**
 * HTTPS to peers and servers whose keys are known. Keeps connections open between calls, one pool a target.
 */
export class SecureClient {
	readonly #identity: Identity;
	readonly #pools = new Map<string, Pool>();
	readonly #connections: number;
	readonly #membership: () => string | undefined;

	/**
	 * @param options.connections most connections to one target
	 * @param options.membership what is shown to other members of private networks
	 */
	constructor(identity: Identity, options: {connections?: number; membership?: () => string | undefined} = {}) {
		this.#identity = identity;
		this.#connections = options.connections ?? 8;
		this.#membership = options.membership ?? (() => undefined);
	}

	/** The connection pool of a target; every connection in it has proved the target's key. */
	pool(target: Target): Pool {
		const key = `${target.id}@${formatAddress(target)}`;
		let pool = this.#pools.get(key);
		if (!pool) {
			pool = new Pool(`https://${formatAddress(target)}`, {
				connections: this.#connections,
				pipelining: 1,
				allowH2: false,
				headersTimeout: limits.headersTimeout,
				bodyTimeout: limits.bodyTimeout,
				keepAliveTimeout: 20_000,
				connect: this.#connector(target),
			});
			this.#pools.set(key, pool);
			if (this.#pools.size > limits.pools) this.#closeUnused();
		} else {
			// The last used one last.
			this.#pools.delete(key);
			this.#pools.set(key, pool);
		}
		return pool;
	}

	/**
	 * One call with a JSON answer.
	 *
	 * @throws P2pError the other side's own error, `unreachable`, `wrong-peer`, or `bad-request` for an answer that
	 * does not fit the schema
	 */
	async json<T>(target: Target, call: JsonCall<T>): Promise<T> {
		const where = formatAddress(target);
		const membership = this.#membership();
		const plain =
			call.body === undefined || typeof call.body === 'string' || Buffer.isBuffer(call.body) || isStream(call.body);
		try {
			const response = await this.pool(target).request({
				method: call.method ?? 'GET',
				path: call.path,
				body: (plain ? call.body : JSON.stringify(call.body)) as string | undefined,
				headers: {
					...(!plain && {'content-type': 'application/json'}),
					...(membership !== undefined && {[membershipHeader]: membership}),
					...call.headers,
				},
				signal: call.signal,
				headersTimeout: call.headersTimeout,
			});
			const text = await limitedText(response.body, limits.jsonAnswer, where);
			return readAnswer(response.statusCode, text, call.schema, where);
		} catch (error) {
			if (call.signal?.aborted) throw call.signal.reason;
			throw networkError(error, `Cannot reach ${where}`);
		}
	}

	/** Closes every connection at once. */
	async close(): Promise<void> {
		const pools = [...this.#pools.values()];
		this.#pools.clear();
		await Promise.all(pools.map(pool => pool.destroy().catch(() => undefined)));
	}

	/** Closes the pools that were not used for longest and have nothing to do. */
	#closeUnused(): void {
		for (const [key, pool] of this.#pools) {
			if (this.#pools.size <= limits.pools) return;
			if (pool.stats.running + pool.stats.pending + pool.stats.queued > 0) continue;
			this.#pools.delete(key);
			pool.close().catch(() => undefined);
		}
	}

	#connector(target: Target): buildConnector.connector {
		// No session cache: a resumed session shows no certificate to check.
		const connect = buildConnector({
			...tlsOptions(this.#identity),
			timeout: limits.connectTimeout,
			maxCachedSessions: 0,
			allowH2: false,
			keepAlive: true,
			keepAliveInitialDelay: 5000,
		});
		const attempt = (options: buildConnector.Options, {host, port}: Address, signal: AbortSignal) =>
			new Promise<TLSSocket>((resolve, reject) => {
				connect({...options, hostname: host, port: String(port), servername: ''}, (error, made) => {
					const socket = made as TLSSocket | null;
					if (error || !socket) return reject(error ?? new Error('no socket'));
					const shown = remotePeerId(socket);
					if (shown === target.id && !signal.aborted) return resolve(socket);
					socket.destroy();
					reject(wrongKey({host, port, id: target.id}, shown));
				});
			});
		return (options, callback) => {
			connectFirst(target, (address, signal) => attempt(options, address, signal), {
				discard: socket => socket.destroy(),
			}).then(
				socket => callback(null, socket),
				(error: Error) => callback(error, null),
			);
		};
	}
}

/** The ID that whoever listens at the address proves to have. @throws P2pError unreachable */
export async function probeIdentity(identity: Identity, address: Address, signal?: AbortSignal): Promise<string> {
	return (await probe(identity, address, signal)).id;
}

/** The same, with the IP address that the name led to. @throws P2pError unreachable */
export async function probe(
	identity: Identity,
	address: Address,
	signal?: AbortSignal,
): Promise<{id: string; host: string}> {
	return new Promise((resolve, reject) => {
		const fail = (error: unknown) => {
			socket.destroy();
			reject(signal?.aborted ? signal.reason : networkError(error, `Cannot reach ${formatAddress(address)}`));
		};
		const socket = tlsConnect({
			...tlsOptions(identity),
			host: address.host,
			port: address.port,
			timeout: limits.connectTimeout,
		});
		const abort = () => fail(signal?.reason);
		if (signal?.aborted) return abort();
		signal?.addEventListener('abort', abort, {once: true});
		socket.once('close', () => signal?.removeEventListener('abort', abort));
		socket.once('error', fail);
		socket.once('timeout', () => fail(Object.assign(new Error('timed out'), {code: 'ETIMEDOUT'})));
		socket.once('secureConnect', () => {
			const id = remotePeerId(socket);
			if (!id) return fail(new P2pError('wrong-peer', `What listens at ${formatAddress(address)} is not p2p-tui`));
			const host = plainHost(socket.remoteAddress ?? address.host);
			socket.end();
			socket.once('close', () => resolve({id, host}));
			setTimeout(() => socket.destroy(), 200).unref();
		});
	});
}

function wrongKey(target: Target, shown: string | undefined): P2pError {
	return new P2pError(
		'wrong-peer',
		`Another peer answers at ${formatAddress(target)}: wanted ${target.id}, got ${shown ?? 'no key'}`,
	);
}

function isStream(value: unknown): boolean {
	return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

async function limitedText(body: AsyncIterable<Buffer>, limit: number, where: string): Promise<string> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of body) {
		bytes += chunk.length;
		if (bytes > limit) throw new P2pError('too-large', `The answer of ${where} is longer than ${limit} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
}

function readAnswer<T>(status: number, text: string, schema: z.ZodType<T>, where: string): T {
	let body: unknown;
	try {
		body = text === '' ? undefined : JSON.parse(text);
	} catch {
		throw new P2pError('bad-request', `${where} answered ${status} with something that is not JSON`);
	}
	if (status >= 400) throw remoteError(status, body, where);
	const parsed = schema.safeParse(body);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	throw new P2pError(
		'bad-request',
		`${where} answered something unexpected: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
	);
}

/** The error that a failed call's body tells, as one of ours. */
export function remoteError(status: number, body: unknown, where: string): P2pError {
	const parsed = errorBodySchema.safeParse(body);
	if (!parsed.success)
		return new P2pError(status >= 500 ? 'unreachable' : 'bad-request', `${where} answered ${status}`);
	const {code, message, hint, details} = parsed.data;
	const options = {hint: hint === undefined ? undefined : shown(hint), details: sizedDetails(details)};
	return new P2pError(isErrorCode(code) ? code : 'bad-request', shown(message), options);
}

function shown(text: string): string {
	return displayText(text.slice(0, limits.messageLength));
}

/** Details that are no burden to pass on; what is too long or too deep is left out. */
function sizedDetails(details: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
	try {
		return JSON.stringify(details ?? {}).length <= limits.detailsLength ? details : undefined;
	} catch {
		return undefined;
	}
}
