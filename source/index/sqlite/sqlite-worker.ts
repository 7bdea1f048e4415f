// A thread with one connection to the index's database, as writer or reader, so that no query ever holds up the loop
// that answers HTTP. Calls come as messages and are done one after the other.
import {parentPort, workerData} from 'node:worker_threads';
import {P2pError} from '../../core/errors.ts';
import {giveWay} from '../../core/thread-priority.ts';
import {IndexReader} from './index-reader.ts';
import {IndexWriter} from './index-writer.ts';
import {databaseError} from './open-database.ts';
import type {CallMessage, PlainFailure, ThreadData} from './worker-thread.ts';

/** How much the writer gives way to threads that somebody waits for: setpriority(2). */
const writerNiceness = 10;
/** Milliseconds without a call before upkeep begins. */
const idle = 500;
/** Milliseconds until a reader that could not get ready tries again. */
const unprepared = 10_000;

if (!parentPort) throw new Error('this file runs as a worker only');
const port = parentPort;
const {role, file, memory, share} = workerData as ThreadData;

function plain(error: unknown): PlainFailure {
	const told = databaseError(file, error);
	if (!(told instanceof P2pError))
		return {stack: error instanceof Error ? (error.stack ?? error.message) : String(error)};
	return {code: told.code, message: told.message, hint: told.hint, details: told.details};
}

function answer(target: object, {id, method, values}: CallMessage): void {
	const fail = (error: unknown) => port.postMessage({id, failure: plain(error)});
	try {
		const methods = target as Record<string, (...values: unknown[]) => unknown>;
		const value = methods[method]?.(...values);
		if (value instanceof Promise) {
			value.then(result => port.postMessage({id, value: result}), fail);
			return;
		}
		const json = (value as {json?: unknown} | undefined)?.json;
		// Answers are handed over, not copied.
		port.postMessage({id, value}, json instanceof Uint8Array ? [json.buffer as ArrayBuffer] : []);
	} catch (error) {
		fail(error);
	}
}

let upkeep: NodeJS.Timeout | undefined;
let preparing: NodeJS.Timeout | undefined;

function keepUp(writer: IndexWriter, pause: number): void {
	clearTimeout(upkeep);
	upkeep = setTimeout(() => {
		try {
			if (writer.maintain()) keepUp(writer, 0);
		} catch {
			// A full disk or a damaged file shows in the next call, which has somebody to tell.
		}
	}, pause);
}

/** Between two steps all calls that wait are answered, and at least three quarters of the time are theirs. */
function prepare(reader: IndexReader, pause: number): void {
	preparing = setTimeout(() => {
		const started = performance.now();
		let later = unprepared;
		try {
			later = reader.prepare();
		} catch {
			// Searches do without, or say what is wrong.
		}
		prepare(reader, Math.max(later, 3 * (performance.now() - started)));
	}, pause);
}

try {
	if (role === 'writer') giveWay(writerNiceness);
	const target = role === 'writer' ? new IndexWriter(file, memory) : new IndexReader(file, memory, share);
	port.on('message', (message: CallMessage) => {
		answer(target, message);
		if (message.method === 'close') {
			clearTimeout(upkeep);
			clearTimeout(preparing);
			// After the answers to what it has just ended.
			setImmediate(() => port.close());
		} else if (target instanceof IndexWriter) keepUp(target, idle);
	});
	port.postMessage({id: 0});
	if (target instanceof IndexReader) prepare(target, 0);
} catch (error) {
	port.postMessage({id: 0, failure: plain(error)});
	port.close();
}
