// The names of all keys in the cluster. What is in braces decides the slot (Redis Cluster specification, "Hash tags"):
// keys that one script touches have the same.

/** Parts that peers are divided into: each has a log, and its peers' records beside it in the same slot. */
export const partitions = 32;
/** Parts that contents are divided into; see DESIGN section 6. */
/** Enough to spread over dozens of masters; the fewer, the more of a catalog's files share a command. */
const buckets = 256;

/** Changes of what is stored so that an older version must not touch it. */
export const formatVersion = 1;

/** The part of a peer: from its ID, which is a random key. */
export function partitionOf(peer: string): number {
	return Number.parseInt(peer.slice(0, 8), 16) % partitions;
}

/** The part of a content: from its ID, which is a hash. */
export function bucketOf(content: Buffer): number {
	return content.readUInt8(0) % buckets;
}

/** Every key. Content IDs go in as 32 bytes, peer IDs as hex. */
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
	/** Set: peers of a partition of whose registered files some are still to be taken out. */
	sweeps: (partition: number) => `sweep:{p${partition}}`,
	/** Lease of an index server; it goes when the server does. */
	server: (server: string) => `server:{s${server.slice(0, 16)}}`,
	/** Hash: peers that hold an event stream open at that server → since when; field `#` counts its changes. */
	here: (server: string) => `here:{s${server.slice(0, 16)}}`,
	/** Channel on which a server tells who came and went. */
	events: (server: string) => `events:{s${server.slice(0, 16)}}`,
	/** What the names of a bucket's keys have in common: `f:` and a byte of the content ID is a hash of content ID → record, */
	/** `s:` and the content ID a set of integers, who holds it; see {@link holderOf}. Many small hashes are stored compactly. */
	bucket: (bucket: number) => `{${bucket}}:`,
	/** The same for a group of a peer's paths: `c:` and six bits is a hash of path → generation and content ID. */
	paths: (peer: string, group: number) => `{${peer.slice(8, 12)}.${group}}:${peer}:`,
	/** Held by the server that heals the registry of files after a failover. */
	scrubbing: 'p2p:{meta}:scrubbing',
	/** Held by the server that takes a peer's old files out. */
	sweeping: (peer: string) => `sweeping:{p${partitionOf(peer)}}:${peer}`,
	/** Hash: peer number → peer ID. */
	numbered: (number: number) => `n:{${number % buckets}}`,
};

/** One holding as the set of a content's holders has it: the peer's number above, 32 bits of the path's hash below. */
export function holderOf(number: number, pathHash: Buffer): string {
	return String((BigInt(number) << 32n) | BigInt(pathHash.readUInt32BE(0)));
}

/** The peer number in a holding. */
export function numberOfHolder(holder: string): number {
	return Number(BigInt(holder) >> 32n);
}
