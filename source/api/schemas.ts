// The bodies of DESIGN section 5's calls. Each schema validates what is received and what is sent; the types are theirs.
import * as z from 'zod';
import {contentIdSchema, epochSchema, peerIdSchema} from './ids.ts';
import {limits} from './limits.ts';

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Bytes of many files: what peers claim may add up to more than JavaScript counts exactly, and must not end the answer. */
const sum = z.number().min(0);
const port = z.int().min(1).max(65_535);
const time = z.iso.datetime();
/** HOST:PORT. */
const addressText = z.string().max(300);
/** What another program calls itself, as answers carry it. */
const shortText = z.string().max(limits.componentBytes);
const cursor = z.string().max(limits.jsonBody);
const host = z.string().max(limits.hostLength);
const nickname = z.string().trim().min(1).max(limits.nameLength);
/** A catalog path as sent; `core/share-path.ts` says what it must look like. */
const path = z.string().min(1).max(limits.pathBytes);

/** What every failed call answers. `details` depends on the code. */
export const errorBodySchema = z.object({
	code: z.string(),
	message: z.string(),
	hint: z.string().optional(),
	details: z.record(z.string(), z.unknown()).optional(),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;

/** `GET /v1` of an index server. */
export const serverInfoSchema = z.object({
	kind: z.literal('server'),
	id: peerIdSchema,
	name: shortText,
	version: shortText,
	private: z.boolean(),
	peers: count,
	online: count,
	files: count,
	bytes: sum,
	/** There when several servers answer for the same network: only a `whole` one answers searches. */
	cluster: z.object({state: z.enum(['whole', 'catching-up', 'stale']), servers: z.int().min(1)}).optional(),
});
export type ServerInfo = z.infer<typeof serverInfoSchema>;

/** `GET /v1` of a peer. */
export const peerNodeInfoSchema = z.object({
	kind: z.literal('peer'),
	id: peerIdSchema,
	name: shortText,
	version: shortText,
	files: count,
	bytes: sum,
});
export type PeerNodeInfo = z.infer<typeof peerNodeInfoSchema>;

/** `GET /v1/files?contents=` of a peer: small files, answered as file-frames.ts says. Content IDs with commas between. */
export const filesQuerySchema = z.object({
	contents: z
		.string()
		.max(limits.filesCall * 65)
		.transform(text => text.split(','))
		.pipe(z.array(contentIdSchema).min(1).max(limits.filesCall)),
});

/** `GET /v1` of a private server, or of a peer in private networks, to who is no member: all that a stranger learns. */
export const privateInfoSchema = z.object({
	kind: z.enum(['server', 'peer']),
	id: peerIdSchema,
	private: z.literal(true),
});

export type PrivateInfo = z.infer<typeof privateInfoSchema>;

/** `PUT /v1/membership`: joins a private network by an invite's code, or renews the membership. */
export const membershipRequestSchema = z.object({invite: z.string().max(64).optional(), name: nickname.optional()});

/** Answer to `PUT /v1/membership`. */
export const membershipResponseSchema = z.object({
	/** For the header `P2P-Membership`: signed by the server, of use to the caller's key alone (identity/membership.ts). */
	membership: z.string().max(512),
	/** What the network is called: the server's name. */
	name: z.string().max(limits.nameLength),
	/** 32 random bytes in hex that only members know, made once for the network. */
	networkKey: peerIdSchema,
});
export type MembershipResponse = z.infer<typeof membershipResponseSchema>;

/**
 * `PUT /v1/peers/me`: register or renew. The host is the one the server sees unless `host` says otherwise. `host` and
 * `addresses` are IP addresses: a name can be made to mean anything.
 */
export const registerRequestSchema = z.object({
	name: nickname,
	port,
	host: host.min(1).optional(),
	addresses: z.array(addressText).max(limits.addressesPerPeer).optional(),
	epoch: epochSchema,
	version: count,
});
export type RegisterRequest = z.infer<typeof registerRequestSchema>;

/** The point in a peer's catalog up to which the server has taken in its changes; null: nothing yet. */
export const catalogPointSchema = z.object({epoch: epochSchema, version: count});
export type CatalogPoint = z.infer<typeof catalogPointSchema>;

/** Answer to `PUT /v1/peers/me`. */
export const registerResponseSchema = z.object({
	number: z.int().min(1),
	/** The address that the server will name to others, as HOST and port. */
	observed: z.object({host, port}),
	have: catalogPointSchema.nullable(),
	/** Seconds until the registration lapses when it is not renewed. */
	lease: z.number().positive(),
	/** Why the server could not connect to the peer at any of its addresses; not there until that has been tried. */
	problem: z.string().max(limits.messageLength).optional(),
	/** Whether it takes changes in columns; see index/compact-changes.ts. */
	compact: z.boolean().optional(),
});
export type RegisterResponse = z.infer<typeof registerResponseSchema>;

/** One line of the NDJSON body of `POST /v1/peers/me/files`. An add of a path that exists replaces it. */
export const catalogChangeSchema = z.discriminatedUnion('op', [
	z.object({
		op: z.literal('add'),
		path,
		size: z.int().min(0).max(limits.fileSize),
		content: contentIdSchema,
		/** Unix seconds. */ mtime: z.int().optional(),
	}),
	z.object({op: z.literal('remove'), path}),
]);
export type CatalogChange = z.infer<typeof catalogChangeSchema>;

/** Answer to `POST /v1/peers/me/files`. */
export const changesResponseSchema = z.object({
	have: catalogPointSchema,
	files: count,
	bytes: sum,
	rejected: z
		.array(z.object({line: count, code: shortText, message: z.string().max(limits.messageLength)}))
		.max(limits.rejectedNamed),
	/** All rejected lines, also those past the ones named. */
	rejectedCount: count,
});
export type ChangesResponse = z.infer<typeof changesResponseSchema>;

/** A registered peer. */
export const peerInfoSchema = z.object({
	id: peerIdSchema,
	number: z.int().min(1),
	name: shortText,
	host,
	port,
	files: count,
	bytes: sum,
	online: z.boolean(),
	/** When it came online, or was last seen. */
	since: time,
	/** All its addresses, as HOST:PORT, where there are several. */
	addresses: z
		.array(addressText)
		.max(limits.addressesPerPeer + 1)
		.optional(),
});
export type PeerInfo = z.infer<typeof peerInfoSchema>;

/** `GET /v1/peers`. */
export const peersResponseSchema = z.object({
	peers: z.array(peerInfoSchema).max(limits.peersPage),
	total: count,
	online: count,
	cursor: cursor.optional(),
});
export type PeersResponse = z.infer<typeof peersResponseSchema>;

/** `PUT /v1/peers/me/partials`: all contents that the caller holds parts of; each call replaces the one before. */
export const partialsRequestSchema = z.object({
	contents: z.array(z.object({content: contentIdSchema, size: count})).max(limits.partialsPerPeer),
});
export type PartialContent = z.infer<typeof partialsRequestSchema>['contents'][number];

/** Answer to `PUT /v1/peers/me/partials`. */
export const partialsResponseSchema = z.object({contents: count});

/** A peer that holds a content, and under which path. */
export const sourceSchema = z.object({
	peer: peerIdSchema,
	number: z.int().min(1),
	name: shortText,
	host,
	port,
	path: path.or(z.literal('')),
	sharedAt: time,
	online: z.boolean(),
	/** Further addresses of the peer, as HOST:PORT. */
	addresses: z
		.array(addressText)
		.max(limits.addressesPerPeer + 1)
		.optional(),
	/** It is downloading the content and serves the pieces that it has verified so far; `path` is empty then. */
	partial: z.boolean().optional(),
	/** `stream`: through its NAT by an encrypted stream, `host` and `port` being this end of it; else directly. */
	via: z.literal('stream').optional(),
});
export type Source = z.infer<typeof sourceSchema>;

/** One content with those who hold it: a search hit, or the answer to `GET /v1/files/:content`. */
export const contentSourcesSchema = z.object({
	content: contentIdSchema,
	name: path.or(z.literal('')),
	size: count,
	sources: z.array(sourceSchema).max(2 * limits.sourcesPerHit),
	/** All online sources, also those past the ones named. */
	sourceCount: count,
});
export type ContentSources = z.infer<typeof contentSourcesSchema>;

/** `GET /v1/search`. `more`: `total` is a lower bound ("more than N"). */
export const searchResponseSchema = z.object({
	hits: z.array(contentSourcesSchema).max(limits.searchPage),
	total: count,
	more: z.boolean(),
	cursor: cursor.optional(),
});
export type SearchResponse = z.infer<typeof searchResponseSchema>;

/** One entry of a folder: a file, or a folder with the sum of what is below it. */
export const browseEntrySchema = z.discriminatedUnion('type', [
	z.object({type: z.literal('file'), path, size: count, content: contentIdSchema}),
	z.object({type: z.literal('folder'), path, size: sum, files: count}),
]);
export type BrowseEntry = z.infer<typeof browseEntrySchema>;

/** `GET /v1/peers/:peer/files` and a peer's `GET /v1/browse`. */
export const browseResponseSchema = z.object({
	entries: z.array(browseEntrySchema).max(limits.browsePage),
	cursor: cursor.optional(),
});
export type BrowseResponse = z.infer<typeof browseResponseSchema>;

/** How many there are, as the event stream tells it. */
export const countsSchema = z.object({peers: count, online: count, files: count, bytes: sum});
export type Counts = z.infer<typeof countsSchema>;

/** What `GET /v1/events` carries: the SSE `event` field names the kind, `data` is the JSON. */
export const serverEventSchemas = {
	hello: countsSchema,
	'peer-joined': peerInfoSchema,
	'peer-left': peerInfoSchema,
	'peer-updated': peerInfoSchema,
	counts: countsSchema,
	/** Of a private network: who is no member any more. */
	'member-removed': z.object({
		id: peerIdSchema,
		/** Unix milliseconds: what was signed for it before counts no more. */ at: count,
	}),
} as const;
export type ServerEvents = {[K in keyof typeof serverEventSchemas]: z.infer<(typeof serverEventSchemas)[K]>};
