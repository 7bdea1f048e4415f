// A private network's side of the index server: who is let in, what strangers are told, who is shut out again.
import type {IncomingMessage} from 'node:http';
import type {FastifyInstance} from 'fastify';
import {limits} from '../api/limits.ts';
import type {MembershipResponse} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import type {Identity} from '../identity/identity.ts';
import type {MemberBook} from '../identity/member-book.ts';
import {signMembership} from '../identity/membership.ts';
import {RateLimiter} from '../net/call-rates.ts';
import {isLoopback} from '../net/listen.ts';
import {remotePeerId} from '../net/remote-id.ts';
import type {ClusterSide} from './store.ts';

/** What a private network is made of. */
export type PrivateNetworkOptions = {
	identity: Identity;
	/** What the network is called. */
	name: string;
	/** Stays the caller's to close. */
	members: MemberBook;
	/** Counts a use of an invite over all servers of a cluster; see ClusterSide. */
	spendInvite?: ClusterSide['spendInvite'] | undefined;
	/** Seconds that a membership is good for. Default: limits.membershipLife */
	life?: number;
};

/** A member that was shut out, and when, in Unix milliseconds. */
export type Removed = {id: string; at: number};

/** Milliseconds between two looks for members that a command has removed: their open connections end then. */
const lookEvery = 200;
/** For who runs the server: on its own machine everybody may look. */
const operatorPaths = new Set(['/healthz', '/metrics']);

/** The members of a private network, as the routes ask for them. */
export class PrivateNetwork {
	readonly #options: PrivateNetworkOptions & {life: number};
	readonly #wrong = new RateLimiter(limits.invitesWrong);
	#looking: NodeJS.Timeout | undefined;

	constructor(options: PrivateNetworkOptions) {
		this.#options = {life: limits.membershipLife, ...options};
	}

	/** Whether a caller is a member now. */
	isMember(id: string | undefined): boolean {
		return id !== undefined && this.#options.members.isMember(id);
	}

	/** What a call of a stranger is answered; undefined for a call of a member, or one that strangers may make. */
	refusal({method, url = '', socket}: IncomingMessage): P2pError | undefined {
		const path = url.split('?', 1)[0] ?? '';
		const id = remotePeerId(socket);
		if (this.isMember(id)) return undefined;
		if (path === '/v1' && (method === 'GET' || method === 'HEAD')) return undefined;
		if (path === '/v1/membership' && method === 'PUT' && id !== undefined) return undefined;
		// Another server of the same cluster: they share the key.
		if (path === '/v1/replica' && id === this.#options.identity.id) return undefined;
		if (operatorPaths.has(path) && isLoopback(socket.remoteAddress ?? '')) return undefined;
		return notAMember();
	}

	/**
	 * Signs a membership for a caller who has proved its key, after letting it in by an invite where it has one.
	 *
	 * @param address where it calls from: wrong invites are counted by it
	 * @throws P2pError not-a-member, bad-invite; busy after too many wrong invites
	 */
	async grant(
		id: string,
		{invite, name}: {invite?: string; name?: string},
		address: string,
	): Promise<MembershipResponse> {
		const {identity, members, life} = this.#options;
		const now = Date.now();
		if (invite !== undefined && !members.isMember(id)) {
			this.#wrong.check(address);
			try {
				await this.#join(id, name ?? id.slice(0, 8), invite);
			} catch (error) {
				if (error instanceof P2pError && error.code === 'bad-invite') this.#wrong.take(address);
				throw error;
			}
		}
		if (!members.isMember(id)) throw notAMember();
		members.note(id, {...(name !== undefined && {name}), seen: now});
		return {
			membership: signMembership(
				{server: identity.id, peer: id, issued: now, expires: now + life * 1000},
				identity.privateKey,
			),
			name: this.#options.name,
			networkKey: members.networkKey,
		};
	}

	async #join(id: string, name: string, code: string): Promise<void> {
		const {members, spendInvite} = this.#options;
		const used = await spendInvite?.(members.openInvite(code), id);
		if (spendInvite && used === undefined)
			throw new P2pError('bad-invite', 'This invite is of no use any more: it has let in as many as it was made for', {
				hint: 'Ask who runs the server for another: p2p-tui invite',
			});
		members.join(id, name, code, used);
	}

	/** Notes the number and name that a member has registered under. */
	registered(id: string, now: {name: string; number: number}): void {
		this.#options.members.note(id, now);
	}

	/** Who was removed, and when, of those who may still hold a membership that looks good. */
	removedLately(): Removed[] {
		const since = Date.now() - (this.#options.life + limits.membershipSkew) * 1000;
		return this.#options.members.removedSince(since).map(({id, removed}) => ({id, at: removed ?? since}));
	}

	/** Everybody who ever was removed and is not back. */
	removedEver(): string[] {
		return this.#options.members.removedSince(0).map(({id}) => id);
	}

	/** Calls `removed` soon after somebody was removed, until {@link stop}. */
	start(removed: (member: Removed) => void): void {
		const keyOf = ({id, at}: Removed) => `${id} ${at}`;
		let known = new Set(this.removedLately().map(keyOf));
		this.#looking = setInterval(() => {
			const now = this.removedLately();
			for (const member of now) if (!known.has(keyOf(member))) removed(member);
			known = new Set(now.map(keyOf));
		}, lookEvery);
		this.#looking.unref();
	}

	stop(): void {
		clearInterval(this.#looking);
	}
}

/** Answers strangers nothing but that the network is private, whatever they ask, and whether or not it is there. */
export function guardPrivate(app: FastifyInstance, network: PrivateNetwork): void {
	app.addHook('onRequest', async request => {
		const refusal = network.refusal(request.raw);
		if (refusal) throw refusal;
	});
}

function notAMember(): P2pError {
	return new P2pError('not-a-member', 'This is a private network, and you are no member of it', {
		hint: 'Ask who runs its server for an invite link, and give it once with --server',
	});
}
