import type {InviteLink} from '../core/invite-link.ts';

/** What an index server is started with; the result of flags, environment and config file. */
export type ServerOptions = {
	/** Data folder: identity, database, logs. */
	dataDir: string;
	host?: string;
	/** As asked for; undefined: the default, which may move when it is taken. */
	port?: number;
	name: string;
	/** A server tells the LAN that it is there, unless this is false. */
	announce?: boolean;
	/** true: members only from now on; false: open from now on; undefined: as it was before, at first open. */
	private?: boolean;
	/** The Redis Cluster that holds the index; undefined: an SQLite file in the data folder. Index servers only. */
	store?: string;
	/** Most files of one peer, and days after which a peer that is not seen is forgotten. Index servers only. */
	maxFilesPerPeer?: number;
	retentionDays?: number;
	/** Takes part in the network without a server: the distributed hash table. */
	dht?: DhtSettings;
};

/** The distributed hash table as asked for. */
export type DhtSettings = {
	/** Networks of different names do not see each other; undefined: the usual one. */
	network?: string;
	/** Nodes that are named, as IPv4 address or host name and UDP port. */
	bootstrap: Array<{host: string; port: number}>;
};

/** What a peer is started with. */
export type PeerOptions = ServerOptions & {
	/** Index servers as HOST:PORT. */
	servers: string[];
	/** Those of them that were named by an invite link, with what it says. */
	invites?: InviteLink[];
	/** Absolute folders to share. */
	shares: string[];
	/** Absolute folder for finished downloads. */
	downloads: string;
	/** Put before the name of a finished download. */
	prefix: string;
	/** Bytes per second, all downloads and all uploads together; undefined: no limit. */
	limitDown?: number;
	limitUp?: number;
	/** Peers that are sent to at once. */
	slots?: number;
	/** Downloads that run at once. */
	running?: number;
};
