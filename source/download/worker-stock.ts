import {availableParallelism} from 'node:os';
import type {Worker} from 'node:worker_threads';
import {startWorker} from '../core/worker-url.ts';

/** What a worker makes is short-lived and small: by default each would keep up to 48 MB for it. */
const maxYoungGenerationSizeMb = 3;
/** As many as one download from one source uses. */
const mostReady = 2;

const ready: Worker[] = [];

/**
 * Starts transfer workers for a pool that comes later. A thread takes as long to start as a command takes to find out
 * what it is to fetch, so that neither has to wait for the other. They keep no process alive.
 */
export function readyTransferWorkers(): void {
	for (let count = Math.min(mostReady, availableParallelism()); count > ready.length; ) {
		const worker = start();
		worker.unref();
		// One that ended is not needed: the pool starts another, and tells of that when it fails as well.
		const gone = () => ready.includes(worker) && ready.splice(ready.indexOf(worker), 1);
		worker.on('error', gone).once('exit', gone);
		ready.push(worker);
	}
}

/** A transfer worker that waits for its `start` message. */
export function takeTransferWorker(): Worker {
	const worker = ready.shift();
	if (!worker) return start();
	worker.removeAllListeners('error').removeAllListeners('exit');
	worker.ref();
	return worker;
}

function start(): Worker {
	return startWorker('download/transfer-worker', {resourceLimits: {maxYoungGenerationSizeMb}});
}
