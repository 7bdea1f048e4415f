// Through NAT: HyperDHT's hole-punched, encrypted streams, as a way for the same TLS connections that go directly
// elsewhere. A local port stands for a peer behind a NAT; what connects to it comes out at that peer's file server.

import {connect, createServer, type Socket, type Server as TcpServer} from 'node:net';
import {pipeline} from 'node:stream';
import type HyperDHT from 'hyperdht';
import type {SecretStream, Server} from 'hyperdht';
import {limits} from '../api/limits.ts';
import {errorLine} from '../core/errors.ts';
import type {DhtNode, NodeAddress} from './node.ts';

/** Milliseconds until hole punching must have led to a stream. */
const punchMs = 12_000;
/** Milliseconds after which it is tried again to be found: there must be nodes to tell. */
const listenAgain = 10_000;

/** Ways to peers behind NATs, and the way to this one. */
export class Tunnels {
	readonly #dht: Pick<HyperDHT, 'createServer' | 'connect' | 'defaultKeyPair'>;
	readonly #log: (message: string) => void;
	readonly #open = new Map<string, {server: TcpServer; address: Promise<NodeAddress>}>();
	readonly #streams = new Set<SecretStream>();
	#server: Server | undefined;
	#again: NodeJS.Timeout | undefined;
	#stopped = false;

	constructor(node: Pick<DhtNode, 'streams'>, log: (message: string) => void) {
		this.#dht = node.streams;
		this.#log = log;
	}

	/** Lets others in: their streams end at the file server, which asks them who they are, as it asks everybody. */
	listen(fileServer: NodeAddress): void {
		this.#server = this.#dht.createServer(stream => {
			if (this.#streams.size >= limits.table.streams) return void stream.destroy();
			this.#join(stream, connect({host: fileServer.host, port: fileServer.port, noDelay: true}));
		});
		void this.#announce();
	}

	/** A local address that leads to the peer. The way is made when something connects there. */
	open(peer: string): Promise<NodeAddress> {
		const known = this.#open.get(peer);
		if (known) return known.address;
		const server = createServer(socket => {
			const stream = this.#dht.connect(Buffer.from(peer, 'hex'));
			const late = setTimeout(() => stream.destroy(new Error('no way through in time')), punchMs);
			stream.once('open', () => clearTimeout(late));
			stream.once('close', () => clearTimeout(late));
			stream.once('error', error => this.#log(`no stream to ${peer.slice(0, 8)}: ${errorLine(error)}`));
			this.#join(stream, socket);
		});
		const address = new Promise<NodeAddress>((resolve, reject) => {
			server.once('error', reject);
			server.listen(0, '127.0.0.1', () => {
				const bound = server.address();
				resolve({host: '127.0.0.1', port: typeof bound === 'object' && bound ? bound.port : 0});
			});
		});
		this.#open.set(peer, {server, address});
		return address;
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		clearTimeout(this.#again);
		for (const {server} of this.#open.values()) server.close();
		for (const stream of this.#streams) stream.destroy();
		await this.#server?.close().catch(() => undefined);
	}

	async #announce(): Promise<void> {
		try {
			await this.#server?.listen(this.#dht.defaultKeyPair);
		} catch (error) {
			this.#log(`not to be found behind a NAT yet: ${errorLine(error)}`);
			if (!this.#stopped) this.#again = setTimeout(() => void this.#announce(), listenAgain).unref();
		}
	}

	#join(stream: SecretStream, socket: Socket): void {
		this.#streams.add(stream);
		const ended = () => {
			this.#streams.delete(stream);
			stream.destroy();
			socket.destroy();
		};
		// Either end's failure is the other's end; who uses the connection tells what it means.
		pipeline(stream, socket, ended);
		pipeline(socket, stream, ended);
	}
}
