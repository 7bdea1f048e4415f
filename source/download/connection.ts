// One TLS connection to a source, with the least work per record that Node allows: `onread` hands every decrypted
// record over in one reused buffer, past the stream machinery. A gigabyte is 65,536 records.
import type {OnReadOpts} from 'node:net';
import {type ConnectionOptions, connect, type TLSSocket} from 'node:tls';
import {limits} from '../api/limits.ts';
import {type Address, formatAddress} from '../core/address.ts';
import {displayText} from '../core/display.ts';
import {isErrorCode, networkError} from '../core/errors.ts';
import {membershipHeader} from '../identity/membership.ts';
import {connectFirst} from '../net/connect-first.ts';
import {remotePeerId} from '../net/remote-id.ts';
import type {Target} from '../net/secure-client.ts';
import {type TlsIdentity, tlsOptions} from '../net/tls-options.ts';
import {parseHead, type ResponseHead} from './http-response.ts';
import type {RateLimit} from './rate-limit.ts';
import {type Fault, FaultError} from './types.ts';

/** Who takes an answer in. Both throw a FaultError for what is not as asked; that ends the connection. */
export type Sink = {
	/** The head of an answer with a status below 300. @returns the exact bytes of body to take */
	head(head: ResponseHead): number;
	/** Some of the body: `buffer` from `from` to before `to`, valid only during the call. */
	body(buffer: Buffer, from: number, to: number): void;
};

type Exchange = {
	sink: Sink;
	resolve(): void;
	reject(error: FaultError): void;
	stallMs: number;
	head: ResponseHead | undefined;
	bodyLeft: number;
	/** The body of an error, for its code and message. */
	errorBody: Buffer[] | undefined;
	answered: boolean;
	/** When it became the one that is answered, by performance.now(). */
	since: number;
};

/** Milliseconds of a connection's life, by what they went into. */
export type ConnectionTimes = {
	/** Not read, because of our own limit. */
	limit: number;
	/** Answers under way; and of that what the sender says its disk and its limit took (Server-Timing). */
	answers: number;
	theirDisk: number;
	theirLimit: number;
};

const readBufferBytes = 64 * 1024;
const checkMs = 500;
const emptyLine = Buffer.from('\r\n\r\n');

/**
 * A connection to a source. Requests may follow each other without waiting (RFC 9112, 9.3.2); the answers come in their
 * order. Every rejection is a {@link FaultError}.
 */
export class SourceConnection {
	/** Body bytes received over its life. */
	received = 0;
	readonly times: ConnectionTimes = {limit: 0, answers: 0, theirDisk: 0, theirLimit: 0};
	/** Whether it may answer `GET /v1/files?contents=`: an older peer does not. */
	takesLists = true;
	/** The last request failed without one byte of answer: on a kept connection that means it was closed under us. */
	diedUnanswered = false;
	readonly #target: Target;
	readonly #limit: RateLimit;
	#socket!: TLSSocket;
	/** Requests without a whole answer, the one that is answered first. */
	readonly #exchanges: Exchange[] = [];
	#outgoing = '';
	#checks: NodeJS.Timeout | undefined;
	#headBytes = Buffer.alloc(0);
	#lastByte = 0;
	#paused = false;
	#closed: FaultError | undefined;

	/** What proves to other members of a private network that we are one, and what this connection has shown of it. */
	readonly #membership: () => string | undefined;
	#shown: string | undefined;

	private constructor(target: Target, limit: RateLimit, membership: () => string | undefined) {
		this.#target = target;
		this.#membership = membership;
		this.#limit = limit;
	}

	/** Connects to the first of its addresses that answers, and checks that the source has the key it must have. */
	static async open(
		target: Target,
		identity: TlsIdentity,
		limit: RateLimit,
		membership: () => string | undefined = () => undefined,
	): Promise<SourceConnection> {
		const attempt = async ({host, port}: Address, signal: AbortSignal) => {
			const connection = new SourceConnection({id: target.id, host, port}, limit, membership);
			await connection.#connect(identity, signal);
			return connection;
		};
		return connectFirst(target, attempt, {discard: connection => connection.destroy({kind: 'cancelled'})});
	}

	/** Whether another request can be sent that is answered at once. */
	get usable(): boolean {
		return this.open && this.#exchanges.length === 0;
	}

	/** Whether requests can be sent at all. */
	get open(): boolean {
		return !this.#closed;
	}

	#connect(identity: TlsIdentity, signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const fail = (error: unknown) => {
				clearTimeout(timer);
				this.destroy(faultOf(error, this.#target));
				reject(this.#closed);
			};
			const timer = setTimeout(() => fail(failed('ETIMEDOUT')), limits.connectTimeout);
			const abort = () => fail(new FaultError({kind: 'cancelled'}));
			signal.addEventListener('abort', abort, {once: true});
			const onread: OnReadOpts = {
				buffer: Buffer.allocUnsafeSlow(readBufferBytes),
				callback: (length, buffer) => this.#read(length, buffer as Buffer),
			};
			// Documented for tls.connect, but missing from its types.
			const options: ConnectionOptions & {onread: OnReadOpts} = {
				...tlsOptions(identity),
				host: this.#target.host,
				port: this.#target.port,
				servername: '',
				onread,
			};
			this.#socket = connect(options);
			this.#socket.setNoDelay(true);
			this.#socket.on('error', fail);
			this.#socket.on('close', () => fail(failed('CLOSED')));
			this.#socket.on('end', () => fail(failed('CLOSED')));
			this.#socket.once('secureConnect', () => {
				clearTimeout(timer);
				signal.removeEventListener('abort', abort);
				if (remotePeerId(this.#socket) === this.#target.id) return resolve();
				const message = `another peer answers at ${formatAddress(this.#target)}`;
				fail(new FaultError({kind: 'refused', code: 'wrong-peer', message}));
			});
			this.#socket.resume();
		});
	}

	/** Sends a GET and feeds the answer to the sink. @param range first and last byte */
	get(path: string, range: {first: number; last: number} | undefined, sink: Sink, stallMs: number): Promise<void> {
		return new Promise((resolve, reject) => {
			if (this.#closed) return reject(this.#closed);
			const now = performance.now();
			if (this.#exchanges.length === 0) this.#lastByte = now;
			this.diedUnanswered = false;
			this.#checks ??= setInterval(() => this.#check(), Math.min(checkMs, stallMs / 4));
			this.#exchanges.push({
				...{sink, resolve, reject, stallMs, since: now, head: undefined, bodyLeft: 0, errorBody: undefined},
				answered: false,
			});
			const wanted = range ? `Range: bytes=${range.first}-${range.last}\r\n` : '';
			const membership = this.#membership();
			const news = membership === this.#shown ? '' : `${membershipHeader}: ${membership ?? ''}\r\n`;
			this.#shown = membership;
			// Requests of one turn leave as one record.
			if (this.#outgoing === '') queueMicrotask(() => this.#flush());
			this.#outgoing += `GET ${path} HTTP/1.1\r\nHost: ${formatAddress(this.#target)}\r\n${wanted}${news}\r\n`;
		});
	}

	#flush(): void {
		const text = this.#outgoing;
		this.#outgoing = '';
		if (!this.#closed) this.#socket.write(text, 'latin1');
	}

	/** Ends it at once, and what is under way with that fault. */
	destroy(fault: Fault): void {
		if (this.#closed) return;
		this.#closed = new FaultError(fault);
		this.#socket.destroy();
		clearInterval(this.#checks);
		this.#checks = undefined;
		const exchanges = this.#exchanges.splice(0);
		this.diedUnanswered = exchanges[0]?.answered === false;
		for (const exchange of exchanges) exchange.reject(this.#closed);
	}

	/** Called for every record. @returns false to stop reading until resumed */
	#read(length: number, buffer: Buffer): boolean {
		if (this.#closed) return false;
		try {
			this.#lastByte = performance.now();
			this.#take(buffer, length);
		} catch (error) {
			this.destroy(error instanceof FaultError ? error.fault : {kind: 'network', message: String(error)});
			return false;
		}
		if (!this.#limit.take(length)) return true;
		this.#pause();
		return false;
	}

	#take(buffer: Buffer, length: number): void {
		for (let at = 0; at < length; ) {
			const exchange = this.#exchanges[0];
			if (!exchange) throw new FaultError({kind: 'lied', message: 'it sends bytes that nobody asked for'});
			exchange.answered = true;
			if (!exchange.head) {
				at = this.#takeHead(exchange, buffer, at, length);
			} else {
				const to = Math.min(length, at + exchange.bodyLeft);
				if (exchange.errorBody) exchange.errorBody.push(Buffer.from(buffer.subarray(at, to)));
				else {
					exchange.sink.body(buffer, at, to);
					this.received += to - at;
				}
				exchange.bodyLeft -= to - at;
				at = to;
			}
			if (exchange.head && exchange.bodyLeft === 0) this.#finish(exchange, exchange.head);
		}
	}

	/** @returns where the body starts in the buffer, or its end when the head is not complete */
	#takeHead(exchange: Exchange, buffer: Buffer, at: number, length: number): number {
		const before = this.#headBytes.length;
		const more = buffer.subarray(at, Math.min(length, at + limits.answerHead));
		const bytes = before === 0 ? more : Buffer.concat([this.#headBytes, more]);
		const end = bytes.indexOf(emptyLine);
		if (end === -1) {
			if (bytes.length >= limits.answerHead) throw new FaultError({kind: 'lied', message: 'an endless answer head'});
			this.#headBytes = Buffer.from(bytes);
			return length;
		}
		this.#headBytes = Buffer.alloc(0);
		const head = parseHead(bytes.toString('latin1', 0, end));
		exchange.head = head;
		if (head.status < 300) exchange.bodyLeft = exchange.sink.head(head);
		else if (head.length !== undefined && head.length <= limits.errorBody) {
			exchange.errorBody = [];
			exchange.bodyLeft = head.length;
		} else throw new FaultError(faultOfAnswer(head, undefined));
		return at + end + emptyLine.length - before;
	}

	#finish(exchange: Exchange, head: ResponseHead): void {
		this.#exchanges.shift();
		const now = performance.now();
		this.times.answers += now - exchange.since;
		this.times.theirDisk += head.timing.disk;
		this.times.theirLimit += head.timing.limit;
		const next = this.#exchanges[0];
		if (next) next.since = now;
		else {
			clearInterval(this.#checks);
			this.#checks = undefined;
		}
		if (exchange.errorBody) exchange.reject(new FaultError(faultOfAnswer(head, Buffer.concat(exchange.errorBody))));
		else exchange.resolve();
		if (!head.keepAlive) this.destroy({kind: 'network', message: 'it closed the connection'});
	}

	#pause(): void {
		if (this.#paused) return;
		this.#paused = true;
		const since = performance.now();
		const timer = setInterval(() => {
			if (!this.#limit.open && !this.#closed) return;
			clearInterval(timer);
			this.#paused = false;
			this.#lastByte = performance.now();
			this.times.limit += this.#lastByte - since;
			if (!this.#closed) this.#socket.resume();
		}, 20);
	}

	/** A source that sends nothing is given up; time in which we did not listen does not count. */
	#check(): void {
		const exchange = this.#exchanges[0];
		if (!exchange || this.#paused || performance.now() - this.#lastByte < exchange.stallMs) return;
		// Our own thread may have been held up by the disk: let it read what has come before judging.
		const seen = this.#lastByte;
		setTimeout(() => {
			if (this.#exchanges[0] === exchange && this.#lastByte === seen)
				this.destroy({kind: 'network', message: 'it stopped sending'});
		}, 20);
	}
}

function failed(code: string): Error {
	return Object.assign(new Error(code), {code});
}

function faultOf(error: unknown, target: Target): Fault {
	if (error instanceof FaultError) return error.fault;
	return {kind: 'network', message: networkError(error, formatAddress(target)).message};
}

/** The fault that an error answer stands for. */
function faultOfAnswer(head: ResponseHead, body: Buffer | undefined): Fault {
	let said: {code?: unknown; message?: unknown; details?: {place?: unknown; position?: unknown}} = {};
	try {
		said = (body && JSON.parse(body.toString('utf8'))) || {};
	} catch {
		// The status alone has to do.
	}
	if (head.status === 503) {
		const place = Number(said.details?.place ?? said.details?.position);
		return {
			kind: 'busy',
			seconds: Math.min(Math.max(head.retryAfter ?? 2, 0.2), limits.retryAfter),
			...(Number.isSafeInteger(place) && place > 0 && {place}),
		};
	}
	const message =
		typeof said.message === 'string'
			? displayText(said.message.slice(0, limits.messageLength))
			: `it answered ${head.status}`;
	if (head.status >= 500 || head.status === 408 || head.status === 429) return {kind: 'network', message};
	if (head.status < 400) return {kind: 'lied', message};
	const code = isErrorCode(said.code) ? said.code : head.status === 404 ? 'not-found' : 'bad-request';
	return {kind: 'refused', code, message};
}
