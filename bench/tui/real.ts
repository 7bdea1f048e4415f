// Real engines for the screens to show: an index server, a peer that shares 100,000 files and one of 1 GiB, and a peer
// with a screen that searches them, has a thousand transfers and downloads the big file meanwhile.
import {existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync} from 'node:fs';
import path from 'node:path';
import {keys, type PtyScreen, startPty} from '../../test/helpers/tui-pty.ts';
import {percentile} from '../index/statistics.ts';
import {keyLatency, load} from './live.ts';
import {cpuMs, programFile, startHeadless} from './processes.ts';

/** A file of bytes that differ in each block, sparse otherwise. */
export function bigFile(share: string, size: number): void {
	mkdirSync(share, {recursive: true});
	const file = openSync(path.join(share, 'big.iso'), 'w');
	for (let at = 0; at < size; at += 1 << 20) writeSync(file, Buffer.alloc(4096, at / (1 << 20) + 1), 0, 4096, at);
	writeSync(file, Buffer.from('.'), 0, 1, size - 1);
}

/** An index server and a peer that shares a folder; resolves with the server's address once all of it is found. */
export async function startNetwork(folder: string, share: string, files: number, stops: (() => void)[]) {
	const port = await startHeadless(
		['--mode', 'server', '--host', '0', '--port', '0', '--data-dir', path.join(folder, 'server')],
		/"event":"listening".*?"port":(\d+)/,
		stops,
	);
	const server = `127.0.0.1:${port}`;
	await startHeadless(
		[
			...['--mode', 'peer', '--host', '0', '--port', '0', '--server', server, '--name', 'alice'],
			...['--data-dir', path.join(folder, 'alice'), '--share', share],
		],
		new RegExp(`"event":"registered".*?"files":(${files})\\b`),
		stops,
	);
	return server;
}

/** A peer with a screen of 120x36. */
export function startScreen(folder: string, server: string, options: string[], stops: (() => void)[]): PtyScreen {
	const screen = startPty(
		process.execPath,
		[
			...[programFile, '--mode', 'peer', '--host', '0', '--port', '0', '--server', server, ...options],
			...['--data-dir', path.join(folder, 'me'), '--downloads', path.join(folder, 'me-downloads')],
		],
		{columns: 120, rows: 36},
	);
	stops.push(() => screen.dispose());
	return screen;
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

/** Presses a key so often, as fast as a held key comes. */
async function hold(screen: PtyScreen, sequence: string, times: number): Promise<void> {
	for (let press = 0; press < times; press++) {
		screen.send(sequence);
		await pause(8);
	}
}

type Measured = [what: string, measured: string, target: string];
const tenth = (value: number) => String(Math.round(value * 10) / 10);

/** The share, hashed and registered, so that engines on the same folder start in seconds. Takes minutes. */
export async function prepareReal(folder: string, files: number): Promise<void> {
	const share = path.join(folder, 'many');
	for (let at = 0; at < files; at++) {
		const below = path.join(share, `part ${Math.floor(at / 1000)}`);
		if (at % 1000 === 0) mkdirSync(below, {recursive: true});
		writeFileSync(path.join(below, `result ${String(at).padStart(6, '0')} of a study.txt`), `${at}`);
	}
	bigFile(share, 1 << 30);
	const stops: (() => void)[] = [];
	try {
		await startNetwork(folder, share, files + 1, stops);
	} finally {
		for (const stop of stops) stop();
	}
	writeFileSync(path.join(folder, 'prepared'), String(files));
}

/**
 * What the screen costs over real engines.
 * @param folder of `prepareReal`; prepared now where it is not
 * @param files how many small files are shared besides the big one
 */
export async function measureReal(folder: string, files: number, stops: (() => void)[]): Promise<Measured[]> {
	if (!existsSync(path.join(folder, 'prepared'))) await prepareReal(folder, files);
	const count = Number(readFileSync(path.join(folder, 'prepared'), 'utf8'));
	const server = await startNetwork(folder, path.join(folder, 'many'), count + 1, stops);
	// What an earlier run downloaded would only be told to be there already.
	for (const name of ['me', 'me-downloads']) rmSync(path.join(folder, name), {recursive: true, force: true});
	const screen = startScreen(folder, server, ['--limit-down', '20M'], stops);
	await screen.waitFor('2 online', 60_000);
	screen.send('/big');
	await screen.waitFor('1 hit');
	screen.send(keys.enter);
	await screen.waitFor(/big\.iso/);
	screen.send('d');
	await screen.waitFor(/↓ big\.iso .* \d+[.\d]*[MK]\/s/);
	screen.send(`/${'\u0015'}result`);
	await screen.waitFor(/100\+? hits|100,000\+? hits|[\d,]+\+? hits/);
	screen.send(keys.enter);
	await load(screen, 2);
	const counted: Measured[] = [];
	// A thousand downloads begin, end and are logged while the keys are held and the big one runs.
	const started = performance.now();
	const [cpu, bytes] = [cpuMs(screen.pid, 'screen'), Buffer.byteLength(screen.raw())];
	await hold(screen, 'd', 1);
	await hold(screen, `${keys.down}d`, 999);
	const took = performance.now() - started;
	counted.push([
		'real: 1,000 downloads started by held keys, 1 GiB running, 120x36',
		`${tenth(((cpuMs(screen.pid, 'screen') - cpu) / took) * 100)}% CPU, ${tenth((Buffer.byteLength(screen.raw()) - bytes) / took)} KB/s`,
		'',
	]);
	screen.send('2');
	await screen.waitFor('┏━ 2 Transfers');
	await load(screen, 2);
	const busy = await load(screen, 10);
	counted.push(
		['real: CPU of the screen, 1 GiB running, 120x36', `${tenth(busy.cpu)}%`, '≤ 14%'],
		['real: written, 1 GiB running', `${tenth(busy.bytes / 1000)} KB/s`, '≤ 15 KB/s'],
	);
	const latency = await keyLatency(screen, 200);
	counted.push([
		'real: key to picture, p50 / p99',
		`${tenth(percentile(latency, 0.5))} / ${tenth(percentile(latency, 0.99))} ms`,
		'≤ 15 / 50 ms',
	]);
	process.stderr.write(`${screen.text()}\n`);
	screen.dispose();
	return counted;
}
