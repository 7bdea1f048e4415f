import {realpathSync} from 'node:fs';
import {configFile, writeConfigFile} from '../config/config-file.ts';
import {absoluteFolder, dataFolderFor} from '../config/data-folders.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {shortId} from '../core/format.ts';
import {isPeerId} from '../identity/peer-id.ts';
import {type Command, type CommandContext, printJson, printLine} from './context.ts';
import {withNetwork} from './network.ts';

/**
 * `p2p-tui share DIR --for PEER`: a shared folder is for those peers alone; `--for everyone`, `--for nobody`. Without a
 * folder it lists the rules. A running peer hears of it within a second.
 */
export const command: Command = async context => {
	const [given, ...rest] = context.input;
	const dataDir = dataFolderFor('peer', context.flags.dataDir);
	const rules = configFile(dataDir).shareFor ?? {};
	if (given === undefined) {
		if (context.audience.length > 0) throw new P2pError('usage', '--for needs a folder', {hint: example});
		for (const [folder, peers] of Object.entries(rules)) tell(context, folder, peers);
		if (Object.keys(rules).length === 0 && !context.json) printLine('Every share is for everybody in the network');
		return exitCodes.done;
	}
	if (rest.length > 0) throw new P2pError('usage', 'One folder at a time', {hint: example});
	const folder = realFolder(given);
	if (context.audience.length === 0) {
		tell(context, folder, rules[folder]);
		return exitCodes.done;
	}
	const peers = await peersOf(context);
	const {[folder]: _before, ...others} = rules;
	await writeConfigFile(dataDir, {shareFor: peers ? {...others, [folder]: peers} : others});
	tell(context, folder, peers);
	return exitCodes.done;
};

const example = 'Example: p2p-tui share photos --for alice,3 ; --for everyone and --for nobody';

/** The folder as shares know it: absolute, without links. A rule may stand before there is such a folder. */
function realFolder(text: string): string {
	const folder = absoluteFolder(text);
	try {
		return realpathSync(folder);
	} catch {
		return folder;
	}
}

/** Whole peer IDs; undefined: everybody. @throws P2pError usage, not-found, ambiguous */
async function peersOf(context: CommandContext): Promise<string[] | undefined> {
	const named = [...new Set(context.audience.flatMap(text => text.split(',')).map(text => text.trim()))].filter(
		Boolean,
	);
	if (named.length === 0) throw new P2pError('usage', '--for needs a peer, everyone or nobody', {hint: example});
	const words = named.map(text => text.toLowerCase());
	for (const [word, peers] of [
		['everyone', undefined],
		['nobody', []],
	] as const) {
		if (!words.includes(word)) continue;
		if (named.length > 1) throw new P2pError('usage', `Either ${word} or peers, not both`, {hint: example});
		return peers && [...peers];
	}
	if (words.every(isPeerId)) return words;
	// The start of an ID or a name can be another's tomorrow: what is kept is the whole ID.
	return withNetwork(context, async ({router}) => {
		const peers = new Set<string>();
		for (const text of named) {
			peers.add(isPeerId(text.toLowerCase()) ? text.toLowerCase() : (await router.peer(text, context.signal)).id);
		}
		return [...peers];
	});
}

function tell({json}: CommandContext, folder: string, peers: string[] | undefined): void {
	if (json) printJson({folder, for: peers ?? 'everyone'});
	else if (!peers) printLine(`${folder}  for everybody in the network`);
	else if (peers.length === 0) printLine(`${folder}  for nobody`);
	else printLine(`${folder}  for ${peers.map(shortId).join(', ')} alone`);
}
