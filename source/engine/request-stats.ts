import type {RequestEvent} from '../core/events.ts';
import {logKept, type RequestRow, type ServerSnapshot} from './messages.ts';

const minute = 60;
const fiveMinutes = 300;
/** Latencies kept a second: enough for a p99, bounded under any load. */
const samplesPerSecond = 500;

type Second = {count: number; searches: number; errors: number; latencies: number[]};

const emptySecond = (): Second => ({count: 0, searches: 0, errors: 0, latencies: []});

/** What the dashboard shows of an index server's requests: rates, latencies, errors and the newest of them. */
export class RequestStats {
	#seconds: Second[] = [];
	#current = emptySecond();
	#searchHistory: number[] = [];
	#searchMax = 0;
	#log: RequestRow[] = [];
	#seq = 0;

	/** Counts a request and puts it into the log. */
	add(event: RequestEvent, time: number): void {
		this.#current.count++;
		if (event.verb === 'SEARCH') this.#current.searches++;
		if (!event.ok) this.#current.errors++;
		if (this.#current.latencies.length < samplesPerSecond) this.#current.latencies.push(event.ms);
		this.#log.push({seq: ++this.#seq, time, ...event});
		if (this.#log.length > logKept * 2) this.#log = this.#log.slice(-logKept);
	}

	/** Ends a second: called once a second by the engine's timer. */
	tick(): void {
		this.#seconds = [...this.#seconds, this.#current].slice(-minute);
		this.#searchHistory = [...this.#searchHistory, this.#current.searches].slice(-fiveMinutes);
		this.#searchMax = Math.max(this.#searchMax, this.#current.searches);
		this.#current = emptySecond();
	}

	/** The parts of a snapshot that come from requests. */
	read(): Pick<ServerSnapshot, 'requests' | 'latency' | 'searches' | 'errorShare' | 'log'> {
		const recent = this.#seconds.slice(-3);
		const perSecond = (of: (second: Second) => number) =>
			recent.length === 0 ? 0 : recent.reduce((sum, second) => sum + of(second), 0) / recent.length;
		const all = this.#seconds.flatMap(second => second.latencies).sort((a, b) => a - b);
		const total = this.#seconds.reduce((sum, second) => sum + second.count, 0);
		const errors = this.#seconds.reduce((sum, second) => sum + second.errors, 0);
		return {
			requests: {now: perSecond(second => second.count), history: this.#seconds.map(second => second.count)},
			latency: {
				p50: percentile(all, 0.5),
				p99: percentile(all, 0.99),
				history: this.#seconds.map(second =>
					percentile(
						[...second.latencies].sort((a, b) => a - b),
						0.99,
					),
				),
			},
			searches: {now: perSecond(second => second.searches), history: this.#searchHistory, max: this.#searchMax},
			errorShare: total === 0 ? 0 : errors / total,
			log: this.#log.slice(-logKept),
		};
	}
}

/** @param sorted ascending @returns 0 when there are none */
function percentile(sorted: number[], share: number): number {
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
