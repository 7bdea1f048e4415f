// What p2p-tui uses of hyperdht 6 and of dht-rpc below it, which come without types.
declare module 'hyperdht' {
	import type {EventEmitter} from 'node:events';
	import type {Duplex} from 'node:stream';

	export type NodeAddress = {host: string; port: number};
	/** A node of the routing table; `id` is BLAKE2b-256 of its IPv4 address and port. */
	export type TableNode = NodeAddress & {id: Buffer};
	export type KeyPair = {publicKey: Buffer; secretKey: Buffer};

	/** A request that came in. `from.id` is null for a node that does not store. */
	export type IncomingRequest = {
		from: NodeAddress & {id: Buffer | null};
		command: number;
		target: Buffer | null;
		value: Buffer | null;
		/** Checked already where it is there: it was given to this address a few seconds ago. */
		token: Buffer | null;
		reply(value: Buffer | null, options?: {token?: boolean; closerNodes?: boolean}): void;
		error(code: number, options?: {token?: boolean; closerNodes?: boolean}): void;
	};
	export type Reply = {
		from: NodeAddress & {id: Buffer | null};
		to: NodeAddress;
		token: Buffer | null;
		error: number;
		value: Buffer | null;
		rtt: number;
	};
	export type OutgoingRequest = {
		retries: number;
		onresponse(reply: Reply): void;
		onerror(error: Error): void;
		send(): void;
		destroy(error?: Error): void;
	};
	export type Query = AsyncIterable<Reply> & {
		closestReplies: Reply[];
		finished(): Promise<void>;
		destroy(): void;
		on(event: 'error', listener: (error: Error) => void): void;
	};
	export type Server = EventEmitter & {
		listen(keyPair: KeyPair): Promise<void>;
		close(): Promise<void>;
	};
	/** An encrypted stream; its other end has proved its key. */
	export type SecretStream = Duplex & {remotePublicKey: Buffer; opened: Promise<boolean>};

	export type Options = {
		host?: string;
		/** A range to try, its end left out; [0, 0]: the system chooses. */
		port?: [number, number];
		bootstrap: NodeAddress[];
		keyPair?: KeyPair;
		ephemeral?: boolean;
		firewalled?: boolean;
		maxSize?: number;
		adaptiveTimeout?: {min?: number; max?: number; jitter?: number; fallback?: number[]};
	};

	export default class HyperDHT extends EventEmitter {
		constructor(options: Options);
		static keyPair(seed: Buffer): KeyPair;
		/** Whether it stores nothing for others. */
		ephemeral: boolean;
		firewalled: boolean;
		destroyed: boolean;
		bootstrapNodes: NodeAddress[];
		host: string | null;
		defaultKeyPair: KeyPair;
		readonly table: {
			id: Buffer;
			closest(target: Buffer, count: number): TableNode[];
			get(id: Buffer): TableNode | null;
		};
		readonly nodes: {length: number};
		readonly io: {
			serverSocket: {address(): NodeAddress};
			stats: {requests: {total: number; retries: number; timeouts: number; active: number}};
			createRequest(
				to: NodeAddress & {id: Buffer | null},
				token: Buffer | null,
				internal: boolean,
				command: number,
				target: Buffer | null,
				value: Buffer | null,
				session: null,
				ttl: number,
			): OutgoingRequest | null;
		};
		/** The address that others see this node at, sampled. */
		readonly _nat: {add(host: string, port: number): void; host: string | null};
		_filterNode: ((node: NodeAddress) => boolean) | null;
		_updateNetworkState(onlyFirewall?: boolean): Promise<boolean>;
		_removeNode(node: TableNode): void;
		bind(): Promise<void>;
		fullyBootstrapped(): Promise<void>;
		ping(node: NodeAddress, options?: {retry?: boolean}): Promise<Reply>;
		findNode(target: Buffer): Query;
		query(
			request: {target: Buffer; command: number; value: Buffer},
			options?: {retries?: number; concurrency?: number},
		): Query;
		toArray(): NodeAddress[];
		createServer(onconnection: (stream: SecretStream) => void): Server;
		connect(publicKey: Buffer): SecretStream;
		onrequest(request: IncomingRequest): boolean;
		destroy(options?: {force?: boolean}): Promise<void>;
	}
}
