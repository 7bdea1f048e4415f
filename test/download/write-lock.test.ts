import {once} from 'node:events';
import {Worker} from 'node:worker_threads';
import {expect, test} from 'vitest';
import {WriteLock} from '../../source/download/write-lock.ts';

const rounds = 20_000;
const code = `
	const {parentPort, workerData} = require('node:worker_threads');
	import(workerData.module).then(({WriteLock}) => {
		const lock = new WriteLock(workerData.shared);
		const count = new Int32Array(workerData.count);
		// Reading and writing apart: without the lock, threads would lose each other's steps.
		for (let i = 0; i < ${rounds}; i++) lock.during(5, () => { count[0] = count[0] + 1; });
	});
`;

test('one thread at a time', async () => {
	const {shared} = new WriteLock();
	const count = new SharedArrayBuffer(4);
	const module = new URL('../../source/download/write-lock.ts', import.meta.url).href;
	const workers = [1, 2, 3].map(() => new Worker(code, {eval: true, workerData: {shared, count, module}}));
	await Promise.all(workers.map(worker => once(worker, 'exit')));
	expect(new Int32Array(count)[0]).toBe(3 * rounds);
});

test('is free again after a failure, and after a holder that died', () => {
	const lock = new WriteLock();
	expect(() =>
		lock.during(1, () => {
			throw new Error('disk full');
		}),
	).toThrow('disk full');
	expect(lock.during(1, () => 'written')).toBe('written');
	new Int32Array(lock.shared).fill(1);
	expect(lock.during(1, () => 'written')).toBe('written');
});
