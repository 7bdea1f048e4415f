import type {IncomingMessage} from 'node:http';
import {Readable} from 'node:stream';
import {type TLSSocket, connect as tlsConnect} from 'node:tls';
import type * as z from 'zod';
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
import {type Call, TargetCalls} from './target-calls.ts';
import {tlsOptions} from './tls-options.ts';

/** Where to connect, and who must answer there: any other key is refused before a byte is sent. */
export type Target = Reachable;

/** One call of {@link SecureClient.json}. */
export type JsonCall<T> = Omit<Call, 'body' | 'bodyTimeout'> & {
	/** Sent as JSON; a string, buffer or stream goes as it is under `headers`. */
	body?: unknown;
	/** What the answer must look like. */
	schema: z.ZodType<T>;
};

/**
 * HTTPS to peers and servers whose keys are known. Keeps connections open between calls, by target.
 */
export class SecureClient {
	readonly #identity: Identity;
	readonly #targets = new Map<string, TargetCalls>();
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

	/**
	 * One call, sent only where the target's key was proved. The body is to be read or destroyed.
	 *
	 * @throws whatever Node says; P2pError wrong-peer; the signal's reason
	 */
	send(target: Target, call: Call): Promise<IncomingMessage> {
		const key = `${target.id}@${formatAddress(target)}`;
		const calls = this.#targets.get(key) ?? new TargetCalls(target, this.#connections, () => this.#connect(target));
		// The last used one last.
		this.#targets.delete(key);
		this.#targets.set(key, calls);
		if (this.#targets.size > limits.pools) this.#closeUnused();
		return calls.send(call);
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
		const {schema, body, headers, ...rest} = call;
		const plain = typeof body === 'string' || Buffer.isBuffer(body) || body instanceof Readable ? body : undefined;
		const json = body !== undefined && plain === undefined;
		try {
			const response = await this.send(target, {
				...rest,
				body: json ? JSON.stringify(body) : plain,
				headers: {
					...(json && {'content-type': 'application/json'}),
					...(membership !== undefined && {[membershipHeader]: membership}),
					...headers,
				},
			});
			const text = await limitedText(response, limits.jsonAnswer, where);
			return readAnswer(response.statusCode ?? 0, text, schema, where);
		} catch (error) {
			if (call.signal?.aborted) throw call.signal.reason;
			throw networkError(error, `Cannot reach ${where}`);
		}
	}

	/** Closes every connection at once. */
	close(): void {
		for (const calls of this.#targets.values()) calls.close();
		this.#targets.clear();
	}

	/** Closes the connections to the targets that were not used for longest and have nothing to do. */
	#closeUnused(): void {
		for (const [key, calls] of this.#targets) {
			if (this.#targets.size <= limits.pools) return;
			if (!calls.idle) continue;
			this.#targets.delete(key);
			calls.close();
		}
	}

	/** @throws P2pError wrong-peer; what the first address said */
	#connect(target: Target): Promise<TLSSocket> {
		const attempt = ({host, port}: Address, signal: AbortSignal) =>
			new Promise<TLSSocket>((resolve, reject) => {
				const socket = tlsConnect({...tlsOptions(this.#identity), host, port, servername: ''});
				socket.setKeepAlive(true, 5000);
				socket.setNoDelay(true);
				const fail = (error: unknown) => {
					clearTimeout(timer);
					socket.destroy();
					reject(error);
				};
				const timer = setTimeout(
					() => fail(Object.assign(new Error('silent'), {code: 'ETIMEDOUT'})),
					limits.connectTimeout,
				);
				const abort = () => fail(signal.reason);
				signal.addEventListener('abort', abort, {once: true});
				socket.on('error', fail);
				socket.once('close', () => fail(Object.assign(new Error('closed'), {code: 'CLOSED'})));
				socket.once('secureConnect', () => {
					clearTimeout(timer);
					signal.removeEventListener('abort', abort);
					const shown = remotePeerId(socket);
					if (shown !== target.id) return fail(wrongKey({host, port, id: target.id}, shown));
					resolve(socket);
				});
			});
		return connectFirst(target, attempt, {discard: socket => socket.destroy()});
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

/** The error that an answer tells, as one of ours. */
export async function answeredError(response: IncomingMessage, where: string): Promise<P2pError> {
	const text = await limitedText(response, limits.jsonAnswer, where).catch(() => '');
	try {
		return remoteError(response.statusCode ?? 0, JSON.parse(text), where);
	} catch {
		return remoteError(response.statusCode ?? 0, undefined, where);
	}
}

/** The error that a failed call's body tells. */
function remoteError(status: number, body: unknown, where: string): P2pError {
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
