// What a place in the table is made of.
import type {KeyObject} from 'node:crypto';
import type {EngineBus} from '../core/events.ts';
import type {SecureClient} from '../net/secure-client.ts';
import type {NodeAddress} from './node.ts';
import type {PublishedCatalog} from './publisher.ts';
import type {Probe} from './reach.ts';

/** What is published of a peer. */
export type DhtShare = {
	catalog: PublishedCatalog & {readonly bytes: number};
	name: string;
	/** Port of its file server, and the address that it listens on where that is not all of them. */
	port: number;
	host?: string;
};

export type DhtOptions = {
	identity: {id: string; privateKey: KeyObject};
	client: SecureClient;
	bus: EngineBus;
	dataDir: string;
	/** Networks of different names do not see each other. */
	network?: string;
	/** Of a private network: 32 bytes that only its members have. */
	networkKey?: Uint8Array;
	/** Nodes that are named, index servers among them. */
	bootstrap: NodeAddress[];
	/** Local address of its UDP socket; undefined: all. */
	host?: string;
	/** How it is called beside others, of other networks; absent: `DHT`. */
	label?: string;
	/** UDP port; another one is taken when it is in use. Undefined: the system chooses. */
	port?: number;
	/** TCP port of the HTTPS server of this identity that passes on to {@link Dht.take}; undefined: there is none. */
	door?: number;
	/** Keeps a part of the table for others; a one-shot command does not. */
	keeps: boolean;
	/** Tries who answers at an address; absent: peers are taken to be where they say. */
	probe?: Probe;
	/** What it publishes; a server and a command publish nothing. */
	share?: DhtShare;
};

/** How it stands, in the form of a link to an index server. */
export type DhtLink = {address: string; state: 'connecting' | 'online' | 'lost'; number?: number; message?: string};
