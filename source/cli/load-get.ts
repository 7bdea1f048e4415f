import type {Command} from './context.ts';

/** Loads `get`, and starts its threads first: they come up meanwhile. */
export async function loadGet(): Promise<{command: Command}> {
	// Node's thread pool brings files to the disk: what is asked for at once the system writes down together. To be set
	// before the pool's first use.
	process.env.UV_THREADPOOL_SIZE ??= '16';
	(await import('../download/worker-stock.ts')).readyTransferWorkers();
	return import('./get.ts');
}
