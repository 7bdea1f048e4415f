/**
 * Every limit on what a stranger may send or ask for, with its reason. Bytes, counts, milliseconds or seconds as the
 * name says.
 */
export const limits = {
	/** A nickname: fits a column and any log line. */
	nameLength: 64,
	/** A path inside a share, in UTF-8 bytes: what Linux and macOS can hold is 4,096; deeper is a mistake or an attack. */
	pathBytes: 4096,
	/** One component of a path, in UTF-8 bytes: the limit of ext4, APFS and NTFS. */
	componentBytes: 255,
	/** Largest file, in bytes: a number that JavaScript counts exactly. */
	fileSize: Number.MAX_SAFE_INTEGER,
	/** A search as typed, in characters. */
	queryLength: 256,
	/** Words in one search: an FTS query cannot be interrupted, so its work is bounded beforehand. */
	queryTerms: 16,
	/** Files of a folder that is downloaded as one: their list is held in memory. */
	folderFiles: 1_000_000,
	/** Most hits in one answer. */
	searchPage: 200,
	/** Hits when the caller does not say. */
	searchDefault: 50,
	/** Sources named for one content that is asked for by its ID; the rest are counted. */
	sourcesPerHit: 50,
	/** Sources named for one hit when the caller does not say: fifty hits with all of theirs would be a megabyte a keystroke. */
	sourcesPerSearchHit: 8,
	/** Contents of which one peer announces that it holds parts: what downloads at once, with room to spare. */
	partialsPerPeer: 256,
	/** Entries in one page of a folder listing. */
	browsePage: 1000,
	/** Peers in one page of the list of peers. */
	peersPage: 1000,
	/** A JSON request body that is not a catalog, in bytes. */
	jsonBody: 64 * 1024,
	/** A JSON answer that a client will read, in bytes. */
	jsonAnswer: 16 * 1024 * 1024,
	/** One line of a catalog upload, in bytes: path, content ID and numbers, with room for escapes. */
	catalogLine: 32 * 1024,
	/** Changes that the server takes in at once before it answers the rest: bounds memory and transaction length. */
	catalogBatch: 10_000,
	/** Files of one peer. */
	filesPerPeer: 5_000_000,
	/** Rejected lines that are named in the answer to a catalog upload; the rest are counted. */
	rejectedNamed: 100,
	/** Announced addresses of one peer. */
	addressesPerPeer: 8,
	/** Largest piece layer, in bytes: 1 PiB of 16 MiB pieces. */
	pieceLayerBytes: 2 * 1024 * 1024 * 1024,
	/** Seconds that a registration stands without being renewed, which is how long a pulled cable goes unnoticed. */
	leaseSeconds: 15,
	/** Seconds that a membership of a private network is good for: how long a removed member that nobody heard of is served. */
	membershipLife: 3600,
	/** Seconds by which the clocks of two members may differ, as the server's clock has come to them. */
	membershipSkew: 120,
	/** Memberships in one header: a peer may be in several private networks. */
	membershipsShown: 8,
	/** Wrong invites of one address, a second and at once: the secret has 100 bits, this keeps the log short. */
	invitesWrong: {perSecond: 0.2, burst: 10},
	/** Peers that one invite may let in. */
	inviteUses: 10_000,
	/** Days that an invite may stand. */
	inviteDays: 3650,
	/** Milliseconds between comments on an event stream, so that both ends notice a dead connection. */
	eventPing: 5000,
	/** Milliseconds to connect and finish the TLS handshake. */
	connectTimeout: 5000,
	/** Milliseconds to wait for an answer's headers. */
	headersTimeout: 15_000,
	/** Milliseconds without a byte of a body. */
	bodyTimeout: 15_000,
	/** Milliseconds that a request's headers may take to come in; slower senders are cut off. */
	requestHeaders: 10_000,
	/** Index servers that a look around the LAN takes in: more is somebody who floods it. */
	serversFound: 256,
	/** Connections that one process serves at once. */
	connections: 4096,
	/** Connections of one address to a peer: a classroom behind one router has room, and one machine cannot take all. */
	connectionsPerAddress: 512,
} as const;
