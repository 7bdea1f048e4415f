// What the screens cost: `npm run bench:tui`, after `npm run build`. Prints a Markdown table; see docs/benchmarks.md.
// `npm run bench:tui -- prepare 100000 FOLDER` makes what `real 100000 FOLDER` then measures without making it anew.
// Linux only: CPU time of a single thread is read from /proc.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fixtureProgram, startPty} from '../test/helpers/tui-pty.ts';
import {percentile, short} from './index/statistics.ts';
import {firstFrame, keyLatency, load, transferSpeed} from './tui/live.ts';
import {bundle, outputOf} from './tui/processes.ts';
import {bigFile, measureReal, prepareReal, startNetwork, startScreen} from './tui/real.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'p2p-bench-tui-'));
const stops: (() => void)[] = [];
const rows: [what: string, measured: string, target: string][] = [];
const median = (list: number[]) => percentile(list, 0.5);
const [only, count = '100000', kept] = process.argv.slice(2);
const files = Number(count);
const part = async (name: string, work: () => Promise<void>) => {
	if (only === undefined || name.startsWith(only)) await work();
};

try {
	await part('frame', async () => {
		const program = await bundle('bench/tui/frame-program.ts', folder);
		for (const [columns, lines, target] of [
			[80, 24, 8],
			[120, 36, 12],
			[200, 60, 25],
		] as const) {
			const {cpuMs: cpu, bytes} = JSON.parse(
				/\{.*\}/.exec(await outputOf(program, [columns, lines, 300]))?.[0] ?? '',
			) as {
				cpuMs: number;
				bytes: number;
			};
			rows.push([
				`CPU per frame, ${columns}x${lines}`,
				`${short(cpu)} ms, ${Math.round(bytes)} bytes`,
				`≤ ${target} ms`,
			]);
		}
	});
	await part('start', async () => {
		const times: number[] = [];
		for (let run = 0; run < 7; run++) times.push(await firstFrame(folder));
		rows.push(['first frame of the bundled program', `${short(median(times))} ms`, '≤ 600 ms']);
	});
	await part('keys', async () => {
		const fixture = {FIXTURE: JSON.stringify({start: 'peer', state: 'overfull', tick: 120})};
		const screen = startPty(process.execPath, [await fixtureProgram()], {
			columns: 120,
			rows: 36,
			env: {...fixture, NODE_ENV: 'production'},
		});
		stops.push(() => screen.dispose());
		await screen.waitFor('2 Transfers');
		screen.send('2');
		await screen.waitFor('┏━ 2 Transfers');
		await load(screen, 2);
		const busy = await load(screen, 10);
		rows.push(
			['CPU of the screen, everything moving, 120x36', `${short(busy.cpu)}%`, '≤ 14%'],
			['written, everything moving', `${short(busy.bytes / 1000)} KB/s`, '≤ 15 KB/s'],
		);
		const latency = await keyLatency(screen, 400);
		rows.push([
			'key to picture, everything moving, p50 / p99',
			`${short(percentile(latency, 0.5))} / ${short(percentile(latency, 0.99))} ms`,
			'≤ 15 / 50 ms',
		]);
		screen.dispose();
	});
	await part('transfer', async () => {
		const size = 1 << 30;
		const share = path.join(folder, 'share');
		bigFile(share, size);
		const server = await startNetwork(folder, share, 1, stops);
		const speeds: Record<'screen' | 'plain', number[]> = {screen: [], plain: []};
		for (let run = 0; run < 3; run++) {
			for (const kind of run % 2 === 0 ? (['screen', 'plain'] as const) : (['plain', 'screen'] as const)) {
				speeds[kind].push(await transferSpeed(server, path.join(folder, kind), size, kind));
			}
		}
		const [drawn, plain] = [median(speeds.screen), median(speeds.plain)];
		rows.push([
			'1 GiB download with the screen, against without',
			`${short(drawn / 1e6)} MB/s, ${short(plain / 1e6)} MB/s: ${short(drawn / plain)}×`,
			'≥ 0.9×',
		]);
	});
	await part('rest', async () => {
		const share = path.join(folder, 'little');
		bigFile(share, 1 << 20);
		const own = path.join(folder, 'resting');
		const screen = startScreen(own, await startNetwork(own, share, 1, stops), [], stops);
		await screen.waitFor('2 online');
		await load(screen, 8);
		const rest = await load(screen, 20);
		rows.push(
			['CPU of the screen at rest, connected, 120x36', `${short(rest.cpu)}%`, '≤ 0.5%'],
			['CPU of the whole process at rest', `${short(rest.process)}%`, ''],
			['written at rest', `${short(rest.bytes)} bytes/s`, ''],
		);
		screen.dispose();
	});
	if (only === 'prepare') await prepareReal(kept ?? path.join(folder, 'real'), files);
	// The command has machine-wide effects for half a minute: a hundred thousand files are written and hashed.
	await part('real', async () => {
		rows.push(...(await measureReal(kept ?? path.join(folder, 'real'), files, stops)));
	});
} finally {
	for (const stop of stops) stop();
	rmSync(folder, {recursive: true, force: true});
}
process.stdout.write('| what | measured | target |\n|---|---|---|\n');
for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
process.exit(0);
