import {existsSync} from 'node:fs';
import {Worker, type WorkerOptions} from 'node:worker_threads';
import {systemCode} from './errors.ts';

/**
 * Where a worker's entry file is: the TypeScript file when run from the sources (Node strips the types), the bundle
 * beside the launcher when run from dist/.
 *
 * @param name path below source/ without its ending, such as `share/hash-worker`
 */
export function workerUrl(name: string): URL {
	if (import.meta.url.endsWith('/core/worker-url.ts')) return new URL(`../${name}.ts`, import.meta.url);
	for (let folder = new URL('.', import.meta.url), depth = 0; depth < 4; folder = new URL('..', folder), depth++) {
		const found = new URL(`${name}.js`, folder);
		if (existsSync(found)) return found;
	}
	throw new Error(`The worker ${name} is missing from this installation`);
}

/**
 * Starts a worker of ours in a thread of its own.
 *
 * @param name as {@link workerUrl} takes it
 */
export function startWorker(name: string, options: WorkerOptions = {}): Worker {
	// Node still calls its SQLite experimental, once a thread, on the terminal that a screen is drawn on.
	const own = ['--disable-warning=ExperimentalWarning'];
	try {
		return new Worker(workerUrl(name), {execArgv: [...new Set([...process.execArgv, ...own])], ...options});
	} catch (error) {
		if (systemCode(error) !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error;
		// What is set for the engine or the whole process (`node --max-semi-space-size=16`) holds for its threads as well,
		// and Node refuses to be told it again.
		return new Worker(workerUrl(name), {execArgv: own, ...options});
	}
}
