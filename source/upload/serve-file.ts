import {once} from 'node:events';
import type {ServerResponse} from 'node:http';
import type {FastifyReply} from 'fastify';
import {errorLine, P2pError} from '../core/errors.ts';
import type {BufferPool} from './buffer-pool.ts';
import type {Caller} from './caller.ts';
import type {ByteRange} from './http-range.ts';
import {isStale} from './open-checked.ts';
import type {OpenFiles} from './open-files.ts';
import type {RateLimit} from './rate-limit.ts';
import {BodySender} from './send-body.ts';
import type {ServedCatalog, ServedFile} from './served-catalog.ts';
import {serverTiming} from './server-timing.ts';
import type {UploadSessions} from './sessions.ts';
import type {SlowReaders} from './slow-readers.ts';
import type {TurnBudget} from './turn-budget.ts';

/** What serving files takes. */
export type ServeParts = {
	catalog: ServedCatalog;
	limit: RateLimit;
	budget: TurnBudget;
	sessions: UploadSessions;
	openFiles: OpenFiles;
	pool: BufferPool;
	slowReaders: SlowReaders;
	/** Milliseconds without the other side taking a byte. */
	bodyTimeout: number;
	/** Whether the server is about to stop. */
	stopping(): boolean;
	/** Told of what is nobody's fault but ours, when it is too late to answer with it. */
	onBug(error: unknown): void;
};

/** An answer with bytes. */
export type FileAnswer = {
	/** Where the content lies: the first that can still be read is sent. */
	files: readonly ServedFile[];
	/** Whether what has just been opened is still what was asked for. */
	current(): boolean;
	range: ByteRange;
	status: 200 | 206;
	head(file: ServedFile): Record<string, string | number>;
	caller: Caller;
	reply: FastifyReply;
	/** The reader takes too little while others wait, and is cut off. */
	tooSlow(): void;
};

/**
 * Sends the bytes past fastify, whose reply streams would copy and wait more. An answer that cannot be completed with
 * the right bytes is broken off with its connection: the other side sees fewer bytes than promised, never wrong ones.
 *
 * @throws P2pError changed, not-found, not-readable as long as nothing has been sent
 */
export async function serveFile(parts: ServeParts, answer: FileAnswer): Promise<void> {
	const {range, status, caller, reply} = answer;
	const response = reply.raw;
	await ownTurn(response, caller.signal);
	const {file, sender, close} = await firstReadable(parts, answer);
	const record = parts.sessions.begin(caller.key, caller.name, file, range);
	const cut = () => {
		answer.tooSlow();
		response.socket?.destroy(new Error('reads too slowly while others wait'));
	};
	const unwatch = parts.slowReaders.watch({pending: () => sender.pending(), cut});
	let problem: string | undefined;
	let stale = false;
	try {
		reply.hijack();
		response.setTimeout(parts.bodyTimeout, () => {
			// Also called when it is our disk or our limit that took long: then nothing is held against the reader.
			if (sender.waitsForReader) response.socket?.destroy(new Error('reads too slowly'));
		});
		const timing = serverTiming(response.socket, sender.waits);
		response.writeHead(status, {...answer.head(file), ...timing, ...(parts.stopping() && {connection: 'close'})});
		await sender.send(bytes => record.sent(bytes));
		response.end();
	} catch (error) {
		stale = isStale(error);
		if (isBug(error) && !caller.signal.aborted && !response.socket?.destroyed) parts.onBug(error);
		problem = stale ? 'the file changed while it was being sent' : errorLine(error);
		response.destroy();
		if (stale) parts.catalog.changed(file);
	} finally {
		unwatch();
		record.end(problem);
		await close(stale);
	}
}

type Readable = {file: ServedFile; sender: BodySender; close(stale: boolean): Promise<void>};

/** The first of the files that is still what was hashed, its first bytes read. @throws the last one's error */
async function firstReadable(parts: ServeParts, {files, current, range, caller, reply}: FileAnswer): Promise<Readable> {
	const {pool, limit, budget, openFiles} = parts;
	let last: unknown;
	for (const file of files) {
		try {
			const lease = await openFiles.acquire(file);
			const job = {fd: lease.fd, file, range, response: reply.raw, peer: caller.key, pool, limit, budget};
			const sender = new BodySender({...job, signal: caller.signal});
			const close = async (stale: boolean) => {
				await sender.close();
				lease.release(stale);
			};
			try {
				if (!current()) throw new P2pError('not-found', 'No such content is shared here');
				await sender.prepare();
				return {file, sender, close};
			} catch (error) {
				await close(true);
				throw error;
			}
		} catch (error) {
			if (caller.signal.aborted) throw error;
			if (isStale(error)) parts.catalog.changed(file);
			last = error;
		}
	}
	throw last;
}

/** Neither one of our errors nor one of the system's. */
function isBug(error: unknown): boolean {
	return !(error instanceof P2pError) && (error as NodeJS.ErrnoException).errno === undefined;
}

/** A pipelined request waits here until those before it are answered: it could only hold buffers it cannot send. */
export async function ownTurn(response: ServerResponse, signal: AbortSignal): Promise<void> {
	if (signal.aborted) throw signal.reason;
	if (response.socket) return;
	try {
		await once(response, 'socket', {signal});
	} catch {
		throw new P2pError('source-lost', 'the other side hung up');
	}
}
