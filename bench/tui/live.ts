// The real program: its start, its cost at rest and while everything moves, how fast it answers keys, and what it takes
// from a transfer.
import {spawn} from 'node:child_process';
import {mkdirSync, rmSync, statSync} from 'node:fs';
import path from 'node:path';
import {type PtyScreen, startPty} from '../../test/helpers/tui-pty.ts';
import {cpuMs, programFile} from './processes.ts';

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
const node = process.execPath;

/** Milliseconds from the start of the program to its menu. */
export async function firstFrame(folder: string): Promise<number> {
	const started = performance.now();
	const screen = startPty(node, [programFile, '--data-dir', path.join(folder, 'menu')], {columns: 120, rows: 36});
	await screen.waitFor('Run peer');
	const took = performance.now() - started;
	screen.dispose();
	return took;
}

/** CPU in percent of the drawing thread and of the whole process, and bytes written per second, over some seconds. */
export async function load(screen: PtyScreen, seconds: number): Promise<{cpu: number; process: number; bytes: number}> {
	const read = () => [cpuMs(screen.pid, 'screen'), cpuMs(screen.pid, 'process'), performance.now()] as const;
	const bytes = Buffer.byteLength(screen.raw());
	const before = read();
	await pause(seconds * 1000);
	const after = read();
	const took = after[2] - before[2];
	return {
		cpu: ((after[0] - before[0]) / took) * 100,
		process: ((after[1] - before[1]) / took) * 100,
		bytes: ((Buffer.byteLength(screen.raw()) - bytes) / took) * 1000,
	};
}

/** Milliseconds from each key to the first byte that is drawn after it. */
export async function keyLatency(screen: PtyScreen, keys: number): Promise<number[]> {
	const list: number[] = [];
	for (let key = 0; key < keys; key++) {
		const before = screen.inverse().join('|');
		const started = performance.now();
		screen.send(key % 40 < 20 ? '\u001b[B' : '\u001b[A');
		await screen.waitFor(() => screen.inverse().join('|') !== before, 5000);
		list.push(performance.now() - started);
		await pause(7 + (key % 13) * 3);
	}
	return list;
}

async function arrival(file: string, size: number): Promise<void> {
	for (;;) {
		try {
			if (statSync(file).size === size) return;
		} catch {
			// Not there yet: a download has its own name until it is whole.
		}
		await pause(5);
	}
}

/** Bytes per second of one download, with the screen or with the plain interface. */
export async function transferSpeed(
	server: string,
	folder: string,
	size: number,
	kind: 'screen' | 'plain',
): Promise<number> {
	rmSync(folder, {recursive: true, force: true});
	mkdirSync(folder, {recursive: true});
	const arrived = path.join(folder, 'downloads', 'downloaded_big.iso');
	const args = [
		...[programFile, '--mode', 'peer', '--host', '0', '--port', '0', '--server', server],
		...['--data-dir', path.join(folder, 'me'), '--downloads', path.join(folder, 'downloads')],
	];
	if (kind === 'screen') {
		const screen = startPty(node, args, {columns: 120, rows: 36});
		try {
			await screen.waitFor('2 online');
			screen.send('/big');
			await screen.waitFor('1 hit');
			screen.send('\r');
			const started = performance.now();
			screen.send('d');
			await arrival(arrived, size);
			return (size / (performance.now() - started)) * 1000;
		} finally {
			screen.dispose();
		}
	}
	const child = spawn(node, [...args, '--plain'], {stdio: ['pipe', 'pipe', 'inherit']});
	try {
		const told = (text: string) =>
			new Promise<void>(resolve => {
				let seen = '';
				child.stdout.on('data', chunk => {
					seen += String(chunk);
					if (seen.includes(text)) resolve();
				});
			});
		await told('Ready');
		await pause(500);
		const found = told('1. big.iso');
		child.stdin.write('search big\n');
		await found;
		const started = performance.now();
		child.stdin.write('get 1\n');
		await arrival(arrived, size);
		return (size / (performance.now() - started)) * 1000;
	} finally {
		child.kill('SIGKILL');
	}
}
