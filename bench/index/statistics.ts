import {readdirSync, readFileSync} from 'node:fs';

/** Milliseconds. */
export type Latency = {p50: number; p99: number};

/** The value below which that part of the list lies. */
export function percentile(list: number[], part: number): number {
	const sorted = Float64Array.from(list).sort();
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

export function summary(list: number[]): Latency {
	return {p50: percentile(list, 0.5), p99: percentile(list, 0.99)};
}

/** Asks one after the other. */
export async function latencies(queries: string[], ask: (query: string) => unknown): Promise<Latency> {
	const list: number[] = [];
	for (const query of queries) {
		const started = performance.now();
		await ask(query);
		list.push(performance.now() - started);
	}
	return summary(list);
}

/** Three significant digits. */
export function short(value: number): string {
	return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

/** Milliseconds that all cores of the machine have worked since it started, whoever for: proc(5), in ticks of ten. */
export function busyMs(): number {
	const fields = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]?.split(/\s+/).slice(1).map(Number) ?? [];
	const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields;
	return 10 * (user + nice + system + irq + softirq);
}

/** CPU milliseconds of each thread of this process by its name; those of one name together. */
export function threadTimes(): Record<string, number> {
	const times: Record<string, number> = {};
	for (const thread of readdirSync('/proc/self/task')) {
		try {
			const text = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
			const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
			const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
			// utime and stime, in ticks of ten milliseconds: proc(5)
			times[name] = (times[name] ?? 0) + 10 * (Number(fields[11]) + Number(fields[12]));
		} catch {
			// It ended meanwhile.
		}
	}
	return times;
}
