// Reads small files for the file server: a batch comes in, is read, and goes back.
import {parentPort} from 'node:worker_threads';
import {P2pError} from '../core/errors.ts';
import {readSmall} from './read-small.ts';
import type {SmallRead, SmallReadResult} from './small-reader.ts';

const port = parentPort!;
port.on('message', (batch: SmallRead[]) => {
	port.postMessage(batch.map(one));
});

function one({id, file, start, length, memory}: SmallRead): SmallReadResult {
	try {
		readSmall(file, start, new Uint8Array(memory, 0, length));
		return {id};
	} catch (error) {
		const known =
			error instanceof P2pError ? error : new P2pError('not-readable', `Cannot read ${file.path}`, {cause: error});
		const {code, message, hint, cause} = known;
		const reason = cause instanceof Error ? cause.message : undefined;
		return {id, error: {code, message, ...(hint && {hint}), ...(reason && {reason})}};
	}
}
