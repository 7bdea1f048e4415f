// What a run cost, read from /proc: Linux only, as the rest of this comparison.
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';

const ticksPerSecond = 100;
const sampleMs = 25;
const longestMs = 600_000;

/** A process that ended, with what it took. */
export type Ended = {
	code: number | null;
	stdout: string;
	stderr: string;
	seconds: number;
	/** CPU seconds of it and of its children. */
	cpu: number;
	/** Highest resident memory of any one of its processes, in bytes. */
	rss: number;
};

/** Runs a command to its end, or, after ten minutes, ends it: `code` is null then. */
export async function runMeasured(command: string, args: string[], env?: Record<string, string>): Promise<Ended> {
	const before = childrenCpu();
	const start = performance.now();
	const child = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, ...env}});
	const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
	let rss = 0;
	const timer = setInterval(() => {
		for (const pid of tree(child.pid!)) rss = Math.max(rss, peakMemory(pid));
	}, sampleMs);
	const tooLong = setTimeout(() => {
		for (const pid of tree(child.pid!)) attempt(() => process.kill(pid, 'SIGKILL'));
	}, longestMs);
	const exited = once(child, 'exit').then(() => (performance.now() - start) / 1000);
	const [code] = (await once(child, 'close')) as [number | null];
	clearInterval(timer);
	clearTimeout(tooLong);
	const seconds = await exited;
	return {code, stdout: stdout(), stderr: stderr(), seconds, cpu: childrenCpu() - before, rss};
}

function collect(stream: NodeJS.ReadableStream): () => string {
	let text = '';
	stream.setEncoding('utf8').on('data', (more: string) => {
		text = (text + more).slice(-1_000_000);
	});
	return () => text;
}

/** The long-running side of a transfer: CPU and memory between two instants, over all its processes. */
export class ServerMeter {
	readonly #pids: number[];
	readonly #beside: number[];
	readonly #before: number;

	/** @param beside only their CPU counts */
	constructor(servers: readonly ChildProcess[], beside: readonly ChildProcess[] = []) {
		const all = (list: readonly ChildProcess[]) => list.flatMap(({pid}) => (pid === undefined ? [] : tree(pid)));
		this.#pids = all(servers);
		this.#beside = all(beside);
		// Forgets the peak so far: see proc(5), clear_refs.
		for (const pid of this.#pids) attempt(() => writeFileSync(`/proc/${pid}/clear_refs`, '5'));
		this.#before = this.#cpu();
	}

	/** CPU seconds since, and the highest resident memory of any one process since. */
	read(): {cpu: number; rss: number} {
		return {cpu: this.#cpu() - this.#before, rss: Math.max(0, ...this.#pids.map(peakMemory))};
	}

	#cpu(): number {
		return [...this.#pids, ...this.#beside].reduce((sum, pid) => sum + cpuOf(pid, 13), 0);
	}
}

/** CPU seconds of all children of this process that have ended. */
function childrenCpu(): number {
	return cpuOf('self', 15);
}

/** @param field of proc(5) stat, from 0: 13 user and system time, 15 that of ended children */
function cpuOf(pid: number | 'self', field: 13 | 15): number {
	const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
	if (!stat) return 0;
	// The name, in brackets, may hold spaces.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	return (Number(fields[field - 2]) + Number(fields[field - 1])) / ticksPerSecond;
}

function peakMemory(pid: number): number {
	const status = attempt(() => readFileSync(`/proc/${pid}/status`, 'latin1'));
	return Number(/^VmHWM:\s+(\d+) kB/m.exec(status ?? '')?.[1] ?? 0) * 1024;
}

/** A process and all below it. */
function tree(pid: number): number[] {
	const tasks = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
	const children = tasks.flatMap(task =>
		(attempt(() => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1')) ?? '')
			.split(' ')
			.filter(Boolean)
			.map(Number),
	);
	return [pid, ...children.flatMap(tree)];
}

function attempt<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch {
		return undefined;
	}
}

export function median(values: number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
