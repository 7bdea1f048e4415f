import type {ServerResponse} from 'node:http';
import {errorLine} from '../core/errors.ts';
import {isStale} from './open-checked.ts';
import {type FileAnswer, ownTurn, type ServeParts} from './serve-file.ts';
import type {ServedFile} from './served-catalog.ts';
import {serverTiming} from './server-timing.ts';
import type {SmallReader} from './small-reader.ts';

/**
 * Sends a small file, or a part of it: read whole and checked before the first byte goes out, also ahead of the answers
 * before it on its connection.
 *
 * @throws P2pError changed, not-found, not-readable
 */
export async function serveSmall(parts: ServeParts & {small: SmallReader}, answer: FileAnswer): Promise<void> {
	const {pool} = parts;
	const {caller, reply} = answer;
	const response = reply.raw;
	let buffer = pool.tryAcquire(caller.key);
	const isPooled = buffer !== undefined;
	// Others of this connection may hold all buffers, and wait for this one: it gets its own when its turn has come.
	if (!buffer) await ownTurn(response, caller.signal);
	buffer ??= pool.make();
	let isFree = false;
	try {
		const since = performance.now();
		const file = await readFirst(parts, answer, buffer);
		const waits = {disk: performance.now() - since, limit: 0};
		await ownTurn(response, caller.signal);
		isFree = await send(parts, answer, file, buffer, waits);
	} catch (error) {
		// Nothing was written.
		isFree = true;
		throw error;
	} finally {
		if (isPooled) pool.release(caller.key, buffer, isFree);
	}
}

/** The first of the files that can be read, into the buffer. @throws the last one's error */
async function readFirst(
	{small, catalog}: ServeParts & {small: SmallReader},
	{files, range}: FileAnswer,
	buffer: Buffer,
): Promise<ServedFile> {
	let last: unknown;
	for (const file of files) {
		try {
			await small.read(file, range.start, range.end - range.start, buffer);
			return file;
		} catch (error) {
			if (isStale(error)) catalog.changed(file);
			last = error;
		}
	}
	throw last;
}

/** @returns whether the connection is through with the buffer */
async function send(
	parts: ServeParts,
	{range, status, head, caller, reply}: FileAnswer,
	file: ServedFile,
	buffer: Buffer,
	waits: {disk: number; limit: number},
): Promise<boolean> {
	const response = reply.raw;
	const {limit, budget, sessions, bodyTimeout, stopping} = parts;
	const record = sessions.begin(caller.key, caller.name, file, range);
	const length = range.end - range.start;
	let problem: string | undefined;
	let waitsForReader = false;
	reply.hijack();
	response.setTimeout(bodyTimeout, () => {
		if (waitsForReader) response.socket?.destroy(new Error('reads too slowly'));
	});
	try {
		const timing = serverTiming(response.socket, waits);
		response.writeHead(status, {...head(file), ...timing, ...(stopping() && {connection: 'close'})});
		for (let done = 0; done < length || length === 0; ) {
			const bytes = limit.slice(length - done);
			const since = performance.now();
			const turn = limit.take(bytes, caller.key, caller.signal);
			if (turn) await turn.finally(() => (waits.limit += performance.now() - since));
			const room = budget.take(bytes);
			if (room) await room;
			waitsForReader = true;
			await handOver(response, buffer.subarray(done, done + bytes), done + bytes === length, caller.signal);
			waitsForReader = false;
			record.sent(bytes);
			done += bytes;
			if (length === 0) break;
		}
		return true;
	} catch (error) {
		problem = errorLine(error);
		response.destroy();
		return false;
	} finally {
		record.end(problem);
	}
}

/** Head and body of a small file leave in one piece. */
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
