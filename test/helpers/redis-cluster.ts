// A real Redis Cluster on loopback, of redis-server processes with free ports and folders of their own.
import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {accessSync, constants, mkdtempSync, rmSync, statfsSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {createClient} from 'redis';
import {waitFor} from './wait-for.ts';

const run = promisify(execFile);
const host = '127.0.0.1';
const slots = 16_384;

/** How a cluster is made. `config`: further settings of every node, such as `--requirepass`. */
export type ClusterOptions = {
	masters?: number;
	/** Replicas of each master. */
	replicas?: number;
	config?: string[];
	/** Milliseconds after which a node that does not answer is taken for dead. */
	nodeTimeout?: number;
	password?: string;
	/** Their files are on a disk even where there is memory for them: moving slots writes each of them down. */
	onDisk?: boolean;
	/** Files in PEM: the nodes speak TLS only, and show this certificate. */
	tls?: {cert: string; key: string};
};

/** One redis-server. */
export type RedisNode = {
	readonly port: number;
	readonly id: string;
	readonly pid: number;
	/** Runs a command on this very node. */
	command(...parts: string[]): Promise<unknown>;
	/** kill -9. */
	kill(): Promise<void>;
	/** Stops answering, as a node that is cut off does; `resume` ends it. */
	freeze(): void;
	resume(): void;
	/** Starts it again on its ports and with its files. */
	restart(): Promise<void>;
};

/** A running cluster. */
export type RedisCluster = {
	nodes: RedisNode[];
	/** What `--store` takes: every node that was there at the start. */
	url: string;
	/** The nodes that are masters with slots now, as one that answers says. */
	masters(): Promise<RedisNode[]>;
	/** The master that holds a key now. */
	masterOf(key: string): Promise<RedisNode>;
	/** Adds an empty master. */
	addMaster(): Promise<RedisNode>;
	/** Spreads the slots over all masters, empty ones as well, with `redis-cli --cluster rebalance`. */
	rebalance(): Promise<void>;
	/** Empties every master. */
	flush(): Promise<void>;
	/** Bytes that all masters use for data. */
	memory(): Promise<number>;
	stop(): Promise<void>;
};

/** Whether the machine has redis-server; tests that need it say so where it is missing. */
export async function hasRedisServer(): Promise<boolean> {
	return run('redis-server', ['--version']).then(
		() => true,
		() => false,
	);
}

/** Starts a cluster and waits until all of it knows of all slots. @throws when redis-server is not installed */
export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
	const {masters = 3, replicas = 0} = options;
	const folder = mkdtempSync(path.join(options.onDisk ? tmpdir() : quickFolder(), 'p2p-redis-'));
	const nodes: Node[] = [];
	const clean = () => {
		for (const node of nodes) node.end();
		rmSync(folder, {recursive: true, force: true, maxRetries: 5});
	};
	process.once('exit', clean);
	const add = async () => {
		const node = new Node(path.join(folder, String(nodes.length)), options);
		nodes.push(node);
		await node.start();
		return node;
	};
	const stop = async () => {
		process.off('exit', clean);
		await Promise.all(nodes.map(node => node.kill()));
		clean();
	};
	try {
		await Promise.all(Array.from({length: masters * (1 + replicas)}, add));
		const [first] = nodes;
		if (!first) throw new Error('a cluster has one node at least');
		for (const [index, node] of nodes.slice(0, masters).entries()) {
			const [from, to] = [index, index + 1].map(part => Math.round((part * slots) / masters)) as [number, number];
			await node.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1));
			await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
		}
		for (const node of nodes.slice(1)) await node.meet(first);
		await waitFor('all nodes to know each other', () => allKnow(nodes));
		for (const [index, node] of nodes.slice(masters).entries())
			await node.command('CLUSTER', 'REPLICATE', nodes[index % masters]!.id);
		await waitFor('the cluster to be up', () => isUp(nodes));
		if (replicas > 0) await waitFor('the replicas to be in step', () => inStep(nodes.slice(masters)));
	} catch (error) {
		await stop();
		throw error;
	}

	const living = () => nodes.filter(node => node.answers);
	const shards = async () => {
		for (const node of living()) {
			const text = await node.command('CLUSTER', 'NODES').catch(() => undefined);
			if (typeof text === 'string') return text.trim().split('\n').map(readNodeLine);
		}
		throw new Error('no node answers');
	};
	const present = async () => {
		const owners = (await shards()).filter(line => line.isMaster && line.ranges.length > 0);
		return owners.flatMap(({id, ranges}) => {
			const node = nodes.find(one => one.id === id);
			return node ? [{node, ranges}] : [];
		});
	};
	const cli = (...parts: string[]) => run('redis-cli', [...parts, ...authArguments(options)], {timeout: 120_000});
	const auth = options.password ? `:${options.password}@` : '';
	return {
		nodes,
		url: `${options.tls ? 'rediss' : 'redis'}://${auth}${nodes.map(node => `${host}:${node.port}`).join(',')}`,
		masters: async () => (await present()).map(({node}) => node),
		async masterOf(key) {
			const slot = Number(await living()[0]?.command('CLUSTER', 'KEYSLOT', key));
			const owner = (await present()).find(({ranges}) => ranges.some(([from, to]) => from <= slot && slot <= to));
			if (!owner) throw new Error(`nobody holds ${key}`);
			return owner.node;
		},
		async addMaster() {
			const node = await add();
			await node.meet(living()[0]!);
			await waitFor('the new node to be known', () => allKnow(living()));
			// A node that has just joined takes nothing in for two seconds (CLUSTER_WRITABLE_DELAY).
			await waitFor('the new node to be up', () => isUp([node]));
			return node;
		},
		async rebalance() {
			const [node] = living();
			await cli('--cluster', 'rebalance', `${host}:${node?.port}`, '--cluster-use-empty-masters', '--cluster-yes');
		},
		async flush() {
			for (const {node} of await present()) await node.command('FLUSHALL');
		},
		async memory() {
			let bytes = 0;
			for (const {node} of await present()) {
				const text = String(await node.command('INFO', 'memory'));
				bytes += Number(/used_memory_dataset:(\d+)/.exec(text)?.[1] ?? 0);
				bytes += Number(/used_memory_overhead:(\d+)/.exec(text)?.[1] ?? 0);
				bytes -= Number(/used_memory_startup:(\d+)/.exec(text)?.[1] ?? 0);
			}
			return bytes;
		},
		stop,
	};
}

/** Where files are kept in memory, if there is much room; else the folder for temporary files. */
function quickFolder(): string {
	const memory = '/dev/shm';
	try {
		const {bavail, bsize} = statfsSync(memory);
		accessSync(memory, constants.W_OK);
		return bavail * bsize > 2 ** 30 ? memory : tmpdir();
	} catch {
		return tmpdir();
	}
}

type Client = {
	sendCommand(parts: string[]): Promise<unknown>;
	destroy(): void;
};

class Node implements RedisNode {
	port = 0;
	id = '';
	#busPort = 0;
	#frozen = false;
	readonly #folder: string;
	readonly #options: ClusterOptions;
	#child: ChildProcess | undefined;
	#client: Client | undefined;

	constructor(folder: string, options: ClusterOptions) {
		this.#folder = folder;
		this.#options = options;
	}

	get pid(): number {
		return this.#child?.pid ?? 0;
	}

	get answers(): boolean {
		return this.#child?.exitCode === null && this.#child.signalCode === null && !this.#frozen;
	}

	async start(): Promise<void> {
		await run('mkdir', ['-p', this.#folder]);
		// A port that another process takes between asking for it and using it is asked for again.
		for (let attempt = 0; ; attempt++) {
			if (this.port === 0 || attempt > 0) [this.port, this.#busPort] = await freePorts();
			try {
				await this.#launch();
				break;
			} catch (error) {
				if (attempt === 5) throw error;
			}
		}
		this.id = String(await this.command('CLUSTER', 'MYID'));
	}

	async #launch(): Promise<void> {
		const {nodeTimeout = 2000, config = [], password, tls} = this.#options;
		const settings = {
			port: tls ? 0 : this.port,
			'cluster-port': this.#busPort,
			bind: host,
			dir: this.#folder,
			'cluster-enabled': 'yes',
			'cluster-config-file': 'nodes.conf',
			'cluster-node-timeout': nodeTimeout,
			// A replica that was just synchronised may still take over.
			'cluster-replica-validity-factor': 0,
			'repl-diskless-sync-delay': 0,
			appendonly: 'yes',
			save: '',
			...(tls && {
				'tls-port': this.port,
				'tls-cluster': 'yes',
				'tls-replication': 'yes',
				'tls-auth-clients': 'no',
				'tls-cert-file': tls.cert,
				'tls-key-file': tls.key,
				'tls-ca-cert-file': tls.cert,
			}),
			...(password && {requirepass: password, masterauth: password}),
		};
		const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
		const child = spawn('redis-server', [...flags, ...config], {stdio: ['ignore', 'pipe', 'pipe']});
		this.#child = child;
		let out = '';
		child.stdout.setEncoding('utf8').on('data', text => {
			out = (out + text).slice(-4000);
		});
		await waitFor(`redis-server on port ${this.port}`, () => {
			if (child.exitCode !== null) return {failed: true};
			return /Ready to accept connections/.test(out) && {failed: false};
		}).then(({failed}) => {
			if (failed) throw new Error(`redis-server ended: ${out}`);
		});
	}

	async command(...parts: string[]): Promise<unknown> {
		if (!this.#client) {
			const plain = {host, port: this.port, reconnectStrategy: false as const, connectTimeout: 3000};
			const socket = this.#options.tls ? {...plain, tls: true as const, rejectUnauthorized: false} : plain;
			const client = createClient({socket, password: this.#options.password});
			client.on('error', () => {
				if (this.#client === client) this.#client = undefined;
			});
			await client.connect();
			this.#client = client;
		}
		return this.#client.sendCommand(parts);
	}

	async meet(other: Node): Promise<void> {
		await this.command('CLUSTER', 'MEET', host, String(other.port), String(other.#busPort));
	}

	end(): void {
		this.#client?.destroy();
		this.#client = undefined;
		if (this.#child?.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
	}

	async kill(): Promise<void> {
		const child = this.#child;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const exit = new Promise(resolve => child.once('exit', resolve));
		this.end();
		await exit;
	}

	freeze(): void {
		this.#frozen = true;
		this.#child?.kill('SIGSTOP');
	}

	resume(): void {
		this.#frozen = false;
		this.#child?.kill('SIGCONT');
	}

	async restart(): Promise<void> {
		await this.#launch();
	}
}

type NodeLine = {id: string; isMaster: boolean; ranges: [number, number][]};

/** A line of CLUSTER NODES: id, address, flags, master, ping, pong, epoch, link, slots. */
function readNodeLine(line: string): NodeLine {
	const [id = '', , flags = '', , , , , , ...held] = line.split(' ');
	const ranges = held.flatMap(text => {
		const match = /^(\d+)(?:-(\d+))?$/.exec(text);
		return match ? [[Number(match[1]), Number(match[2] ?? match[1])] as [number, number]] : [];
	});
	return {id, isMaster: /master/.test(flags) && !/fail(?!\?)/.test(flags), ranges};
}

async function allKnow(nodes: Node[]): Promise<boolean> {
	for (const node of nodes) {
		const lines = String(await node.command('CLUSTER', 'NODES'))
			.trim()
			.split('\n');
		if (lines.filter(line => !/handshake|noaddr/.test(line)).length < nodes.length) return false;
	}
	return true;
}

async function isUp(nodes: Node[]): Promise<boolean> {
	for (const node of nodes) {
		const info = String(await node.command('CLUSTER', 'INFO'));
		if (!info.includes('cluster_state:ok') || !info.includes(`cluster_slots_ok:${slots}`)) return false;
	}
	return true;
}

async function inStep(replicas: Node[]): Promise<boolean> {
	for (const node of replicas) {
		const info = String(await node.command('INFO', 'replication'));
		if (!info.includes('master_link_status:up')) return false;
	}
	return true;
}

function authArguments({password}: ClusterOptions): string[] {
	return password ? ['-a', password, '--no-auth-warning'] : [];
}

/** Two free ports, one for clients and one for the cluster's bus (which would be the port + 10000 by default). */
async function freePorts(): Promise<[number, number]> {
	const servers = [createServer(), createServer()];
	const ports = await Promise.all(
		servers.map(
			server =>
				new Promise<number>((resolve, reject) => {
					server.once('error', reject);
					server.listen(0, host, () => resolve((server.address() as {port: number}).port));
				}),
		),
	);
	await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
	return ports as [number, number];
}
