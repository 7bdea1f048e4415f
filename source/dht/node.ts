// A node of the table: HyperDHT with our two commands, on a network of our own.
import {isIPv4} from 'node:net';
import {networkInterfaces} from 'node:os';
import HyperDHT, {type IncomingRequest, type NodeAddress, type Reply, type TableNode} from 'hyperdht';
import {errorLine} from '../core/errors.ts';
import {WrongBytes} from './keeper-thread.ts';
import {commands, type Door, foreignNetwork, refused, writeDoor} from './messages.ts';
import type {NetworkKey} from './network-key.ts';
import type {RemoteKeeper} from './remote-keeper.ts';

export type {NodeAddress, TableNode} from 'hyperdht';

/** What a node is started with. */
export type NodeOptions = {
	/** Local address; undefined: all. */
	host?: string;
	/** Wished for; another one is taken when it is in use. Undefined: the system chooses. */
	port?: number;
	key: NetworkKey;
	/** First 32 bytes of the Ed25519 secret key: the node has the peer's identity. */
	seed: Buffer;
	/** Keeps a part of the table and answers for it; absent: it only asks. */
	keeper?: RemoteKeeper;
	/** Where it takes much at once. */
	door?: Door;
	/** Whether all nodes are in one private network: then every one of them is reachable and keeps a part at once. */
	lan: boolean;
	log(message: string): void;
};

/** Nodes that an address is kept on; and those that a lookup finds, HyperDHT's k. */
export const replicas = 8;
export const bucketSize = 20;
/** Milliseconds of one try of a request whose node has not been measured, by try. */
const tryMs = [300, 700, 1500];
/** Milliseconds in which a node that is there answers a first ping. */
const pingMs = 700;
/** The same, for the others once one has answered. */
const othersMs = 100;

/** Whether an IPv4 address is of a private network or this machine (RFC 1918, 3927, 6598). */
export function isPrivateAddress(host: string): boolean {
	return /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(
		host,
	);
}

/** This machine's IPv4 addresses in networks, not loopback. */
export function lanAddresses(): string[] {
	return Object.values(networkInterfaces())
		.flatMap(list => list ?? [])
		.filter(entry => entry.family === 'IPv4' && !entry.internal)
		.map(entry => entry.address);
}

class OurDht extends HyperDHT {
	answer: (request: IncomingRequest) => boolean = () => false;
	override onrequest(request: IncomingRequest): boolean {
		return this.answer(request) || super.onrequest(request);
	}
}

/** A running node. */
export class DhtNode {
	readonly #options: NodeOptions;
	readonly #dht: OurDht;
	/** Nodes that are of another network: they are not asked, and not kept in the table. */
	readonly #foreign = new Set<string>();

	private constructor(options: NodeOptions) {
		this.#options = options;
		const {host, port, seed, keeper, lan} = options;
		this.#dht = new OurDht({
			host: host ?? '0.0.0.0',
			port: port ? [port, port + 1] : [0, 0],
			bootstrap: [],
			keyPair: HyperDHT.keyPair(seed),
			...(lan && keeper && {ephemeral: false}),
			...(lan && {firewalled: false}),
			...(!keeper && {ephemeral: true}),
			maxSize: 4096,
			adaptiveTimeout: {min: 150, jitter: 50, fallback: tryMs},
		});
		this.#dht.answer = request => this.#answer(request);
		this.#dht._filterNode = node => !this.#foreign.has(addressOf(node));
	}

	/** Binds its socket. Nobody is known to it yet: see {@link join}. */
	static async start(options: NodeOptions): Promise<DhtNode> {
		const node = new DhtNode(options);
		await node.#dht.bind();
		await node.#dht.fullyBootstrapped();
		return node;
	}

	/** The UDP port that it listens on. */
	get port(): number {
		return this.#dht.io.serverSocket.address().port;
	}

	/** What others may name as bootstrap. */
	get address(): NodeAddress {
		return {host: this.#dht.host ?? this.#ownHost(), port: this.port};
	}

	/** Under which it keeps a part of the table; undefined while it keeps none. */
	get id(): Buffer | undefined {
		return this.#dht.ephemeral || !this.#options.keeper ? undefined : this.#dht.table.id;
	}

	/** How many other nodes it knows. */
	get size(): number {
		return this.#dht.nodes.length;
	}

	/** Whether the network is so small that everybody knows everybody. */
	get isSmall(): boolean {
		return this.size < bucketSize;
	}

	get requests(): {total: number; retries: number; timeouts: number} {
		return this.#dht.io.stats.requests;
	}

	/** For streams to peers: hole punching is HyperDHT's own. */
	get streams(): Pick<HyperDHT, 'createServer' | 'connect' | 'defaultKeyPair'> {
		return this.#dht;
	}

	/** All nodes it knows, as addresses. */
	known(): NodeAddress[] {
		return this.#dht.toArray();
	}

	/** Called with each node that is met (`there`) or lost, as long as this node runs. */
	onChange(listener: (node: TableNode, there: boolean) => void): void {
		this.#dht.on('add-node', node => listener(node, true));
		this.#dht.on('remove-node', node => listener(node, false));
	}

	/**
	 * Gets to know a network through any of its nodes, and becomes a node of it. With none that answers, this node is the
	 * first of its own.
	 *
	 * @returns how many of them answered
	 */
	async join(candidates: NodeAddress[]): Promise<number> {
		const own = new Set([this.#dht.host, this.#ownHost()].map(host => `${host}:${this.port}`));
		const others = candidates.filter(node => !own.has(addressOf(node)));
		const alive = await this.#pingAll(others);
		if (alive.length > 0) {
			const known = new Set(this.#dht.bootstrapNodes.map(addressOf));
			this.#dht.bootstrapNodes.push(...alive.filter(node => !known.has(addressOf(node))).slice(0, 20 - known.size));
		}
		await this.#becomeNode(alive.length > 0);
		if (alive.length > 0)
			await this.#dht
				.findNode(this.#dht.table.id)
				.finished()
				.catch(() => undefined);
		return alive.length;
	}

	/** Looks around anew, for nodes that came or went. */
	async refresh(): Promise<void> {
		await this.#dht
			.findNode(this.#dht.table.id)
			.finished()
			.catch(() => undefined);
	}

	/** Nodes that are closest to a target among those known to this node. */
	knownClosest(target: Buffer, count: number = bucketSize): TableNode[] {
		return this.#dht.table.closest(target, count);
	}

	/** Nodes closest to a target, found by asking, at most {@link bucketSize}, the closest first. */
	async findClosest(target: Buffer): Promise<TableNode[]> {
		if (this.isSmall && this.size > 0) return this.knownClosest(target);
		const query = this.#dht.findNode(target);
		await query.finished().catch(() => undefined);
		return query.closestReplies.map(reply => reply.from as TableNode);
	}

	/**
	 * One request of ours to one node.
	 *
	 * @returns the opened answer; `error` is the node's refusal, with a new token where it gave one
	 * @throws when it does not answer
	 */
	async request(
		node: NodeAddress & {id?: Buffer | null},
		command: number,
		message: Buffer,
		{token = null, target = null, retries = 2}: {token?: Buffer | null; target?: Buffer | null; retries?: number} = {},
	): Promise<{error: number; token: Buffer | null; value: Buffer | undefined}> {
		const request = this.#dht.io.createRequest(
			{id: node.id ?? null, host: node.host, port: node.port},
			token,
			false,
			command,
			target,
			this.#options.key.seal(message),
			null,
			0,
		);
		if (!request) throw new Error('The node was stopped');
		request.retries = retries;
		const reply = await new Promise<Reply>((resolve, reject) => {
			request.onresponse = resolve;
			request.onerror = reject;
			request.send();
		});
		return {error: reply.error, token: reply.token, value: this.#opened(reply)};
	}

	/**
	 * Asks the nodes on the way to a target and those closest to it, and yields each answer as it comes.
	 *
	 * @param signal ends it early
	 */
	async *ask(
		target: Buffer,
		command: number,
		message: Buffer,
		signal: AbortSignal,
	): AsyncGenerator<{node: NodeAddress & {id: Buffer | null}; value: Buffer}> {
		const query = this.#dht.query({target, command, value: this.#options.key.seal(message)}, {retries: 1});
		query.on('error', () => undefined);
		const stop = () => query.destroy();
		signal.addEventListener('abort', stop, {once: true});
		try {
			for await (const reply of query) {
				const value = this.#opened(reply);
				if (value && reply.error === 0) yield {node: reply.from, value};
				if (signal.aborted) return;
			}
		} catch (error) {
			if (!signal.aborted) this.#options.log(`DHT: a lookup ended: ${errorLine(error)}`);
		} finally {
			signal.removeEventListener('abort', stop);
			query.destroy();
		}
	}

	async stop(): Promise<void> {
		await this.#dht.destroy({force: true});
	}

	#opened(reply: Reply): Buffer | undefined {
		if (reply.error === foreignNetwork) {
			this.#foreign.add(addressOf(reply.from));
			const known = reply.from.id && this.#dht.table.get(reply.from.id);
			if (known) this.#dht._removeNode(known);
		}
		return this.#options.key.open(reply.value);
	}

	/** Those of the nodes that answer; when one has, the others have little time left. */
	async #pingAll(nodes: NodeAddress[]): Promise<NodeAddress[]> {
		const alive: NodeAddress[] = [];
		const enough = Promise.withResolvers<void>();
		const pings = nodes.map(async node => {
			try {
				await this.#dht.ping(node);
			} catch {
				return;
			}
			alive.push(node);
			setTimeout(enough.resolve, othersMs);
		});
		const late = setTimeout(enough.resolve, pingMs);
		await Promise.race([Promise.all(pings), enough.promise]);
		clearTimeout(late);
		return [...alive];
	}

	/** Takes the ID that its address gives it, and from then on keeps a part of the table. */
	async #becomeNode(isKnownToOthers: boolean): Promise<void> {
		if (!this.#dht.ephemeral || !this.#options.keeper || !this.#options.lan) return;
		if (!isKnownToOthers || this.#dht._nat.host === null) this.#dht._nat.add(this.#ownHost(), this.port);
		await this.#dht._updateNetworkState();
	}

	#ownHost(): string {
		const {host} = this.#options;
		if (host && isIPv4(host) && host !== '0.0.0.0') return host;
		return lanAddresses()[0] ?? '127.0.0.1';
	}

	#answer(request: IncomingRequest): boolean {
		if (request.command < commands.put || request.command > commands.door) return false;
		const {keeper, key, door} = this.#options;
		const message = key.open(request.value);
		if (!message) {
			request.error(foreignNetwork, {token: false, closerNodes: false});
			return true;
		}
		if (!keeper || !this.id) return false;
		if (request.command === commands.door) {
			if (door) request.reply(key.seal(writeDoor(door)), {token: false, closerNodes: false});
			else request.error(refused, {token: false, closerNodes: false});
		} else if (request.command === commands.put && !request.token) {
			// The signature must be over a token, which proves that the sender is where it says.
			request.error(refused, {token: true, closerNodes: false});
		} else void this.#ask(request, message, keeper, this.id);
		return true;
	}

	/** Answers with what the keeper says. */
	async #ask(request: IncomingRequest, message: Buffer, keeper: RemoteKeeper, id: Buffer): Promise<void> {
		const {command, token, from, target} = request;
		const isPut = command === commands.put;
		let answer: Buffer | undefined;
		try {
			answer = await (isPut ? keeper.put(message, id, token!, from.host) : keeper.get(message));
		} catch (error) {
			if (!(error instanceof WrongBytes)) this.#options.log(`DHT: ${errorLine(error)}`);
		}
		if (this.#dht.destroyed) return;
		if (answer) request.reply(this.#options.key.seal(answer), {token: isPut, closerNodes: !isPut && target !== null});
		else request.error(refused, {token: isPut, closerNodes: false});
	}
}

function addressOf({host, port}: NodeAddress): string {
	return `${host}:${port}`;
}
