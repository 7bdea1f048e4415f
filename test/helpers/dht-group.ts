// Several nodes of the distributed hash table in one process: what the benchmark and the chaos test are made of. Started
// by `startGroup`, which sends it commands.
import {type ChildProcess, fork} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {monitorEventLoopDelay} from 'node:perf_hooks';
import {setImmediate} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import type {CatalogChange} from '../../source/api/schemas.ts';
import type {EngineBus} from '../../source/core/events.ts';
import {type DhtTestNode, startDhtNode} from './dht-node.ts';

/** What a group can be told; each answers when it is done. */
export type GroupCommands = {
	start(request: {count: number; bootstrap: number[]; host?: string}): Promise<{
		ports: number[];
		ms: number[];
		/** Ports of the file servers, and who they are. */
		doors: number[];
		ids: string[];
	}>;
	/** Publishes files `from` to `to` of {@link fileOf} from one node, all at once. */
	publish(request: {node: number; from: number; to: number}): Promise<{ms: number; packets: number; retries: number}>;
	remove(request: {node: number; from: number; to: number}): Promise<{ms: number}>;
	search(request: {node: number; query: string; content?: string}): Promise<{
		first: number;
		ms: number;
		hits: number;
		found: boolean;
		error?: string;
	}>;
	/** `loop`: milliseconds that its event loop was held since the last such question. */
	stats(request: object): Promise<{
		rss: number;
		records: number[];
		nodes: number[];
		loop: {p99: number; most: number};
	}>;
	stop(request: object): Promise<object>;
};

const vocabulary = Array.from({length: 4000}, (_, index) => {
	const letters = createHash('sha256').update(`word ${index}`).digest();
	return [...letters.subarray(0, 4 + (index % 5))].map(byte => String.fromCharCode(97 + (byte % 26))).join('');
});
/** Common words are much more common than others, as in real names. */
const wordAt = (random: number) => vocabulary[Math.floor(vocabulary.length * random ** 3)]!;
const endings = ['flac', 'mp3', 'jpg', 'pdf', 'mkv', 'txt'];

/** The n-th file of the benchmark: a name of three words of a vocabulary and a number, in one of many folders. */
export function fileOf(index: number): {path: string; size: number; content: string; words: string[]} {
	const random = createHash('sha256').update(`file ${index}`).digest();
	const words = [0, 4, 8].map(at => wordAt(random.readUInt32BE(at) / 2 ** 32));
	const folder = vocabulary[Math.floor(index / 50) % vocabulary.length];
	const name = `${words.join(' ')} ${String(index).padStart(6, '0')}.${endings[index % endings.length]}`;
	return {path: `share/${folder}/${name}`, size: 1000 + index, content: random.toString('hex'), words};
}

/** A catalog that holds what it is told, and of each path tells the newest change only. */
class Files {
	readonly epoch = '0'.repeat(32);
	version = 0;
	bytes = 0;
	readonly #changes: Array<CatalogChange | undefined> = [];
	readonly #present = new Map<string, number>();

	get files(): number {
		return this.#present.size;
	}

	/** Others get their turns meanwhile: to make ninety thousand names up takes 0.4 s. */
	async add(from: number, to: number): Promise<void> {
		for (let index = from; index < to; index++) {
			if (index % 500 === 499) await setImmediate();
			const {path: place, size, content} = fileOf(index);
			this.#present.set(place, this.#changes.push({op: 'add', path: place, size, content}) - 1);
			this.bytes += size;
		}
		this.version = this.#changes.length;
	}

	remove(from: number, to: number): void {
		for (let index = from; index < to; index++) {
			const {path: place} = fileOf(index);
			const added = this.#present.get(place);
			if (added !== undefined) this.#changes[added] = undefined;
			this.#changes.push({op: 'remove', path: place});
			this.#present.delete(place);
		}
		this.version = this.#changes.length;
	}

	changesSince(version: number, limit: number) {
		const to = Math.min(this.#changes.length, version + limit);
		const changes = this.#changes.slice(version, to).filter(change => change !== undefined);
		return {epoch: this.epoch, changes, to, last: to === this.version};
	}
}

type Running = DhtTestNode & {files: Files};

/** @param folder for what its nodes keep; whoever started it removes it */
function serve(folder: string): void {
	const running: Running[] = [];
	// Of its own: the system gives a killed node's port to another test, whose nodes are then taken for it.
	const network = `started by ${process.ppid}`;
	const begin = async (bootstrap: number[], host: string) => {
		const files = new Files();
		const dataDir = path.join(folder, String(running.length));
		const name = `node-${process.pid}-${running.length}`;
		const node = await startDhtNode({name, dataDir, catalog: files, bootstrap, host, network});
		running.push({...node, files});
		return node.dht.port;
	};
	const published = (bus: EngineBus) =>
		new Promise<void>(resolve => {
			const off = bus.on('registered', () => {
				off();
				resolve();
			});
		});
	const delays = monitorEventLoopDelay({resolution: 1});
	delays.enable();
	const commands: GroupCommands = {
		async start({count, bootstrap, host = '127.0.0.1'}) {
			const [ports, ms]: [number[], number[]] = [[], []];
			for (let index = 0; index < count; index++) {
				const started = performance.now();
				ports.push(await begin(bootstrap.length > 0 ? bootstrap : ports.slice(0, 1), host));
				ms.push(performance.now() - started);
			}
			const started = running.slice(-count);
			return {ports, ms, doors: started.map(({port}) => port), ids: started.map(({identity}) => identity.id)};
		},
		async publish({node, from, to}) {
			const {dht, files, bus} = running[node]!;
			const before = {...dht.requests};
			await files.add(from, to);
			const done = published(bus);
			const started = performance.now();
			dht.catalogChanged();
			await done;
			const {total, retries} = dht.requests;
			return {ms: performance.now() - started, packets: total - before.total, retries: retries - before.retries};
		},
		async remove({node, from, to}) {
			const {dht, files, bus} = running[node]!;
			const done = published(bus);
			const started = performance.now();
			files.remove(from, to);
			dht.catalogChanged();
			await done;
			return {ms: performance.now() - started};
		},
		async search({node, query, content}) {
			const started = performance.now();
			let first = Number.POSITIVE_INFINITY;
			try {
				const {hits} = await running[node]!.dht.search(query, {
					first: () => {
						first = performance.now() - started;
					},
				});
				const found = content === undefined || hits.some(hit => hit.content === content);
				return {first, ms: performance.now() - started, hits: hits.length, found};
			} catch (error) {
				return {first, ms: performance.now() - started, hits: 0, found: false, error: String(error)};
			}
		},
		async stats() {
			const loop = {p99: delays.percentile(99) / 1e6, most: delays.max / 1e6};
			delays.reset();
			return {
				...{rss: process.memoryUsage().rss, loop},
				records: running.map(({dht}) => dht.records),
				nodes: running.map(({dht}) => dht.nodes),
			};
		},
		async stop() {
			await Promise.all(running.map(node => node.stop()));
			setTimeout(() => process.exit(0), 10);
			return {};
		},
	};
	process.on('message', async ({id, name, request}: {id: number; name: keyof GroupCommands; request: never}) => {
		try {
			process.send!({id, answer: await (commands[name] as (request: never) => Promise<object>)(request)});
		} catch (error) {
			process.send!({id, error: error instanceof Error ? error.stack : String(error)});
		}
	});
	process.on('disconnect', () => process.exit(0));
}

/** A group as its parent sees it. */
export type Group = {
	child: ChildProcess;
	tell<K extends keyof GroupCommands>(
		name: K,
		request: Parameters<GroupCommands[K]>[0],
	): Promise<Awaited<ReturnType<GroupCommands[K]>>>;
	/** Ends it without a word to anybody. */
	kill(): Promise<void>;
};

/** Starts an empty group. */
export function startGroup(): Group {
	const folder = mkdtempSync(path.join(tmpdir(), 'p2p-tui-dht-'));
	const child = fork(fileURLToPath(import.meta.url), ['serve', folder], {
		execArgv: ['--disable-warning=ExperimentalWarning'],
		env: {...process.env, P2P_TUI_MDNS: 'off'},
	});
	const waiting = new Map<number, {resolve(value: never): void; reject(error: Error): void}>();
	child.on('message', ({id, answer, error}: {id: number; answer: never; error?: string}) => {
		const waiter = waiting.get(id);
		waiting.delete(id);
		if (error === undefined) waiter?.resolve(answer);
		else waiter?.reject(new Error(error));
	});
	const ended = new Promise<void>(resolve =>
		child.once('exit', () => {
			rmSync(folder, {recursive: true, force: true});
			resolve();
		}),
	);
	void ended.then(() => {
		for (const {reject} of waiting.values()) reject(new Error('the group ended'));
	});
	let next = 0;
	return {
		child,
		tell: (name, request) =>
			new Promise((resolve, reject) => {
				const id = next++;
				waiting.set(id, {resolve, reject});
				child.send({id, name, request});
			}),
		async kill() {
			child.kill('SIGKILL');
			await ended;
		},
	};
}

if (process.argv[2] === 'serve' && process.send) serve(process.argv[3]!);
