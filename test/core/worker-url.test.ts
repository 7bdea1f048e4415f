import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';

test('workers start under flags that Node takes for the whole process only', async () => {
	const module = new URL('../../source/core/worker-url.ts', import.meta.url).href;
	const script = `const {startWorker} = await import('${module}');
		const worker = startWorker('share/hash-worker');
		worker.once('online', () => { console.log('online'); void worker.terminate(); });`;
	const flags = ['--max-semi-space-size=4', '--input-type=module', '-e', script];
	const {stdout} = await promisify(execFile)(process.execPath, flags, {timeout: 60_000});
	expect(stdout).toBe('online\n');
});
