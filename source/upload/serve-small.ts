import {isStale} from './open-checked.ts';
import {sendBuffer} from './send-buffer.ts';
import {type FileAnswer, ownTurn, type ServeParts} from './serve-file.ts';
import type {ServedFile} from './served-catalog.ts';
import type {SmallReader} from './small-reader.ts';

/**
 * Sends a small file, or a part of it: read whole and checked before the first byte goes out, also ahead of the answers
 * before it on its connection.
 *
 * @throws P2pError changed, not-found, not-readable
 */
export async function serveSmall(parts: ServeParts & {small: SmallReader}, answer: FileAnswer): Promise<void> {
	const {pool, sessions} = parts;
	const {caller, reply, range, status} = answer;
	const response = reply.raw;
	let buffer = pool.tryAcquire(caller.key);
	const isPooled = buffer !== undefined;
	// Others of this connection may hold all buffers, and wait for this one: it gets its own when its turn has come.
	if (!buffer) await ownTurn(response, caller.signal);
	buffer ??= pool.make();
	let isFree = true;
	try {
		const since = performance.now();
		const file = await readFirst(parts, answer, buffer);
		const waits = {disk: performance.now() - since, limit: 0};
		await ownTurn(response, caller.signal);
		const record = sessions.begin(caller.key, caller.name, file, range);
		isFree = false;
		const problem = await sendBuffer(parts, {
			...{status, head: answer.head(file), bytes: buffer.subarray(0, range.end - range.start), caller, reply, waits},
			sent: bytes => record.sent(bytes),
		});
		record.end(problem);
		isFree = problem === undefined;
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
