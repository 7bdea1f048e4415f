import {displayText} from '../core/display.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {shortId} from '../core/format.ts';
import {type Command, printJson, printLine} from './context.ts';
import {withMembers} from './own-network.ts';

/** `p2p-tui members`: who may use this machine's private network. */
export const command: Command = async context => {
	if (context.input.length > 0) throw new P2pError('usage', `members takes no arguments, got ${context.input[0]}`);
	return withMembers(context, members => {
		const all = members.members();
		for (const {id, name, number, invite, joined, seen} of all) {
			const times = {joined: new Date(joined).toISOString(), seen: new Date(seen).toISOString()};
			if (context.json) printJson({id, name, number, invite, ...times});
			else {
				const day = (time: string) => time.slice(0, 16).replace('T', ' ');
				printLine(
					displayText(
						`${String(number ?? '-').padStart(4)}  ${shortId(id)}  ${name.padEnd(16)}  joined ${day(times.joined)}, last here ${day(times.seen)} UTC`,
					),
				);
			}
		}
		if (all.length === 0 && !context.json) printLine('No members yet; p2p-tui invite lets somebody in');
		return exitCodes.done;
	});
};

/** `p2p-tui remove PEER`: that member is none any more, at the server at once. */
export const remove: Command = async context => {
	const [reference, ...rest] = context.input;
	if (reference === undefined || rest.length > 0) {
		throw new P2pError('usage', 'Which member should be removed?', {
			hint: 'Give its number, ID or the start of that, or name: p2p-tui members lists them',
		});
	}
	return withMembers(context, members => {
		const {member, withdrawn} = members.remove(reference);
		if (context.json) printJson({peer: member.id, name: member.name, removed: true, withdrawn: withdrawn?.id ?? null});
		else {
			printLine(displayText(`${member.name} ${shortId(member.id)} is no member any more`));
			if (withdrawn) printLine(`The invite ${withdrawn.id} that it came by is withdrawn`);
		}
		return exitCodes.done;
	});
};
