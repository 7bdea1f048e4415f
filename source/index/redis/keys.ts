// The names of all keys in the cluster. What is in braces decides the slot (Redis Cluster specification, "Hash tags"):
// keys that one script touches have the same.

/** Parts that peers are divided into: each has a log, and its peers' records beside it in the same slot. */
export const partitions = 32;
/**
 * Parts that contents are divided into (DESIGN section 6): enough to spread over dozens of masters; the fewer, the more of a
 * catalog's files share a command.
 */
export const buckets = 256;

/** Changes of what is stored so that an older version must not touch it. */
export const formatVersion = 2;

/** The part of a peer: from its ID, which is a random key. */
export function partitionOf(peer: string): number {
	return Number.parseInt(peer.slice(0, 8), 16) % partitions;
}

/** The part of a content: from its ID, which is a hash. */
export function bucketOf(content: string): number {
	return Number.parseInt(content.slice(0, 2), 16) % buckets;
}

/** Every key. Peer IDs go in as hex. */
export const keys = {
	/** Hash: format version, the cluster's ID, its lineage. */
	meta: 'p2p:{meta}',
	/** Hash: ID of each index server → when it was last seen and where it is, as JSON. */
	servers: 'p2p:{meta}:servers',
	/** Hash: the key, invites and members of a private network. */
	members: 'p2p:{members}',
	/** Hash: `#` how often an invite was used, and the peers that it let in here; it goes with the invite. */
	uses: (invite: string) => `p2p:{members}:uses:${invite}`,
	/** The last peer number that was given away. */
	numbers: 'p2p:{numbers}',
	/** Stream: what happened to the peers of a partition, in order. */
	log: (partition: number) => `log:{p${partition}}`,
	/** The first entry of a log that was not trimmed away. */
	trimmed: (partition: number) => `trimmed:{p${partition}}`,
	/** Hash: number, info, epoch, version… of one peer. */
	peer: (peer: string) => `peer:{p${partitionOf(peer)}}:${peer}`,
	/** Hash: peer of a partition → rows of its in the registry of files that say nothing any more; see compactor.ts. */
	dead: (partition: number) => `dead:{p${partition}}`,
	/** Lease of an index server; it goes when the server does. */
	server: (server: string) => `server:{s${server.slice(0, 16)}}`,
	/** Hash: peers that hold an event stream open at that server → since when; field `#` counts its changes. */
	here: (server: string) => `here:{s${server.slice(0, 16)}}`,
	/** Channel on which a server tells who came and went. */
	events: (server: string) => `events:{s${server.slice(0, 16)}}`,
	/** List: who holds the contents of a bucket, as chunks of rows in the order in which they came; see holding-rows.ts. */
	bucket: (bucket: number) => `f:{${bucket}}`,
	/** The same while it is written anew without what is over. */
	fresh: (bucket: number) => `g:{${bucket}}`,
	/** Held by the server that heals the registry of files after a failover. */
	scrubbing: 'p2p:{meta}:scrubbing',
	/** Held by the server that writes the registry of files anew. */
	compacting: 'p2p:{meta}:compacting',
	/** Hash: peer number → peer ID. */
	numbered: (number: number) => `n:{${number % buckets}}`,
};
