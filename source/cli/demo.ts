import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {runDemo} from '../engine/demo.ts';
import {type Command, printEvent, printLine} from './context.ts';
import {isInteractive, screenOf} from './interactive.ts';

/** `p2p-tui demo`: tells each step; ends by itself without a terminal, on the live screen with one. */
export const command: Command = async context => {
	let step = 0;
	const demo = await runDemo(text => {
		step++;
		if (context.json) printEvent('log', {level: 'info', message: text});
		else printLine(`${step}. ${text}`);
	}, context.signal);
	try {
		if (!demo.verified) throw new P2pError('corrupt', 'The downloaded bytes are not those that were shared');
		if (!isInteractive(context)) return exitCodes.done;
		printLine('Opening the screen of bob…');
		return await screenOf(context, {kind: 'engine', mode: 'peer', handle: demo.peer});
	} finally {
		await demo.stop();
	}
};
