import type {Agent as HttpAgent, IncomingMessage} from 'node:http';
import {Readable} from 'node:stream';
import type {TLSSocket} from 'node:tls';
import {limits} from '../api/limits.ts';
import type {Address} from '../core/address.ts';
import {systemCode} from '../core/errors.ts';
import {Agent, request} from '../core/node-http.ts';

/** A request as it goes out. */
export type Call = {
	method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
	/** Path and query. */
	path: string;
	body?: string | Buffer | Readable;
	headers?: Record<string, string>;
	signal?: AbortSignal;
	/** Milliseconds to wait for the answer's headers; 0: for ever. */
	headersTimeout?: number;
	/** Milliseconds without a byte of the answer's body. */
	bodyTimeout?: number;
};

/** Connections that nobody uses are closed after so many milliseconds, or when the other side says so. */
const keptMs = 20_000;

/**
 * HTTP calls to one target over connections that are kept between them. Node's own client, whose parser is compiled
 * already: another one brings 20 MB and a fifth of a second of compiling into every process.
 */
export class TargetCalls {
	readonly #address: Address;
	readonly #most: number;
	readonly #agent: HttpAgent;
	#running = 0;
	readonly #waiting: (() => void)[] = [];
	readonly #closed = new AbortController();

	/**
	 * @param most calls at once, each on a connection of its own; more wait
	 * @param connect makes a connection that has proved the target's key
	 */
	constructor(address: Address, most: number, connect: () => Promise<TLSSocket>) {
		this.#address = address;
		this.#most = most;
		this.#agent = new Agent({keepAlive: true, maxFreeSockets: most, timeout: keptMs});
		this.#agent.createConnection = (_options, made) => {
			connect().then(
				socket => made?.(null, socket),
				error => made?.(error, undefined as never),
			);
			return undefined;
		};
	}

	/** Whether no call runs or waits. */
	get idle(): boolean {
		return this.#running === 0;
	}

	/** Resolves with the answer's head; the body is to be read or destroyed. Rejects as Node does, or as connecting did. */
	async send(call: Call): Promise<IncomingMessage> {
		const replayable = call.body === undefined || typeof call.body === 'string' || Buffer.isBuffer(call.body);
		const signals = [this.#closed.signal, ...(call.signal ? [call.signal] : [])];
		const signal = AbortSignal.any(signals);
		await this.#turn(signal);
		const over = () => this.#next();
		try {
			for (let attempt = 0; ; attempt++) {
				const state = {reused: false};
				try {
					const response = await this.#exchange(call, signal, state);
					response.once('close', over);
					return response;
				} catch (error) {
					// The other side closed a kept connection just as we used it. Should it have acted on the call all the same, it
					// does so twice: what these methods ask for may be (RFC 9110, 9.2.2).
					const unseen = state.reused && /^(ECONNRESET|EPIPE)$/.test(systemCode(error) ?? '');
					if (!unseen || !replayable || call.method === 'POST' || attempt >= this.#most) throw error;
				}
			}
		} catch (error) {
			over();
			throw signal.aborted ? signal.reason : error;
		}
	}

	/** Ends all connections and calls at once. */
	close(): void {
		this.#closed.abort(new Error('The client was closed'));
		this.#agent.destroy();
	}

	async #turn(signal: AbortSignal): Promise<void> {
		signal.throwIfAborted();
		if (this.#running < this.#most) {
			this.#running++;
			return;
		}
		await new Promise<void>((resolve, reject) => {
			const abort = () => {
				this.#waiting.splice(this.#waiting.indexOf(go), 1);
				reject(signal.reason);
			};
			const go = () => {
				signal.removeEventListener('abort', abort);
				resolve();
			};
			signal.addEventListener('abort', abort, {once: true});
			this.#waiting.push(go);
		});
	}

	/** A call is over: its turn passes to the next one. */
	#next(): void {
		const next = this.#waiting.shift();
		if (next) next();
		else this.#running--;
	}

	#exchange(call: Call, signal: AbortSignal, state: {reused: boolean}): Promise<IncomingMessage> {
		const {method = 'GET', path, body, headers, headersTimeout = limits.headersTimeout} = call;
		const {host, port} = this.#address;
		return new Promise((resolve, reject) => {
			const sent = request({agent: this.#agent, host, port, method, path, headers, signal});
			let timer: NodeJS.Timeout | undefined;
			sent.once('socket', () => {
				state.reused = sent.reusedSocket;
				if (headersTimeout > 0) timer = setTimeout(() => sent.destroy(failed('ETIMEDOUT')), headersTimeout);
			});
			// Also what comes after the answer, such as the end of a body that the other side would not read.
			sent.on('error', reject);
			sent.once('close', () => clearTimeout(timer));
			sent.once('response', response => {
				clearTimeout(timer);
				const bodyTimeout = call.bodyTimeout ?? limits.bodyTimeout;
				sent.setTimeout(bodyTimeout, () => response.destroy(failed('STALLED')));
				// Whoever answers before it has read everything wants no more.
				response.once('close', () => {
					if (!sent.writableEnded) sent.destroy();
				});
				resolve(response);
			});
			if (body instanceof Readable) {
				body.once('error', error => sent.destroy(error));
				body.pipe(sent);
			} else sent.end(body);
		});
	}
}

function failed(code: string): Error {
	return Object.assign(new Error(code), {code});
}
