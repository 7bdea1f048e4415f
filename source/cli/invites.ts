import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {type Command, printJson, printLine} from './context.ts';
import {withMembers} from './own-network.ts';

/** `p2p-tui invites`: what was made with `p2p-tui invite`, the newest first. The links themselves are kept nowhere. */
export const command: Command = async context => {
	if (context.input.length > 0) throw new P2pError('usage', `invites takes no arguments, got ${context.input[0]}`);
	return withMembers(context, members => {
		const invites = members.invites();
		for (const {id, state, used, uses, expires, created} of invites) {
			const [until, since] = [new Date(expires).toISOString(), new Date(created).toISOString()];
			if (context.json) printJson({id, state, used, uses, created: since, expires: until});
			else {
				const day = until.slice(0, 16).replace('T', ' ');
				printLine(`${id}  ${state.padEnd(9)}  ${`${used} of ${uses}`.padStart(9)} let in  until ${day} UTC`);
			}
		}
		if (invites.length === 0 && !context.json) printLine('No invites; p2p-tui invite makes one');
		return exitCodes.done;
	});
};
