import {sharePathLimits} from '../core/share-path.ts';

/**
 * Every limit on what a stranger may send or ask for, with its reason. Bytes, counts, milliseconds or seconds as the
 * name says.
 */
export const limits = {
	/** A nickname: fits a column and any log line. */
	nameLength: 64,
	/** A path inside a share, in UTF-8 bytes: what Linux and macOS can hold is 4,096; deeper is a mistake or an attack. */
	pathBytes: sharePathLimits.bytes,
	/** One component of a path, in UTF-8 bytes: the limit of ext4, APFS and NTFS. */
	componentBytes: sharePathLimits.componentBytes,
	/** Components of a path: deeper trees are a mistake or an attack on whoever walks them. */
	pathDepth: sharePathLimits.depth,
	/** A host: the longest name that DNS knows. */
	hostLength: 253,
	/** Largest file, in bytes: a number that JavaScript counts exactly. */
	fileSize: Number.MAX_SAFE_INTEGER,
	/** Largest file that is downloaded, in bytes: 32 TiB, twice what ext4 holds; its hashes must fit `pieceLayerBytes`. */
	downloadSize: 2 ** 45,
	/** A search as typed, in characters. */
	queryLength: 256,
	/** Words in one search: an FTS query cannot be interrupted, so its work is bounded beforehand. */
	queryTerms: 16,
	/** Files of a folder that is downloaded as one: their list is held in memory. */
	folderFiles: 1_000_000,
	/** Contents that are read for one page of a search: what is found but does not match in the end is bounded work. */
	searchReads: 1000,
	/** Rows of the full-text index that are passed over for one page, as nobody online has them. */
	searchPassed: 40_000,
	/** Most hits in one answer. */
	searchPage: 200,
	/** Hits when the caller does not say. */
	searchDefault: 25,
	/** Milliseconds that searches may have waited at an index server before further ones are put off (`busy`). */
	searchQueue: 2000,
	/** Sources named for one content that is asked for by its ID; the rest are counted. */
	sourcesPerHit: 50,
	/** Sources named for one hit when the caller does not say: hits with all of theirs would be a megabyte a keystroke. */
	sourcesPerSearchHit: 4,
	/** Sources that a download keeps: a server that names others without end costs no more memory than that. */
	sourcesPerDownload: 256,
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
	catalogBatch: 20_000,
	/** Files of one peer, unless the operator says otherwise (`--max-files-per-peer`). */
	filesPerPeer: 5_000_000,
	/** Rejected lines that are named in the answer to a catalog upload; the rest are counted. */
	rejectedNamed: 100,
	/** Announced addresses of one peer. */
	addressesPerPeer: 8,
	/** Largest piece layer, in bytes: it is held in memory before it can be checked. Enough for `downloadSize`. */
	pieceLayerBytes: 64 * 1024 * 1024 + 512 * 1024,
	/** Different names that are searchable for one content: past them it is spam. */
	namesPerContent: 16,
	/** A cursor of the list of peers or of a folder, in characters: the longest path twice, escaped. */
	cursorLength: 16_384,
	/** A cursor of a search, in characters. */
	searchCursorLength: 1024,
	/** The name of a box that somebody types into, in characters: random, so that no other's search is dropped for it. */
	typingLength: 32,
	/** Decompressed bytes per compressed byte of a catalog: ten times what a real one reaches, a tenth of what a bomb does. */
	inflation: 100,
	/** Decompressed bytes that are let through before that ratio counts. */
	inflationFree: 1024 * 1024,
	/** Decompressed bytes of a whole catalog upload, per file of `filesPerPeer`. */
	catalogBytesPerFile: 600,
	/** Memory that one zstd stream may ask for to be decompressed, as a power of two: a frame may ask for 128 MiB. */
	zstdWindowLog: 23,
	/**
	 * Changes in columns (index/compact-changes.ts), which are held in memory whole: how many, in how many bytes; how many
	 * such uploads look up paths at once, and wait for that before further ones are told to send lines.
	 */
	compactChanges: 25_000,
	compactBytes: 4 * 1024 * 1024,
	compactLookups: 2,
	compactWaiting: 16,
	/** Catalog uploads that run at once: each holds a few batches and a decompressor. More wait for their turn. */
	catalogUploads: 64,
	/** Those of one address that run or wait: more are asked to come again. */
	catalogUploadsPerAddress: 32,
	/** Bytes a second that a catalog upload must come in at, once it was waited for so many milliseconds. */
	catalogRate: 512,
	catalogPatience: 30_000,
	/** Milliseconds that a request's JSON body may take to come in whole. */
	requestBody: 15_000,
	/** Pages of a list that a client follows: a server that always has another one has no list. */
	pages: 10_000,
	/** One server-sent event, in characters: far more than any of ours. */
	eventLength: 64 * 1024,
	/** Peers that a peer keeps of a server's list. */
	peersKept: 20_000,
	/** Registered peers of a server, also those that are offline: some 300 MB. */
	peersPerServer: 1_000_000,
	/** Bytes that may wait for one listener of events before it is dropped as not reading. */
	eventsWaiting: 1024 * 1024,
	/** Pings that a listener with a full connection may miss. */
	missedPings: 3,
	/** Milliseconds between two `peer-updated` of one peer: each goes to everybody. */
	peerUpdates: 1000,
	/** Lease seconds that a peer believes: less would make it call without pause, more would overflow a timer. */
	leaseLeast: 0.1,
	leaseMost: 24 * 3600,
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
	/** Milliseconds that a whole request may take to come in, catalogs of millions over a slow line too; stalls end sooner. */
	indexRequest: 60 * 60 * 1000,
	/** Index servers that a look around the LAN takes in: more is somebody who floods it. */
	serversFound: 256,
	/** Milliseconds that a TLS handshake may take, seen from who listens. */
	handshake: 10_000,
	/** Connections without a finished TLS handshake at a time; beyond, the oldest of
	 * the address with most of them gives way. Room for two thousand peers that come at once from one machine. */
	halfOpen: 2048,
	/** Milliseconds that a connection may be unused between two requests. */
	keepAlive: 60_000,
	/** Milliseconds for whoever sent what is no HTTP to read why. */
	hangUp: 1000,
	/** The head of an answer that a download reads, in bytes. */
	answerHead: 16 * 1024,
	/** The body of a source's refusal, in bytes. */
	errorBody: 64 * 1024,
	/** A message that another program sends to be shown, in characters. */
	messageLength: 500,
	/** The `details` of another program's error, as JSON, in characters; more is left out. */
	detailsLength: 16 * 1024,
	/** Files of at most this size need no upload slot, in bytes: making them wait costs more than sending them. */
	slotFree: 64 * 1024,
	/** Contents that one call asks for, each of at most `slotFree` bytes: 8 KiB of the 16 that a request's head may have. */
	filesCall: 128,
	/** Bytes of all files that one call is answered with: they are read before the first of them goes out. */
	filesCallBytes: 1024 * 1024,
	/** Seconds that a busy source may ask a download to wait. */
	retryAfter: 300,
	/** Bytes a second that a reader must take while others wait for a slot or a buffer: a line of 128 kbit/s does. */
	readRate: 16 * 1024,
	/** Milliseconds that it is forgiven on top. */
	readPatience: 15_000,
	/** Peers that wait for an upload slot. */
	uploadQueue: 10_000,
	/** Pieces of a file that an upload counts apart: who asks for every other byte is not worth more memory. */
	sentRanges: 8192,
	/** Targets to which connections are kept. */
	pools: 256,
	/** Calls of one peer to an index server: generous for people and their programs. */
	callsPerPeer: {perSecond: 50, burst: 200},
	/** Calls of one address to an index server: a whole office may sit behind it. */
	callsPerAddress: {perSecond: 500, burst: 2000},
	/** New peer IDs from one address: a classroom at once, and then as many as people make. */
	newPeersPerAddress: {perSecond: 0.2, burst: 200},
	/** Searches and listings of one caller at a peer: each may walk the whole catalog. */
	questionsPerCaller: {perSecond: 10, burst: 50},
	/** Searches that a peer walks its catalog for at once. */
	questionsAtOnce: 4,
	/** Callers that are counted apart; past them the fullest buckets are forgotten, which only ever forgives. */
	rateBuckets: 50_000,
	/** Connections of one address to an index server. */
	serverConnectionsPerAddress: 256,
	/** Tries to reach one peer where it says it is. */
	triesPerPeer: {perSecond: 1 / 15, burst: 8},
	/** Tries to reach the peers of one address, at any port of it. */
	triesPerAddress: {perSecond: 2, burst: 256},
	/** Tries at an address that somebody at another one announced, whoever did. */
	triesElsewhere: {perSecond: 0.1, burst: 16},
	/** Tries that run at the same time, so that a thousand peers that come back at once cost no more than a few. */
	triesAtOnce: 8,
	/** Tries that may wait; past them a peer is tried when it renews. */
	triesWaiting: 2000,
	/** Milliseconds for one address. */
	tryPatience: 4000,
	/** Milliseconds that the result of a try counts. */
	tryAge: 5 * 60_000,
	/** Milliseconds between two log lines with the same cause. */
	logQuiet: 60_000,
	/** Log lines about strangers in that time, whatever their causes. */
	logLines: 60,
	/** Causes that are remembered. */
	logCauses: 1000,
	/** What a node of the distributed table keeps at most, so that no publisher, address or word fills it alone. */
	tableKeeps: {
		/** Records of one publisher. */
		publisher: 250_000,
		/** Records of all publishers behind one address: many peers share one. */
		address: 500_000,
		/** Files under one word; what comes after goes to the parts of the word. */
		word: 20_000,
		/** Of those, from one publisher. */
		wordOfPublisher: 10_000,
		/** Records in all. */
		records: 2_000_000,
		/** Peers. */
		presences: 20_000,
	},
	/** What a node of the distributed table takes from others in one go, or remembers of them. */
	table: {
		/** Files that one body brings over TLS, its bytes, and bodies that wait their turn. */
		filesAtOnce: 1024,
		bodyBytes: 512 * 1024,
		waitingBodies: 32,
		/** Packets of others that wait for the thread which keeps files: more are refused. */
		waitingPackets: 2000,
		/** Nodes of which it is remembered where they take such bodies. */
		doors: 2000,
		/** Streams through NATs that this peer takes at once, from all peers: each is a connection to its file server. */
		streams: 256,
		/** Pages that one node is asked for: more than a screen shows. */
		pages: 200,
		/** Peers that are remembered. */
		peers: 20_000,
		/** Nodes whose tokens are remembered. */
		tokens: 2000,
		/** Files that one question looks through at most: then it answers how far it came. */
		looksAt: 600,
		/** The same, where the database finds by itself those that may fit. */
		filters: 2000,
		/** Words that a question for the start of one goes through. */
		wordsAtOnce: 32,
		/** Furthest into the future that a record may be signed, or live, in seconds. */
		clockSkew: 600,
		/** Seconds that a record may live. */
		longestLife: 25 * 3600,
		/** Nodes of a large network that are remembered for its repair: what lies beyond waits for the next sweep of everything. */
		seen: 10_000,
		/** Keys whose keepers are remembered. */
		regions: 20_000,
		/** Public keys that are kept ready to check signatures with. */
		keys: 5000,
		/** Addresses in the word of one peer about itself. */
		addresses: 6,
		/** Peers of which it is remembered how they were reached. */
		ways: 1000,
		/** Peers whose places are asked for at once, and sources of one content that are asked for. */
		sources: 50,
	},
	/** Bytes of a batch of a cluster's log that is read: ten times what the longest paths of a batch come to is a mistake. */
	logBatch: 256 * 1024 * 1024,
	/** Connections that one process serves at once. */
	connections: 4096,
	/** Connections of one address to a peer: a classroom behind one router has room, and one machine cannot take all. */
	connectionsPerAddress: 512,
} as const;
