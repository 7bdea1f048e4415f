// The receiving threads that `get` starts before it knows whether it needs them.
import {once} from 'node:events';
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {setImmediate as tick} from 'node:timers/promises';
import type {Worker} from 'node:worker_threads';
import {afterEach, expect, onTestFinished, test} from 'vitest';
import {RateLimit} from '../../source/download/rate-limit.ts';
import {TransferPool} from '../../source/download/transfer-pool.ts';
import {readyTransferWorkers, takeTransferWorker} from '../../source/download/worker-stock.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {contentOf} from '../helpers/download.ts';
import {startPeer, startServer} from '../helpers/network.ts';
import {runProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {someBytes} from '../helpers/upload.ts';

/** All threads of this test: Node tells of each a tick after it was started. */
const started: Worker[] = [];
process.on('worker', worker => started.push(worker as Worker));
afterEach(async () => {
	for (const worker of started.splice(0)) await worker.terminate();
});

/** What crashes such a thread: nobody sends it. */
const nonsense = {type: 'forget', target: undefined};

async function somePool() {
	const crashes: Error[] = [];
	const identity = await temporaryIdentity();
	const pool = new TransferPool(identity, new RateLimit(), undefined, error => crashes.push(error));
	onTestFinished(() => pool.close());
	const file = path.join(await tempFolder(), 'x');
	const bytes = someBytes(100_000);
	await writeFile(file, bytes);
	const hashes = async () => (await pool.hashFile(file, new AbortController().signal)) === contentOf(bytes).content;
	return {pool, crashes, hashes};
}

/** Unlike `once` of node:events it does not mind errors. */
const exitOf = (worker: Worker) => new Promise(resolve => worker.once('exit', resolve));

/** Fills the stock, and waits until its threads run. */
async function fillStock(): Promise<Worker[]> {
	readyTransferWorkers();
	await tick();
	const stock = [...started];
	await Promise.all(stock.map(worker => once(worker, 'online')));
	return stock;
}

test('asking twice starts no more, each thread is given once, and who comes later gets a new one', async () => {
	const stock = await fillStock();
	expect(stock.length).toBeGreaterThan(0);
	readyTransferWorkers();
	await tick();
	expect(started.length).toBe(stock.length);
	const taken = [...stock, undefined].map(() => takeTransferWorker());
	expect(stock.every((worker, n) => taken[n] === worker)).toBe(true);
	expect(new Set(taken).size).toBe(stock.length + 1);
});

test('two pools that want threads at once each work, with those of the stock', async () => {
	const stock = await fillStock();
	const pools = [await somePool(), await somePool()];
	expect(await Promise.all(pools.map(pool => pool.hashes()))).toEqual([true, true]);
	await tick();
	expect(started.length).toBe(Math.max(2, stock.length));
	expect(pools.flatMap(pool => pool.crashes)).toEqual([]);
});

test.each([
	['crashes', (worker: Worker) => void worker.postMessage(nonsense)],
	['ends', (worker: Worker) => void worker.terminate()],
])('a thread that %s in stock is not given out, and nobody is told', async (_, end) => {
	const stock = await fillStock();
	const ends = stock.map(exitOf);
	stock.forEach(end);
	await Promise.all(ends);
	const {hashes, crashes} = await somePool();
	expect(await hashes()).toBe(true);
	await tick();
	expect(started.length).toBe(stock.length + 1);
	expect(crashes).toEqual([]);
});

test('one that crashes after it was taken is told of, and another one does its work', async () => {
	const [first] = await fillStock();
	const {hashes, crashes} = await somePool();
	expect(await hashes()).toBe(true);
	const end = exitOf(first!);
	first!.postMessage(nonsense);
	await end;
	await expect.poll(() => crashes.length).toBe(1);
	expect(await hashes()).toBe(true);
});

/** Says so when the program ended because nothing was left to do: then, and not on process.exit(), Node tells before. */
const endedByItself = 'ended by itself';
const watch = `import {isMainThread} from 'node:worker_threads';
	if (isMainThread) process.once('beforeExit', () => process.stderr.write('${endedByItself}\\n'));`;
const env = {NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watch)}`};

test('a get that needs no thread ends by itself, with the exit code that its reason has', async () => {
	const server = await startServer();
	await startPeer({server: server.address, name: 'alice'});
	const cwd = await tempFolder();
	const get = (...args: string[]) => runProgram(['get', ...args, '--data-dir', path.join(cwd, 'me')], {cwd, env});
	const known = ['--server', server.address];
	expect(await get('1.txt', ...known)).toMatchObject({code: 0, stderr: expect.stringContaining(endedByItself)});
	for (const [code, ...args] of [
		[0, '1.txt', ...known],
		[2, ...known],
		[2, 'size:>huge', ...known],
		[3, 'nothing-of-that-name', ...known],
		[4, 'ab'.repeat(32), ...known],
		[4, 'x', '--server', '127.0.0.1:1'],
	] as [number, ...string[]][]) {
		const ended = await get(...args);
		expect([args, ended.code, ended.stderr]).toEqual([args, code, expect.stringContaining(endedByItself)]);
	}
	const arrived = await readFile(path.join(cwd, 'downloads', 'downloaded_1.txt'));
	expect(arrived.equals(await readFile(path.join(testingFiles, '1.txt')))).toBe(true);
});
