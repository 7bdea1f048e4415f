// Load over HTTPS: connections that ask again as soon as they are answered, with as little of our own CPU as can be.
import {connect, type TLSSocket} from 'node:tls';
import {type Latency, summary} from './statistics.ts';

export type LoadResult = {perSecond: number; latency: Latency; errors: number; bytes: number; answered: number};

/** One keep-alive connection that reads answers with a content-length. */
class Asker {
	readonly #socket: TLSSocket;
	#head = '';
	#missing = -1;
	#done: ((status: number) => void) | undefined;
	#status = 0;
	bytes = 0;

	private constructor(socket: TLSSocket) {
		this.#socket = socket;
		socket.on('data', chunk => this.#take(chunk));
		socket.on('error', () => this.#done?.(0));
		socket.on('close', () => this.#done?.(0));
	}

	static open(port: number): Promise<Asker> {
		return new Promise((resolve, reject) => {
			const socket = connect({host: '127.0.0.1', port, rejectUnauthorized: false}, () => resolve(new Asker(socket)));
			socket.once('error', reject);
		});
	}

	/** Status of the answer; 0 when the connection broke. */
	ask(path: string): Promise<number> {
		return new Promise(resolve => {
			this.#done = resolve;
			this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
		});
	}

	close(): void {
		this.#done = undefined;
		this.#socket.destroy();
	}

	#take(chunk: Buffer): void {
		this.bytes += chunk.length;
		let rest = chunk.length;
		if (this.#missing < 0) {
			const end = chunk.indexOf('\r\n\r\n');
			this.#head += chunk.toString('latin1', 0, end < 0 ? chunk.length : end + 4);
			if (end < 0) return;
			this.#status = Number(this.#head.slice(9, 12));
			this.#missing = Number(/content-length: (\d+)/i.exec(this.#head)?.[1] ?? 0);
			this.#head = '';
			rest -= end + 4;
		}
		this.#missing -= rest;
		if (this.#missing > 0) return;
		this.#missing = -1;
		this.#done?.(this.#status);
	}
}

/**
 * Searches without a pause over many connections. `again`: exactly the same ones come round again and again. Otherwise
 * each round asks for pages a little longer or shorter, so that no answer is given twice from what a server keeps of it.
 */
export async function load(
	port: number,
	queries: string[],
	seconds: number,
	connections = 64,
	again = true,
): Promise<LoadResult> {
	const askers = await Promise.all(Array.from({length: connections}, () => Asker.open(port)));
	const sizes = again ? [25] : Array.from({length: 31}, (_, at) => 25 + (at % 2 ? -1 : 1) * Math.ceil(at / 2));
	const paths = sizes.flatMap(limit =>
		queries.map(query => `/v1/search?q=${encodeURIComponent(query)}&limit=${limit}`),
	);
	const times: number[] = [];
	let errors = 0;
	let next = 0;
	const started = performance.now();
	const end = started + seconds * 1000;
	await Promise.all(
		askers.map(async asker => {
			while (performance.now() < end) {
				const from = performance.now();
				if ((await asker.ask(paths[next++ % paths.length] ?? '/')) !== 200) errors++;
				times.push(performance.now() - from);
			}
		}),
	);
	const took = (performance.now() - started) / 1000;
	const bytes = askers.reduce((sum, asker) => sum + asker.bytes, 0);
	for (const asker of askers) asker.close();
	return {perSecond: times.length / took, latency: summary(times), errors, bytes, answered: times.length};
}

/** Milliseconds from which a search is remembered as a slow one. */
const slowFrom = 10;

/** Searches at a steady rate over some connections, until stopped. `slow`: the slowest, with the second in which they were due. */
export async function steady(port: number, queries: string[], perSecond: number, connections = 8) {
	const askers = await Promise.all(Array.from({length: connections}, () => Asker.open(port)));
	const paths = queries.map(query => `/v1/search?q=${encodeURIComponent(query)}`);
	const times: number[] = [];
	const asked: {at: number; ms: number; path: string}[] = [];
	let errors = 0;
	let stopped = false;
	let next = 0;
	const started = performance.now();
	const running = askers.map(async (asker, lane) => {
		for (let round = 0; !stopped; round++) {
			// Measured from when it was due, so that a stall counts for all that it held up.
			const due = started + ((round * connections + lane) * 1000) / perSecond;
			const wait = due - performance.now();
			if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait));
			if (stopped) return;
			const path = paths[next++ % paths.length] ?? '/';
			if ((await asker.ask(path)) !== 200) errors++;
			const ms = performance.now() - due;
			times.push(ms);
			if (ms > slowFrom) asked.push({at: (due - started) / 1000, ms, path: decodeURIComponent(path)});
		}
	});
	return async () => {
		stopped = true;
		await Promise.all(running);
		for (const asker of askers) asker.close();
		const slow = asked.sort((a, b) => b.ms - a.ms);
		return {latency: summary(times), errors, answered: times.length, times, slow};
	};
}
