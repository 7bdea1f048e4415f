import {networkInterfaces} from 'node:os';
import {limits} from '../api/limits.ts';
import {dataFolderFor} from '../config/data-folders.ts';
import {type Address, defaultPorts, parseHost, parsePort} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {fingerprintOf, formatInvite} from '../core/invite-link.ts';
import {loadIdentity} from '../identity/identity.ts';
import type {MemberBook} from '../identity/member-book.ts';
import {isLoopback} from '../net/listen.ts';
import {type Command, type CommandContext, printJson, printLine} from './context.ts';
import {withMembers} from './own-network.ts';
import {qrCode} from './qr-code.ts';

const units: Record<string, number> = {m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000};

/** `p2p-tui invite`: a link that lets somebody into this machine's private network; `--withdraw ID` takes one back. */
export const command: Command = async context => {
	const {uses, expires, withdraw} = context.invite;
	if (context.input.length > 0) throw new P2pError('usage', `invite takes no arguments, got ${context.input[0]}`);
	if (withdraw !== undefined) return withdrawOne(context, withdraw.trim().toLowerCase());
	const wanted = {uses: parseUses(uses ?? '1'), life: parseLife(expires ?? '7d')};
	const dataDir = dataFolderFor('server', context.flags.dataDir);
	const {id: server} = await loadIdentity(dataDir);
	return withMembers(context, members => {
		const where = addressFor(context, members);
		const {code, ...invite} = members.invite(wanted);
		const link = formatInvite({...where, fingerprint: fingerprintOf(server), code});
		const expiry = new Date(invite.expires).toISOString();
		if (context.json) {
			printJson({link, id: invite.id, uses: invite.uses, expires: expiry, server});
			return exitCodes.done;
		}
		printLine(link);
		if (context.invite.qr !== false && process.stdout.isTTY) {
			const picture = qrCode(link, {
				columns: process.stdout.columns ?? 80,
				isAscii: context.ascii,
				inColour: !process.env.NO_COLOR && process.env.TERM !== 'dumb',
			});
			printLine(picture ?? 'The window is too narrow for a QR code.');
		}
		const who = invite.uses === 1 ? 'one peer' : `${invite.uses} peers`;
		printLine(`Lets in ${who} until ${expiry.slice(0, 16).replace('T', ' ')} UTC. They join with:`);
		printLine('  p2p-tui --mode peer --server <the link>');
		printLine(`To take it back: p2p-tui invite --withdraw ${invite.id}`);
		if (isLoopback(where.host)) {
			process.stderr.write(
				'p2p-tui: the server listens on this machine only, so the link is of use here only; --host names another address\n',
			);
		}
		return exitCodes.done;
	});
};

function withdrawOne(context: CommandContext, id: string) {
	return withMembers(context, members => {
		members.withdraw(id);
		if (context.json) printJson({id, withdrawn: true});
		else printLine(`The invite ${id} lets nobody in any more`);
		return exitCodes.done;
	});
}

/** Where others reach the server: as asked, else where it listens, else this machine's first address in its network. */
function addressFor({flags}: CommandContext, members: MemberBook): Address {
	const last = members.address;
	const port = flags.port === undefined ? (last?.port ?? defaultPorts.server) : parsePort(flags.port);
	if (flags.host !== undefined) return {host: parseHost(flags.host), port};
	const host = last?.host ?? '::';
	if (host !== '::' && host !== '0.0.0.0') return {host, port};
	const own = Object.values(networkInterfaces())
		.flatMap(addresses => addresses ?? [])
		.find(({family, internal, address}) => family === 'IPv4' && !internal && !address.startsWith('169.254.'));
	return {host: own?.address ?? '127.0.0.1', port};
}

/** @throws P2pError usage */
function parseUses(text: string): number {
	const uses = /^\d{1,6}$/.test(text) ? Number(text) : 0;
	if (uses < 1 || uses > limits.inviteUses)
		throw new P2pError('usage', `An invite lets in 1 to ${limits.inviteUses} peers, got ${text}`);
	return uses;
}

/** Milliseconds. @throws P2pError usage */
function parseLife(text: string): number {
	const match = /^(\d{1,6})\s*([mhdw])$/i.exec(text.trim());
	const life = match ? Number(match[1]) * units[match[2]!.toLowerCase()]! : 0;
	if (life <= 0 || life > limits.inviteDays * units.d!)
		throw new P2pError('usage', `Not a time for an invite to stand: ${text}`, {
			hint: 'Such as 30m, 12h, 7d or 4w; ten years at most',
		});
	return life;
}
