import {type ChildProcess, fork} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {Counts} from '../../source/api/schemas.ts';

/** CPU since its start, of all and by thread; resident bytes. */
export type ServerUsage = {cpuMs: number; threads: Record<string, number>; rss: number};

/** An index server in a process of its own, as the benchmark drives it. */
export class Server {
	readonly #child: ChildProcess;
	readonly #waiting = new Map<number, {resolve: (value: never) => void; reject: (error: Error) => void}>();
	#last = 0;
	port = 0;

	private constructor(folder: string, url?: string) {
		mkdirSync(folder, {recursive: true});
		const program = fileURLToPath(new URL('server-process.ts', import.meta.url));
		this.#child = fork(program, url ? [folder, url] : [folder]);
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

	/** @param url of a cluster; SQLite without */
	static async start(folder: string, url?: string): Promise<Server> {
		const server = new Server(folder, url);
		server.port = await new Promise<number>((resolve, reject) =>
			server.#waiting.set(0, {resolve: resolve as never, reject}),
		);
		return server;
	}

	/** Puts all peers online. */
	online = () => this.#call<number>('online');
	usage = () => this.#call<ServerUsage>('usage');
	/** `wholeAfter`: milliseconds from its start until it was whole, 0 while it is not. */
	state = () => this.#call<{wholeAfter: number; counts: Counts}>('state');
	stop = () => this.#call<void>('stop');

	#call<T>(command: string): Promise<T> {
		const id = ++this.#last;
		return new Promise<T>((resolve, reject) => {
			this.#waiting.set(id, {resolve: resolve as never, reject});
			this.#child.send({id, command});
		});
	}
}
