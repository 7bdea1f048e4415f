import {readFileSync} from 'node:fs';

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
