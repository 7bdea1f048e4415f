/** Upper borders of the latency histogram's buckets, in seconds. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

type Series = {counts: number[]; sum: number; total: number};

/** Counters of the calls that were answered, as Prometheus wants them. */
export class Metrics {
	readonly #requests = new Map<string, number>();
	readonly #latency = new Map<string, Series>();

	/** Counts one answered call. `seconds`: until the answer was ready. */
	observe(verb: string, status: number, seconds: number): void {
		const key = `verb="${verb}",status="${status}"`;
		this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
		let series = this.#latency.get(verb);
		if (!series) {
			series = {counts: buckets.map(() => 0), sum: 0, total: 0};
			this.#latency.set(verb, series);
		}
		series.sum += seconds;
		series.total++;
		const bucket = buckets.findIndex(border => seconds <= border);
		if (bucket >= 0) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
	}

	/** The text form of the Prometheus exposition format 0.0.4. `gauges`: present values by name, with what they say. */
	text(gauges: Record<string, {help: string; value: number}>): string {
		const lines: string[] = [];
		const describe = (name: string, type: string, help: string) =>
			lines.push(`# HELP p2p_${name} ${help}`, `# TYPE p2p_${name} ${type}`);
		for (const [name, {help, value}] of Object.entries(gauges)) {
			describe(name, 'gauge', help);
			lines.push(`p2p_${name} ${value}`);
		}
		describe('requests_total', 'counter', 'Calls answered, by what they were and the status.');
		for (const [key, count] of this.#requests) lines.push(`p2p_requests_total{${key}} ${count}`);
		describe('request_seconds', 'histogram', 'Time until an answer was ready.');
		for (const [verb, series] of this.#latency) {
			let sum = 0;
			for (const [index, border] of buckets.entries()) {
				sum += series.counts[index] ?? 0;
				lines.push(`p2p_request_seconds_bucket{verb="${verb}",le="${border}"} ${sum}`);
			}
			lines.push(`p2p_request_seconds_bucket{verb="${verb}",le="+Inf"} ${series.total}`);
			lines.push(`p2p_request_seconds_sum{verb="${verb}"} ${series.sum}`);
			lines.push(`p2p_request_seconds_count{verb="${verb}"} ${series.total}`);
		}
		return `${lines.join('\n')}\n`;
	}
}
