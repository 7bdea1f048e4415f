import {createInterface} from 'node:readline/promises';
import {dataFolderFor} from '../config/data-folders.ts';
import {serverAddress} from '../config/settings.ts';
import {defaultPorts, parseAddress} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {loadIdentity} from '../identity/identity.ts';
import {openKnownServers} from '../identity/known-servers.ts';
import {isPeerId} from '../identity/peer-id.ts';
import {probeIdentity} from '../net/secure-client.ts';
import {type Command, type CommandContext, printJson, printLine} from './context.ts';

/**
 * `p2p-tui trust HOST[:PORT] [ID]`: pins the key that an index server shows now, in place of the one known before. With
 * an ID the server must show just that; without one a person compares and says yes.
 */
export const command: Command = async context => {
	const [where, wanted, ...rest] = context.input;
	if (where === undefined || rest.length > 0) {
		throw new P2pError('usage', 'Which server should be trusted?', {hint: 'p2p-tui trust HOST[:PORT] [ID]'});
	}
	const address = serverAddress(where);
	const expected = wanted?.toLowerCase();
	if (expected !== undefined && !isPeerId(expected))
		throw new P2pError('usage', `A server ID has 64 hexadecimal digits, got ${wanted}`);
	const canAsk = !context.json && process.stdin.isTTY === true && process.stderr.isTTY === true;
	if (expected === undefined && !canAsk) {
		throw new P2pError('usage', 'Without a terminal to ask at, the server ID must be given', {
			hint: `p2p-tui trust ${address} ID, with the ID that p2p-tui id --mode server prints there`,
		});
	}
	const dataDir = dataFolderFor('peer', context.flags.dataDir);
	const identity = await loadIdentity(dataDir);
	const known = openKnownServers(dataDir);
	const before = known.get(address);
	const shown = await probeIdentity(identity, parseAddress(address, defaultPorts.server), context.signal);
	if (expected !== undefined && expected !== shown) {
		throw new P2pError('identity-changed', `The server at ${address} shows ${shown}, not ${expected}`, {
			hint: 'Nothing was changed; ask its owner which ID is right',
			details: {address, wanted: expected, now: shown},
		});
	}
	if (before !== shown) {
		if (expected === undefined) await confirm(address, before, shown, context);
		await known.set(address, shown);
	}
	if (context.json) printJson({address, id: shown, before: before ?? null});
	else {
		if (before !== undefined && before !== shown) printLine(`was  ${before}`);
		printLine(`${before === shown ? 'is' : 'now'}  ${shown}`);
		printLine(
			before === shown ? `${address} was trusted with this key already` : `${address} is trusted with this key`,
		);
	}
	return exitCodes.done;
};

/** @throws P2pError refused unless the person says yes */
async function confirm(
	address: string,
	before: string | undefined,
	shown: string,
	{signal}: CommandContext,
): Promise<void> {
	process.stderr.write(`The server at ${address}\n  known as   ${before ?? 'nothing yet'}\n  now shows  ${shown}\n`);
	const terminal = createInterface({input: process.stdin, output: process.stderr});
	try {
		const answer = await terminal.question('Trust the key it shows now? Type yes: ', {signal});
		if (answer.trim().toLowerCase() === 'yes') return;
	} catch (error) {
		if (signal.aborted) throw signal.reason;
		throw error;
	} finally {
		terminal.close();
	}
	throw new P2pError('refused', 'Nothing was changed');
}
