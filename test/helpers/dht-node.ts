// A node of the table in this process, with a real file server beside it that has no bytes to send: others bring there
// what the node is to keep.
import {EngineBus} from '../../source/core/events.ts';
import {Dht, type DhtShare} from '../../source/dht/dht.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import type {ServedCatalog} from '../../source/upload/served-catalog.ts';
import {createUploadServer} from '../../source/upload/upload-server.ts';

/** Of a file server that has no bytes to send. */
export const nothingServed: ServedCatalog = {
	find: () => [],
	pieceLayer: () => undefined,
	partial: () => undefined,
	browse: () => undefined,
	search: () => ({entries: []}),
	totals: () => ({files: 0, bytes: 0}),
	changed: () => undefined,
};

/** A running node. */
export type DhtTestNode = {
	dht: Dht;
	bus: EngineBus;
	identity: Identity;
	/** Of its file server. */
	port: number;
	stop(): Promise<void>;
};

/** Starts one. @param door the port that it names for lists of files, where it is not its file server's */
export async function startDhtNode(options: {
	name: string;
	dataDir: string;
	catalog: DhtShare['catalog'];
	/** UDP ports of other nodes. */
	bootstrap?: number[];
	host?: string;
	door?: number;
	identity?: Identity;
	network?: string;
}): Promise<DhtTestNode> {
	const {name, dataDir, catalog, bootstrap = [], host = '127.0.0.1', door, network} = options;
	const [bus, identity] = [new EngineBus(), options.identity ?? (await temporaryIdentity())];
	let dht: Dht | undefined;
	const server = createUploadServer({
		...{identity, name, version: '0', bus, catalog: nothingServed},
		table: () => dht && ((peer, from, body) => dht!.take(peer, from, body)),
	});
	const {port} = await server.start({host, port: 0, defaultPort: 0});
	const client = new SecureClient(identity);
	dht = await Dht.start({
		...{identity, bus, dataDir, host, keeps: true, client, door: door ?? port, network},
		bootstrap: bootstrap.map(other => ({host, port: other})),
		share: {catalog, name, port, host},
	});
	const stop = async () => {
		await dht?.stop();
		await client.close();
		await server.stop();
	};
	return {dht, bus, identity, port, stop};
}
