// A thread with one connection to the index's database, as writer or reader, so that no query ever holds up the loop
// that answers HTTP. Calls come as messages and are done one after the other.
import {setPriority} from 'node:os';
import {parentPort, receiveMessageOnPort, workerData} from 'node:worker_threads';
import {P2pError} from '../../core/errors.ts';
import {CallSignal} from './call-signal.ts';
import {IndexReader} from './index-reader.ts';
import {IndexWriter} from './index-writer.ts';
import {databaseError} from './open-database.ts';
import type {CallMessage, PlainFailure, ThreadData} from './worker-thread.ts';

/** How much the writer gives way to threads that somebody waits for: setpriority(2). */
const writerNiceness = 10;
/** Milliseconds without a call before upkeep begins. */
const idle = 500;

if (!parentPort) throw new Error('this file runs as a worker only');
const port = parentPort;
const {role, file, memory, calls} = workerData as ThreadData;

function plain(error: unknown): PlainFailure {
	const told = databaseError(file, error);
	if (!(told instanceof P2pError))
		return {stack: error instanceof Error ? (error.stack ?? error.message) : String(error)};
	return {code: told.code, message: told.message, hint: told.hint, details: told.details};
}

/** Searches are answered first where cores are few. Linux alone takes the calling thread where others take all of them. */
function giveWay(): void {
	if (process.platform !== 'linux') return;
	try {
		setPriority(0, writerNiceness);
	} catch {
		// Not allowed here; it works all the same.
	}
}

function answer(target: object, {id, method, values}: CallMessage): void {
	try {
		const methods = target as Record<string, (...values: unknown[]) => unknown>;
		const value = methods[method]?.(...values);
		const json = (value as {json?: unknown} | undefined)?.json;
		// Answers are handed over, not copied.
		port.postMessage({id, value}, json instanceof Uint8Array ? [json.buffer as ArrayBuffer] : []);
	} catch (error) {
		port.postMessage({id, failure: plain(error)});
	}
}

let upkeep: NodeJS.Timeout | undefined;

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

function write(writer: IndexWriter): void {
	port.on('message', (message: CallMessage) => {
		answer(writer, message);
		if (message.method !== 'close') return keepUp(writer, idle);
		clearTimeout(upkeep);
		port.close();
	});
	port.postMessage({id: 0});
}

/** A reader has no event loop of its own: to be woken through one takes as long as a short search. */
function read(reader: IndexReader): void {
	const signal = new CallSignal(calls);
	let isPrepared = false;
	port.postMessage({id: 0});
	for (;;) {
		const seen = signal.count;
		for (let call = receiveMessageOnPort(port); call; call = receiveMessageOnPort(port)) {
			const message = call.message as CallMessage;
			answer(reader, message);
			if (message.method !== 'close') continue;
			port.close();
			return;
		}
		if (isPrepared) signal.wait(seen);
		else isPrepared = !prepare(reader);
	}
}

/** A step of what makes searches fast; all calls that wait come before the next. */
function prepare(reader: IndexReader): boolean {
	try {
		return reader.prepare();
	} catch {
		// Searches do without, or say what is wrong.
		return false;
	}
}

try {
	if (role === 'writer') {
		giveWay();
		write(new IndexWriter(file, memory));
	} else read(new IndexReader(file, memory));
} catch (error) {
	port.postMessage({id: 0, failure: plain(error)});
	port.close();
}
