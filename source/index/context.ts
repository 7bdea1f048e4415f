import type {FastifyReply, FastifyRequest} from 'fastify';
import type * as z from 'zod';
import type {PeerInfo} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';
import type {Identity} from '../identity/identity.ts';
import {remotePeerId} from '../net/remote-id.ts';
import type {EventHub} from './event-hub.ts';
import type {Metrics} from './metrics.ts';
import type {Partials} from './partials.ts';
import type {Presence} from './presence.ts';
import type {PrivateNetwork} from './private-network.ts';
import type {Reachability} from './reachability.ts';
import type {Searches} from './searches.ts';
import type {IndexStore} from './store.ts';

/** What every route works with. */
export type IndexContext = {
	identity: Identity;
	store: IndexStore;
	searches: Searches;
	bus: EngineBus;
	presence: Presence;
	partials: Partials;
	reachability: Reachability;
	/** Tells everyone that a peer came or went. */
	announce(peer: PeerInfo, online: boolean): void;
	hub: EventHub;
	metrics: Metrics;
	/** Who may do anything here; undefined: the network is open. */
	network: PrivateNetwork | undefined;
	/** The server's name and version, as `GET /v1` tells them. */
	name: string;
	version: string;
	/** Seconds that a registration stands. */
	leaseSeconds: number;
	/** Whether a peer may register from an address. @throws P2pError busy for a new one too many */
	admit(id: string, address: string): Promise<void>;
};

/** What a call was about, for the dashboard's log. */
export type Story = {
	verb: string;
	argument: string;
	result: string /** performance.now() at its start. */;
	started: number;
};

const stories = new WeakMap<FastifyRequest, Story>();

/** The story of a call; routes write into it. */
export function storyOf(request: FastifyRequest): Story {
	let story = stories.get(request);
	if (!story) {
		story = {verb: 'OTHER', argument: '', result: 'ok', started: performance.now()};
		stories.set(request, story);
	}
	return story;
}

/** Says what a call is about. */
export function tell(request: FastifyRequest, verb: string, argument = ''): Story {
	return Object.assign(storyOf(request), {verb, argument});
}

/** The peer that calls. @throws P2pError needs-identity for a guest */
export function callerOf(request: FastifyRequest): string {
	const id = remotePeerId(request.raw.socket);
	if (id) return id;
	throw new P2pError('needs-identity', 'This call needs the TLS certificate of a peer', {
		hint: 'Connect with the key of the peer ID that you write under',
	});
}

/** Input in the form that a schema wants. @throws P2pError bad-request that names the first field that does not fit */
export function readInput<T>(schema: z.ZodType<T>, input: unknown, what: string): T {
	const parsed = schema.safeParse(input);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	const field = issue?.path.join('.');
	throw new P2pError('bad-request', `${what}: ${field ? `${field}: ` : ''}${issue?.message ?? 'not as expected'}`);
}

/** Sends a body in the form that its schema promises. */
export function answer<T>(reply: FastifyReply, schema: z.ZodType<T>, body: T): FastifyReply {
	return reply.type('application/json; charset=utf-8').send(JSON.stringify(schema.parse(body)));
}
