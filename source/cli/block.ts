import {configFile, writeConfigFile} from '../config/config-file.ts';
import {dataFolderFor} from '../config/data-folders.ts';
import {blockPattern} from '../config/settings.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {type Command, type CommandContext, printJson, printLine} from './context.ts';
import {withNetwork} from './network.ts';

/** `p2p-tui block PEER`: that peer gets nothing from this one any more; `p2p-tui block` lists whom. */
export const command: Command = async context => {
	const dataDir = dataFolderFor('peer', context.flags.dataDir);
	const before = configFile(dataDir).block ?? [];
	if (context.input.length === 0) {
		for (const peer of before) context.json ? printJson({peer}) : printLine(peer);
		if (before.length === 0 && !context.json) printLine('Nobody is blocked');
		return exitCodes.done;
	}
	const peer = await peerToBlock(context);
	if (!before.includes(peer)) await writeConfigFile(dataDir, {block: [...before, peer]});
	if (context.json) printJson({peer, blocked: true});
	else printLine(`${peer} gets nothing from here any more`);
	return exitCodes.done;
};

/** `p2p-tui unblock PEER`: takes back every entry that blocks that peer. */
export const unblock: Command = async context => {
	const dataDir = dataFolderFor('peer', context.flags.dataDir);
	const before = configFile(dataDir).block ?? [];
	const peer = await peerToBlock(context);
	const kept = before.filter(entry => !entry.startsWith(peer) && !peer.startsWith(entry));
	if (kept.length === before.length) throw new P2pError('not-found', `${peer} is not blocked`);
	await writeConfigFile(dataDir, {block: kept});
	if (context.json) printJson({peer, blocked: false});
	else printLine(`${peer} is blocked no more`);
	return exitCodes.done;
};

/** A peer ID or the start of one as given; a number or a nickname is looked up. @throws P2pError usage, not-found */
async function peerToBlock(context: CommandContext): Promise<string> {
	const [text, ...rest] = context.input;
	if (text === undefined || rest.length > 0) {
		throw new P2pError('usage', 'Which peer?', {hint: 'Give its ID, the first 8 digits of it or more, number or name'});
	}
	const id = text.toLowerCase();
	// A number of eight digits is the start of an ID to us: peer numbers are small.
	if (blockPattern.test(id)) return id;
	return withNetwork(context, async ({router}) => (await router.peer(text, context.signal)).id);
}
