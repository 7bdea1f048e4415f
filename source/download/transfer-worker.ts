// A transfer worker: receives, verifies and writes, all in one thread, so that a piece is hashed while the processor's
// cache holds it and no byte crosses threads. Several of them share the lanes of all downloads.
import {parentPort} from 'node:worker_threads';
import {formatAddress} from '../core/address.ts';
import {systemCode} from '../core/errors.ts';
import type {Target} from '../net/secure-client.ts';
import {checkFiles, syncPaths} from './check-files.ts';
import {SourceConnection} from './connection.ts';
import {copyChecked} from './copy-file.ts';
import {alignedBuffer, DirectWrites} from './direct-write.ts';
import {type BufferShelf, type ConnectionShelf, LaneRunner} from './lane-runner.ts';
import {RateLimit} from './rate-limit.ts';
import {hashWholeFile, verifyPart} from './verify-file.ts';
import type {FromWorker, ToWorker, VerifyOrder, WorkerStart} from './worker-messages.ts';
import {WriteLock} from './write-lock.ts';

const sampleMs = 200;
const flushMs = 15;
/** A kept connection is closed after so long without use. */
const keptMs = 4000;
/** Buffers that are kept for reuse, in bytes. */
const keptBufferBytes = 12 * 1024 * 1024;

const port = parentPort!;
/** What it is told first. */
let start: WorkerStart;
let limit: RateLimit;
let writes: DirectWrites;
const lanes = new Map<number, LaneRunner>();
const stopped = new Set<number>();
let membership: string | undefined;
const sampled = new Map<number, string>();

// Waking the other thread costs as much as hashing half a piece, so that finished pieces are told together: at the
// latest after some milliseconds, and before anything else is told.
let pieces: number[] = [];
let flushTimer: NodeJS.Timeout | undefined;
function flush(): void {
	clearTimeout(flushTimer);
	flushTimer = undefined;
	if (pieces.length === 0) return;
	port.postMessage({type: 'pieces', list: pieces} satisfies FromWorker);
	pieces = [];
}
function post(message: FromWorker): void {
	flush();
	port.postMessage(message);
}
function tellPiece(lane: number, run: number, piece: number): void {
	pieces.push(lane, run, piece);
	flushTimer ??= setTimeout(flush, flushMs);
}

/** Targets that lied: no connection to them is kept. */
const forgotten = new Set<string>();
const kept = new Map<string, {connection: SourceConnection; timer: NodeJS.Timeout}[]>();
const keyOf = (target: Target) => `${target.id}@${formatAddress(target)}`;
const connections: ConnectionShelf = {
	async take(target, fresh) {
		const shelf = fresh ? undefined : kept.get(keyOf(target));
		for (let found = shelf?.pop(); found; found = shelf?.pop()) {
			clearTimeout(found.timer);
			if (found.connection.usable) return {connection: found.connection, kept: true};
		}
		return {connection: await SourceConnection.open(target, start, limit, () => membership), kept: false};
	},
	put(target, connection) {
		const key = keyOf(target);
		if (!connection.usable || forgotten.has(key)) return connection.destroy({kind: 'cancelled'});
		const shelf = kept.get(key) ?? [];
		const timer = setTimeout(() => {
			connection.destroy({kind: 'cancelled'});
			const left = (kept.get(key) ?? []).filter(entry => entry.connection !== connection);
			if (left.length > 0) kept.set(key, left);
			else kept.delete(key);
		}, keptMs);
		kept.set(key, [...shelf, {connection, timer}]);
	},
};

const spare: Buffer[] = [];
const buffers: BufferShelf = {
	take(bytes) {
		const index = spare.findIndex(buffer => buffer.length >= bytes && buffer.length <= 4 * bytes);
		// A power of two, so that files of nearly one size share buffers.
		return spare.splice(index, index === -1 ? 0 : 1)[0] ?? alignedBuffer(2 ** Math.ceil(Math.log2(bytes)));
	},
	put(buffer) {
		const bytes = spare.reduce((sum, other) => sum + other.length, buffer.length);
		if (bytes <= keptBufferBytes) spare.push(buffer);
	},
};

setInterval(() => {
	const counts: number[] = [];
	for (const [id, lane] of lanes) {
		const now = lane.counts;
		const text = now.join();
		if (text === sampled.get(id)) continue;
		sampled.set(id, text);
		counts.push(id, ...now);
	}
	if (counts.length > 0) post({type: 'times', counts});
}, sampleMs).unref();

async function task(id: number, work: () => Promise<FromWorker>): Promise<void> {
	try {
		post(await work());
	} catch (error) {
		const code = systemCode(error);
		post({type: 'task-failed', task: id, ...(code && {code}), message: (error as Error).message});
	} finally {
		stopped.delete(id);
	}
}

function verify({task: id, ...part}: VerifyOrder): Promise<void> {
	return task(id, async () => {
		let bytes = 0;
		let told = performance.now();
		const progress = (more: number) => {
			bytes += more;
			if (performance.now() - told < 100) return;
			told = performance.now();
			post({type: 'verifying', task: id, bytes});
		};
		return {type: 'verified', task: id, have: await verifyPart(part, progress, () => stopped.has(id))};
	});
}

port.on('message', (message: ToWorker) => {
	switch (message.type) {
		case 'start':
			start = message;
			limit = new RateLimit(message.limit);
			writes = new DirectWrites(new WriteLock(message.writes));
			({membership} = message);
			break;
		case 'membership':
			membership = message.text;
			break;
		case 'open':
			lanes.set(
				message.lane,
				new LaneRunner(message.lane, message.target, {connections, buffers, writes, post, tellPiece}),
			);
			break;
		case 'run':
		case 'layer':
		case 'files':
			lanes.get(message.lane)?.push(message);
			break;
		case 'cancel':
			lanes.get(message.lane)?.cancel(message.run);
			break;
		case 'close': {
			const {lane} = message;
			const runner = lanes.get(lane);
			void runner?.close().then(() => {
				lanes.delete(lane);
				sampled.delete(lane);
				post({type: 'times', counts: [lane, ...runner.counts]});
				post({type: 'closed', lane});
			});
			break;
		}
		case 'forget': {
			const key = keyOf(message.target);
			forgotten.add(key);
			for (const {connection, timer} of kept.get(key) ?? []) {
				clearTimeout(timer);
				connection.destroy({kind: 'cancelled'});
			}
			kept.delete(key);
			break;
		}
		case 'verify':
			void verify(message);
			break;
		case 'hash':
			void task(message.task, async () => ({
				type: 'hashed',
				task: message.task,
				content: await hashWholeFile(message.file, () => stopped.has(message.task)),
			}));
			break;
		case 'copy':
			void task(message.task, async () => ({
				type: 'copied',
				task: message.task,
				ok: await copyChecked(message, () => stopped.has(message.task)),
			}));
			break;
		case 'check':
			void task(message.task, async () => ({
				type: 'checked',
				task: message.task,
				good: await checkFiles(message.files, () => stopped.has(message.task)),
			}));
			break;
		case 'sync':
			void task(message.task, async () => {
				await syncPaths(message);
				return {type: 'synced', task: message.task};
			});
			break;
		case 'stop-task':
			stopped.add(message.task);
			break;
	}
});
