import {createHash, randomBytes, timingSafeEqual} from 'node:crypto';
import type {DatabaseSync} from 'node:sqlite';
import {toBase32} from '../core/base32.ts';
import {P2pError} from '../core/errors.ts';
import {inviteIdLength, inviteSecretLength} from '../core/invite-link.ts';
import {inTransaction} from './members-database.ts';

/** An invite as its owner sees it; times are Unix milliseconds. */
export type Invite = {
	/** Five characters: the first of its code. */
	id: string;
	/** Peers it lets in, and has let in so far. */
	uses: number;
	used: number;
	created: number;
	expires: number;
	state: 'open' | 'used up' | 'expired' | 'withdrawn';
};

type InviteRow = Omit<Invite, 'state'> & {hash: Uint8Array; withdrawn: number | null};

/** Invites in the list: old ones that let nobody in any more are dropped past this. */
const mostInvites = 10_000;
/** What a code that nobody was given is compared with, so that it takes as long. */
const nothing = randomBytes(32);

const hashOf = (secret: string) => createHash('sha256').update(`p2p-tui invite ${secret}`).digest();

function asInvite({id, uses, used, created, expires, withdrawn}: InviteRow): Invite {
	const state =
		withdrawn !== null ? 'withdrawn' : used >= uses ? 'used up' : expires <= Date.now() ? 'expired' : 'open';
	return {id, uses, used, created, expires, state};
}

/**
 * Makes an invite. Its secret is nowhere but in the code that this gives; the database keeps a hash.
 *
 * @param life milliseconds
 */
export function makeInvite(
	database: DatabaseSync,
	{uses, life}: {uses: number; life: number},
): Invite & {code: string} {
	return inTransaction(database, () => {
		const {count} = database.prepare('SELECT count(*) AS count FROM invite').get() as {count: number};
		if (count >= mostInvites) {
			database
				.prepare('DELETE FROM invite WHERE withdrawn IS NOT NULL OR used >= uses OR expires <= ?')
				.run(Date.now());
		}
		let id: string;
		do id = toBase32(randomBytes(4), inviteIdLength);
		while (database.prepare('SELECT 1 FROM invite WHERE id = ?').get(id));
		const secret = toBase32(randomBytes(13), inviteSecretLength);
		const created = Date.now();
		database
			.prepare('INSERT INTO invite(id, hash, uses, created, expires) VALUES(?, ?, ?, ?, ?)')
			.run(id, hashOf(secret), uses, created, created + life);
		return {id, uses, used: 0, created, expires: created + life, state: 'open', code: id + secret};
	});
}

/** All invites, the newest first. */
export function listInvites(database: DatabaseSync): Invite[] {
	const rows = database.prepare('SELECT * FROM invite ORDER BY created DESC, id').all() as InviteRow[];
	return rows.map(asInvite);
}

/** Takes an invite back; who came by it stays. @throws P2pError not-found */
export function withdrawInvite(database: DatabaseSync, id: string): void {
	const {changes} = database
		.prepare('UPDATE invite SET withdrawn = coalesce(withdrawn, ?) WHERE id = ?')
		.run(Date.now(), id);
	if (changes === 0) throw new P2pError('not-found', `There is no invite ${id}`, {hint: 'p2p-tui invites lists them'});
}

/**
 * The open invite of a code. Who does not know the secret cannot tell whether there is such an invite: it is compared in
 * constant time.
 *
 * @throws P2pError bad-invite that says what is wrong with it, to who knows the secret
 */
export function openInvite(database: DatabaseSync, code: string): Invite {
	const row = database.prepare('SELECT * FROM invite WHERE id = ?').get(code.slice(0, inviteIdLength)) as
		| InviteRow
		| undefined;
	const same = timingSafeEqual(hashOf(code.slice(inviteIdLength)), row?.hash ?? nothing);
	if (!row || !same) throw new P2pError('bad-invite', 'This server made no such invite', {hint: askAgain});
	const invite = asInvite(row);
	if (invite.state === 'open') return invite;
	const because = {
		'used up': `it has let in ${invite.uses === 1 ? 'a peer' : `${invite.uses} peers`}, as many as it was made for`,
		expired: `it ended on ${new Date(invite.expires).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
		withdrawn: 'it was withdrawn',
	}[invite.state];
	throw new P2pError('bad-invite', `This invite is of no use any more: ${because}`, {hint: askAgain});
}

const askAgain = 'Ask who runs the server for another: p2p-tui invite';
