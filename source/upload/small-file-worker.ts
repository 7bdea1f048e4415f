// Reads small files for the file server: a batch comes in, is read, and goes back.
import {parentPort} from 'node:worker_threads';
import {frameHeadBytes, writeFrameHead, writeRefusal} from '../api/file-frames.ts';
import {type ErrorCode, P2pError} from '../core/errors.ts';
import {isStale} from './open-checked.ts';
import {readSmall} from './read-small.ts';
import type {ServedFile} from './served-catalog.ts';
import type {FramesRead, FramesResult, SmallRead, SmallReadResult} from './small-reader.ts';

const port = parentPort!;
port.on('message', (batch: (SmallRead | FramesRead)[]) => {
	// Each goes back as soon as it is read: what frames hold is much, and the next are read while they are sent.
	const parts: SmallReadResult[] = [];
	for (const order of batch) {
		if ('wanted' in order) port.postMessage([{id: order.id, frames: frames(order)}] satisfies SmallReadResult[]);
		else parts.push(part(order));
	}
	if (parts.length > 0) port.postMessage(parts);
});

function part({id, file, start, length, memory}: SmallRead): SmallReadResult {
	try {
		readSmall(file, start, new Uint8Array(memory, 0, length));
		return {id};
	} catch (error) {
		const {code, message, hint, cause} = known(error, file);
		const reason = cause instanceof Error ? cause.message : undefined;
		return {id, error: {code, message, ...(hint && {hint}), ...(reason && {reason})}};
	}
}

function frames({wanted, memory}: FramesRead): FramesResult {
	const target = new Uint8Array(memory);
	const result: FramesResult = {bytes: 0, read: [], stale: []};
	for (const [content, files] of wanted.entries()) {
		const code = 'code' in files ? files.code : readFirst(files, content, target, result);
		if (code) result.bytes = writeRefusal(target, result.bytes, code);
	}
	return result;
}

/** The first of the files that can be read, as the next frame. @returns why there is none */
function readFirst(
	files: readonly ServedFile[],
	content: number,
	target: Uint8Array,
	result: FramesResult,
): ErrorCode | undefined {
	let code: ErrorCode = 'not-found';
	const start = result.bytes + frameHeadBytes;
	for (const [n, file] of files.entries()) {
		try {
			readSmall(file, 0, target.subarray(start, start + file.size));
			writeFrameHead(target, result.bytes, {kind: 'file', length: file.size});
			result.read.push({content, file: n, start});
			result.bytes = start + file.size;
			return undefined;
		} catch (error) {
			({code} = known(error, file));
			if (isStale(error)) result.stale.push({content, file: n});
		}
	}
	return code;
}

function known(error: unknown, {path}: ServedFile): P2pError {
	return error instanceof P2pError ? error : new P2pError('not-readable', `Cannot read ${path}`, {cause: error});
}
