// How a failed call is answered: the same few lines for the index server and for a peer's file server.
import type {Duplex} from 'node:stream';
import type {FastifyError, FastifyInstance, FastifyReply} from 'fastify';
import {limits} from '../api/limits.ts';
import type {ErrorBody} from '../api/schemas.ts';
import {type ErrorCode, P2pError} from '../core/errors.ts';
import {STATUS_CODES} from '../core/node-http.ts';

/** A failed call as it goes over the wire. `retry-after` is in seconds. */
export type HttpError = {status: number; body: ErrorBody; headers: Record<string, string>};

/**
 * Any thrown value as an answer. A P2pError goes as it is; what fastify refuses keeps its status; anything else is a
 * bug, about which a stranger learns nothing. A P2pError's `details.retryAfter` (seconds) becomes `Retry-After`.
 */
export function httpError(error: unknown): HttpError {
	if (error instanceof P2pError) {
		const {code, message, hint, details} = error;
		const retryAfter = details?.retryAfter;
		return {
			status: error.status,
			body: {code, message, ...(hint !== undefined && {hint}), ...(details && {details})},
			headers: typeof retryAfter === 'number' ? {'retry-after': String(Math.ceil(retryAfter))} : {},
		};
	}
	const status = (error as Partial<FastifyError> | undefined)?.statusCode;
	if (status !== undefined && status >= 400 && status < 500) {
		const code: ErrorCode = status === 413 ? 'too-large' : 'bad-request';
		return {status, body: {code, message: (error as Error).message}, headers: {}};
	}
	return {status: 500, body: {code: 'internal', message: 'Something went wrong here'}, headers: {}};
}

/** Whether the thrown value is a bug of ours rather than something that can happen. */
function isBug(error: unknown): boolean {
	return httpError(error).body.code === 'internal';
}

/**
 * Gives a fastify server the common answers to failed calls and to calls that do not exist.
 *
 * @param onBug told of what is nobody's fault but ours
 */
export function answerErrors(app: FastifyInstance, onBug: (error: unknown) => void): void {
	app.setErrorHandler((error, _request, reply) => {
		if (isBug(error)) onBug(error);
		return sendError(reply, error);
	});
	app.setNotFoundHandler((request, reply) =>
		reply
			.code(404)
			.send({code: 'not-found', message: `There is no ${request.method} ${request.url.split('?', 1)[0]} here`}),
	);
}

/** What fastify's `frameworkErrors` and error handlers do: answers a failed call. */
export function sendError(reply: FastifyReply, error: unknown): FastifyReply {
	const {status, body, headers} = httpError(error);
	return reply.code(status).headers(headers).send(body);
}

const parserErrors: Record<string, {status: number; message: string}> = {
	HPE_HEADER_OVERFLOW: {status: 431, message: 'The headers are too long'},
	ERR_HTTP_REQUEST_TIMEOUT: {status: 408, message: 'The request took too long to come in'},
};

/** What fastify's `clientErrorHandler` takes: answers what is not HTTP, or too slow or too long, and hangs up. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
	if (error.code === 'ECONNRESET' || !socket.writable) {
		socket.destroy();
		return;
	}
	const {status, message} = parserErrors[error.code ?? ''] ?? {status: 400, message: 'That is not HTTP'};
	const body = JSON.stringify({code: 'bad-request', message} satisfies ErrorBody);
	socket.end(
		`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
			`Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
	);
	// Whoever reads nothing does not keep the socket.
	setTimeout(() => socket.destroy(), limits.hangUp).unref();
}
