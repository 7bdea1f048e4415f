import {type ChildProcess, fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import type {Latency} from './statistics.ts';

/** What the server's process can be told. */
export type Command =
	| {do: 'usage'}
	| {do: 'online'}
	| {do: 'latency'; kind: string; queries: string[]}
	| {do: 'fill'; size: number}
	| {do: 'flags'; flags: string[]}
	| {do: 'stop'};

export type Usage = {
	cpuMs: number;
	/** Of that, by the name of the thread. */
	threads: Record<string, number>;
	rss: number;
	/** Part of it: files that are mapped into memory. */
	mapped: number;
	disk: number;
	/** Event loop, milliseconds. */
	delay: {p50: number; p99: number; max: number};
};

/** A server process as the benchmark drives it. */
export class ServerHandle {
	readonly #child: ChildProcess;
	readonly #waiting = new Map<number, {resolve: (value: never) => void; reject: (error: Error) => void}>();
	#last = 0;
	port = 0;
	/** The server's ID. */
	id = '';

	private constructor(file: string) {
		this.#child = fork(fileURLToPath(new URL('server-process.ts', import.meta.url)), [file]);
		this.#child.on('message', ({id, value, failure}: {id: number; value?: unknown; failure?: string}) => {
			const waiting = this.#waiting.get(id);
			this.#waiting.delete(id);
			if (failure) waiting?.reject(new Error(failure));
			else waiting?.resolve(value as never);
		});
		this.#child.once('exit', code => {
			for (const {reject} of this.#waiting.values()) reject(new Error(`the server ended with ${code}`));
		});
	}

	static async start(file: string): Promise<ServerHandle> {
		const handle = new ServerHandle(file);
		const started = new Promise<{port: number; id: string}>((resolve, reject) =>
			handle.#waiting.set(0, {resolve: resolve as never, reject}),
		);
		Object.assign(handle, await started);
		return handle;
	}

	usage = () => this.#call<Usage>({do: 'usage'});
	/** Puts every registered peer online, as if it held its event stream open. */
	online = () => this.#call<void>({do: 'online'});
	/** Sets flags of V8 while the server runs. */
	flags = (flags: string[]) => this.#call<void>({do: 'flags', flags});
	fill = (size: number) => this.#call<number>({do: 'fill', size});
	latency = (kind: string, queries: string[]) =>
		this.#call<{cold: Latency; warm: Latency}>({do: 'latency', kind, queries});
	/** Waits until the server has nothing more to do: to put in order, and to learn of words. */
	async settled(): Promise<Usage> {
		let last = await this.usage();
		for (let quiet = 0; quiet < 3; ) {
			await new Promise(resolve => setTimeout(resolve, 1000));
			const now = await this.usage();
			const indexing = ({threads}: Usage) => (threads['index writer'] ?? 0) + (threads['index reader'] ?? 0);
			const spent = indexing(now) - indexing(last);
			quiet = spent < 50 ? quiet + 1 : 0;
			last = now;
		}
		return last;
	}
	stop = () => this.#call<void>({do: 'stop'});

	#call<T>(command: Command): Promise<T> {
		const id = ++this.#last;
		return new Promise<T>((resolve, reject) => {
			this.#waiting.set(id, {resolve: resolve as never, reject});
			this.#child.send({id, command});
		});
	}
}
