import type {ServerResponse} from 'node:http';
import type {FastifyReply} from 'fastify';
import {errorLine} from '../core/errors.ts';
import type {Caller} from './caller.ts';
import type {ServeParts} from './serve-file.ts';
import {type SenderWaits, serverTiming} from './server-timing.ts';

/** An answer that is whole in memory, and whose turn on its connection has come. */
export type BufferAnswer = {
	status: 200 | 206;
	head: Record<string, string | number>;
	/** All of the body. Not to be used again before {@link sendBuffer} says that it was sent. */
	bytes: Buffer;
	caller: Caller;
	reply: FastifyReply;
	/** What it waited for so far; what the limit takes is added. */
	waits: SenderWaits;
	/** That many more bytes of the body are through. */
	sent(bytes: number): void;
};

/**
 * Sends head and body in one piece, or, under a limit, in slices.
 *
 * @returns why it was broken off with its connection; undefined when it was sent
 */
export async function sendBuffer(
	{limit, budget, slowReaders, bodyTimeout, stopping}: ServeParts,
	{status, head, bytes, caller, reply, waits, sent}: BufferAnswer,
): Promise<string | undefined> {
	const response = reply.raw;
	const {length} = bytes;
	/** Bytes that the reader has to take, and since when. */
	let pending: {bytes: number; since: number} | undefined;
	const cut = () => response.socket?.destroy(new Error('reads too slowly while others wait'));
	const unwatch = slowReaders.watch({pending: () => pending, cut});
	reply.hijack();
	response.setTimeout(bodyTimeout, () => {
		if (pending) response.socket?.destroy(new Error('reads too slowly'));
	});
	try {
		const timing = serverTiming(response.socket, waits);
		const full = {...head, 'content-length': length, ...timing, ...(stopping() && {connection: 'close'})};
		response.writeHead(status, full);
		let done = 0;
		do {
			const size = limit.slice(length - done);
			const since = performance.now();
			const turn = limit.take(size, caller.key, caller.signal);
			if (turn) await turn.finally(() => (waits.limit += performance.now() - since));
			const room = budget.take(size);
			if (room) await room;
			pending = {bytes: size, since: performance.now()};
			await handOver(response, bytes.subarray(done, done + size), done + size === length, caller.signal);
			pending = undefined;
			done += size;
			sent(size);
		} while (done < length);
		return undefined;
	} catch (error) {
		response.destroy();
		return errorLine(error);
	} finally {
		unwatch();
	}
}

function handOver(response: ServerResponse, bytes: Buffer, isLast: boolean, signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal.aborted) return reject(signal.reason);
		const abort = () => reject(signal.reason);
		signal.addEventListener('abort', abort, {once: true});
		const done = (error?: Error | null) => {
			signal.removeEventListener('abort', abort);
			if (error) reject(error);
			else resolve();
		};
		if (isLast) response.end(bytes, done);
		else response.write(bytes, done);
	});
}
